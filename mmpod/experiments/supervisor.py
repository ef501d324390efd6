"""Run a command whose processes end with the process that wants it: ``python -I supervisor.py PID COMMAND ...``.

However that process ends (SIGKILL included), the kernel sends SIGTERM here, and everything that the command started is
ended, whatever session it has moved to. This relies on Linux; elsewhere only SIGTERM does it. It uses the standard
library alone, so that it starts in a moment.
"""

import ctypes
import functools
import os
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Stop:
    """Exit at the first SIGTERM, and let no other one interrupt what is done then.

    The kernel sends the signal anew for each thread of the parent that ends.
    """

    def __init__(self) -> None:
        self.ending = False

    def __call__(self, number: int, frame: object) -> None:
        """Handle the signal."""
        if not self.ending:
            self.ending = True
            sys.exit(128 + number)


def descendants(ancestor: int) -> list[int]:
    """Return the living processes below a process."""
    parents = {}
    for name in os.listdir('/proc') if sys.platform == 'linux' else ():
        if name.isdecimal():
            try:
                with open(f'/proc/{name}/stat', 'rb') as file:
                    parents[int(name)] = int(file.read().rpartition(b')')[2].split()[1])
            except OSError:  # it has ended meanwhile
                continue
    found = [ancestor]
    for pid in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def end_descendants() -> None:
    """Send SIGTERM to all processes below this one, SIGKILL to those that are left after a while, and wait for them."""
    if sys.platform != 'linux':
        os.killpg(0, signal.SIGTERM)
    started = time.monotonic()
    told: set[int] = set()
    while pids := descendants(os.getpid()):
        late = time.monotonic() - started > GRACE_SECONDS
        for pid in pids if late else set(pids) - told:
            try:
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
            except ProcessLookupError:
                pass
        told.update(pids)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.02)


def main() -> None:
    """Run the command and exit with its status, 128 + N where signal N ended it."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    os.setsid()  # an interrupt from the terminal, or its end, reaches the parent only
    end_with_parent = None
    if sys.platform == 'linux':
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        end_with_parent = functools.partial(prctl, PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        end_with_parent()
    try:
        if os.getppid() == parent:
            process = subprocess.Popen(command, close_fds=False, preexec_fn=end_with_parent)
            status = process.wait()
            sys.exit(status if status >= 0 else 128 - status)
    finally:
        stop.ending = True
        end_descendants()


if __name__ == '__main__':
    main()
