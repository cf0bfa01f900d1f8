"""The only reader of the wall clock; everything else takes `work.now`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """A source of the present instant, always aware and in UTC."""

    def now(self) -> datetime: ...

    def microseconds(self) -> int:
        """The same as whole microseconds of the epoch, for what has no time to make an object."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def microseconds(self) -> int:
        return time.time_ns() // 1000


class FixedClock:
    """A clock that stands still until it is told to move, for tests and for demo history."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def microseconds(self) -> int:
        return (self.at - EPOCH) // timedelta(microseconds=1)

    def advance(self, by: timedelta) -> None:
        self.at += by
