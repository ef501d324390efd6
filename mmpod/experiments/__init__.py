"""Define, run, record and report many training runs.

The data flows as follows:

1. A study (`studies`) is a set of configs, each with a grid (`sweep`) of overrides. Each point of a grid is a setting,
   and a setting with a seed is a run.
2. `config_hash` resolves a config with its overrides; `run_plan` has the commands of a run, which a `launcher` makes,
   and refuses one whose settings have changed; `queue` executes the runs.
3. `run_files` reads what a run has written; `records` stores finished runs as lines of `results/<study>.jsonl`.
4. `report` fills the tables of `studies` from the records, and `figures` draws.

`tools/compare.py` and `tools/tune.py` start from configs and `arguments`, use steps 2 and 3 (`make_runs`), and print
the tables of `comparison`.
"""
