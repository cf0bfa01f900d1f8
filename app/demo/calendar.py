"""The story's days, counted back from the present."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.catalogues.loader import catalogues

OPENING = 320
"""Days before the present at which applications begin, if the criteria were in force by then."""
SHORTEST = 120
"""Fewer days than these are too few for any application to be decided."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns "days ago" into instants that are never after the present.

    Applications need criteria in force, so days since the opening shrink when less time has
    passed since the catalogues took effect; without that, one day is one day.
    """

    until: datetime

    @property
    def open_for_applications(self) -> bool:
        """Whether the catalogues have been in force for long enough to tell of applications."""
        return self._window >= timedelta(days=SHORTEST)

    def ago(self, days: float) -> datetime:
        """The instant `days` before the present."""
        window = self._window if self.open_for_applications else timedelta(days=OPENING)
        if days <= OPENING:
            return self.until - window * (days / OPENING)
        return self.until - window - timedelta(days=days - OPENING)

    @property
    def _window(self) -> timedelta:
        # What later versions change does not keep the story from beginning under the first ones.
        first = max(one.effective for one in catalogues() if one.previous is None)
        opened = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
        return min(timedelta(days=OPENING), self.until - opened)
