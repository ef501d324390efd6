"""Run a command whose processes end with the process that started it: ``python -I supervisor.py PID COMMAND ...``.

However that process ends (even by SIGKILL), the kernel sends SIGTERM to this one, which then ends everything that the
command started, in whatever session it is. This works on Linux; elsewhere only SIGTERM ends the command. The file uses
only the standard library, so it starts fast.
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
    """Exit at the first SIGTERM and ignore later ones, so that they do not interrupt the clean-up.

    The kernel sends the signal again for each thread of the parent that ends.
    """

    def __init__(self) -> None:
        self.ending = False

    def __call__(self, number: int, frame: object) -> None:
        """Handle the signal."""
        if not self.ending:
            self.ending = True
            sys.exit(128 + number)


def descendants(ancestor: int) -> list[int]:
    """Return the ids of all live descendants of a process."""
    parents = {}
    for name in os.listdir('/proc') if sys.platform == 'linux' else ():
        if name.isdecimal():
            try:
                with open(f'/proc/{name}/stat', 'rb') as file:
                    parents[int(name)] = int(file.read().rpartition(b')')[2].split()[1])
            except OSError:  # it has ended in the meantime
                continue
    found = [ancestor]
    for pid in found:  # grows during the loop
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def end_descendants() -> None:
    """Send SIGTERM to all descendants of this process, SIGKILL to those left after a while, and wait for them."""
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
    """Run the command and exit with its status, or with 128 + N if signal N ended it."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    os.setsid()  # signals from the terminal reach only the parent
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
