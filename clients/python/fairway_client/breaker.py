"""After several failures in a row nobody is asked for a while: a queue of trucks does not wait."""

import threading
from collections.abc import Callable


class Breaker:
    """Open after `failures` in a row, for `seconds`; then one caller may try."""

    def __init__(
        self, clock: Callable[[], float], *, failures: int = 5, seconds: float = 5.0
    ) -> None:
        self._clock = clock
        self._most = failures
        self._seconds = seconds
        self._count = 0
        self._closed_again_at = 0.0
        self._lock = threading.Lock()

    def lets_through(self) -> bool:
        """Whether to ask. While it is open one caller per pause is let through to try."""
        with self._lock:
            if self._count < self._most:
                return True
            if self._clock() < self._closed_again_at:
                return False
            self._closed_again_at = self._clock() + self._seconds
            return True

    def worked(self) -> None:
        with self._lock:
            self._count = 0

    def failed(self) -> None:
        with self._lock:
            self._count += 1
            if self._count >= self._most:
                self._closed_again_at = self._clock() + self._seconds
