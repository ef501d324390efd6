#!/usr/bin/env bash
# Train on several processes of this machine (GPUs, or CPU processes where there is none), or of several machines:
#   bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
# On several machines, on each: NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 PORT=29500 bash tools/dist_train.sh ...
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 CONFIG PROCESSES [arguments of tools/train.py]" >&2; exit 2; }
config=$1 processes=$2
shift 2
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

PYTHONPATH="$tools/..:${PYTHONPATH:-}" exec torchrun \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$processes" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  "$tools/train.py" "$config" --launcher pytorch "$@"
