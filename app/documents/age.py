"""Until when a file counts: its own last day, and how old its content may be. Pure."""

from datetime import date, timedelta
from typing import Final

MONTHS: Final = 12


def last_day_of(stored_on: date, expires_on: date | None, months: int | None) -> date | None:
    """The last day on which a file counts, by expiry and age; `None` when nothing ends it."""
    days = [] if expires_on is None else [expires_on]
    if months is not None:
        year, month = divmod(stored_on.year * MONTHS + stored_on.month - 1 + months, MONTHS)
        last = date(year, month + 1, 1) + timedelta(days=min(stored_on.day, 28) - 1)
        while months_before(last + timedelta(days=1), months) <= stored_on:
            last += timedelta(days=1)
        days.append(last)
    return min(days, default=None)


def still_counts(stored_on: date, expires_on: date | None, months: int | None, on: date) -> bool:
    """Whether a file counts on a day: up to and with its last one."""
    last = last_day_of(stored_on, expires_on, months)
    return last is None or last >= on


def months_before(on: date, months: int) -> date:
    """The day that many months earlier; the month's last one where it has no such day."""
    year, month = divmod(on.year * MONTHS + on.month - 1 - months, MONTHS)
    for day in range(on.day, 27, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    return date(year, month + 1, min(on.day, 28))
