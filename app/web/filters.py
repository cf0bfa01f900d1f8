"""How values read on a page."""

from datetime import date, datetime

from flask import Flask
from flask_babel import format_date, format_datetime, gettext


def when(at: datetime | None) -> str:
    """An instant as a person reads it, in UTC and saying so."""
    if at is None:
        return ""
    return gettext("%(at)s UTC", at=format_datetime(at, "d MMMM yyyy, HH:mm", rebase=False))


def day(on: date | datetime | None) -> str:
    """A day as a person reads it."""
    if on is None:
        return ""
    return format_date(on, "d MMMM yyyy", rebase=False)


def clock_time(at: datetime) -> str:
    """Hours and minutes, for "Saved 14:32"."""
    return format_datetime(at, "HH:mm", rebase=False)


def size(count: int) -> str:
    """A file size in kB or MB."""
    if count < 1_000_000:  # noqa: PLR2004 - the border between kB and MB.
        return gettext("%(n)s kB", n=max(1, round(count / 1000)))
    return gettext("%(n)s MB", n=f"{count / 1_000_000:.1f}")


def register_filters(app: Flask) -> None:
    """Make the filters known to Jinja."""
    for name, function in (
        ("when", when),
        ("day", day),
        ("clock_time", clock_time),
        ("size", size),
    ):
        app.jinja_env.filters[name] = function
