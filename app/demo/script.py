"""The scenes of the story, from all companies, played in the order of their days.

The register's clock never goes back, so nothing may be told out of its order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.demo.calendar import Calendar
from app.demo.stage import Stage

Play = Callable[[Stage], None]
SATURDAY = 5


OPENS = 13
HOURS = 9
"""The working day in the United States, from coast to coast, in hours of UTC."""


@dataclass(slots=True)
class Script:
    """Scenes as they were written down; `play` puts them in order."""

    calendar: Calendar
    scenes: list[tuple[datetime, Play]] = field(default_factory=list)

    def add(self, days: float, play: Play) -> None:
        """Let `play` happen so many days before the present."""
        self.scenes.append((self.calendar.ago(days), play))

    def play(self, stage: Stage) -> None:
        """Tell every scene, at an hour of work when its own day has one left."""
        shown = stage.clock.at
        for at, scene in sorted(self.scenes, key=lambda one: one[0]):
            shown = max(shown, min(_working(at), self.calendar.until))
            stage.clock.at = shown
            scene(stage)


def _working(at: datetime) -> datetime:
    """The same part of a working day; what would fall on a weekend waits for Monday's opening."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    late = at.weekday() - SATURDAY
    if late >= 0:
        return midnight + timedelta(days=2 - late, hours=OPENS)
    return midnight + timedelta(hours=OPENS) + (at - midnight) * (HOURS / 24)
