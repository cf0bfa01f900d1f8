"""Run a program, begin it again when it ends, and end with whoever asked for it.

A process of its own, run by its path with the standard library alone: a serving process may have no
threads while it forks its workers, and this one waits for two things at once.
"""

import os
import signal
import subprocess
import sys
import time
from types import FrameType

AGAIN_AFTER = 0.5
LOOKS_EACH = 0.5
GRACE = 10


class Stop(Exception):  # noqa: N818 - it is an order, not an error.
    """SIGTERM came."""


def main(command: list[str]) -> None:
    """Keep `command` running until SIGTERM, or until the parent process is another."""
    parent = os.getppid()
    signal.signal(signal.SIGTERM, stop)
    child = None
    try:
        while os.getppid() == parent:
            child = subprocess.Popen(command)  # noqa: S603 - what our own parent gave us.
            while child.poll() is None and os.getppid() == parent:
                time.sleep(LOOKS_EACH)
            time.sleep(AGAIN_AFTER)
    except Stop:
        pass
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if child is not None and child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def stop(_number: int, _frame: FrameType | None) -> None:
    """Leave whatever is waited for."""
    raise Stop


if __name__ == "__main__":
    main(sys.argv[1:])
