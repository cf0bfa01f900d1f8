"""Advisory locks on files: each ends with the process that holds it, however that ends."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from app.db.embedded.account import ClusterError

PAUSE = 0.02  # Seconds between two looks.


class Lock:
    """A lock on a file that is made when missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def take(self, mode: int) -> bool:
        """Take the lock (`LOCK_EX` or `LOCK_SH`); False if `LOCK_NB` was given and it is taken."""
        if self._fd is not None:
            return True
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            message = f"{self.path} belongs to another user. Set FAIRWAY_HOME to a folder of yours."
            raise ClusterError(message) from error
        try:
            fcntl.flock(fd, mode)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def free(self) -> bool:
        """Whether nobody holds the lock at this moment."""
        if self._fd is not None or not self.take(fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
        self.drop()
        return True

    def fileno(self) -> int:
        """Give the file descriptor, for a process that shall inherit the lock."""
        if self._fd is None:
            msg = f"{self.path} is not locked."
            raise ClusterError(msg)
        return self._fd

    def drop(self) -> None:
        """Unlock, also for the copies of the file descriptor that a fork has made."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.close()

    def close(self) -> None:
        """Let go of the file; a process that inherited it goes on holding the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def wait_until(condition: Callable[[], bool], seconds: float, vain: str) -> None:
    """Return when the condition holds; ClusterError with the text `vain` after the seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise ClusterError(vain)
        time.sleep(PAUSE)
