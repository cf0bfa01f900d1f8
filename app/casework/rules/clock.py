"""How old a case is and how long there is left; dates are days in UTC."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

SATURDAY: Final = 5
WARN_AT: Final = 10
"""Working days left from which on a case is marked: two weeks are enough for a request."""


class Urgency(StrEnum):
    """How the time left is marked, beside the words."""

    CALM = "calm"
    SOON = "soon"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Due:
    """The time left: `working_days` until `on`, negative when it has passed."""

    on: date
    working_days: int

    @property
    def urgency(self) -> Urgency:
        """How pressing it is."""
        if self.working_days < 0:
            return Urgency.LATE
        return Urgency.SOON if self.working_days <= WARN_AT else Urgency.CALM


def working_days(start: date, end: date) -> int:
    """The days from Monday to Friday after `start` up to and with `end`; negative backwards.

    Public holidays are not counted out: the programme's clocks count plain days, and this is
    only how the time left is shown.
    """
    if end < start:
        return -working_days(end, start)
    weeks, rest = divmod((end - start).days, 7)
    last = sum((start + timedelta(days=n)).weekday() < SATURDAY for n in range(1, rest + 1))
    return weeks * 5 + last


def due(today: date, on: date) -> Due:
    """The time left until `on`. A day that has passed is never shown as "today"."""
    left = working_days(today, on)
    if on < today and left == 0:
        left = -1
    return Due(on, left)
