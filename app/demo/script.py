"""The scenes of the story, from all companies, played in the order of their days.

The register's clock never goes back, so nothing may be told out of its order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from random import Random

from app.demo.calendar import Calendar
from app.demo.stage import Stage

Play = Callable[[Stage], None]
SATURDAY = 5


OPENS = 13
HOURS = 9
"""The working day in the United States, from coast to coast, in hours of UTC."""
JUST_NOW = timedelta(days=2)
LATELY = timedelta(days=10)


@dataclass(slots=True)
class Script:
    """Scenes as they were written down; `play` puts them in order."""

    calendar: Calendar
    scenes: list[tuple[datetime, Play]] = field(default_factory=list)

    def add(self, days: float, play: Play) -> None:
        """Let `play` happen so many days before the present."""
        self.scenes.append((self.calendar.ago(days), play))

    def play(self, stage: Stage) -> None:
        """Tell every scene in order, at hours of work."""
        ordered = sorted(self.scenes, key=lambda one: one[0])
        hours = _hours([at for at, _ in ordered], self.calendar.until)
        for shown, (_, scene) in zip(hours, ordered, strict=True):
            stage.clock.at = max(shown, stage.clock.at)
            scene(stage)


def _hours(planned: list[datetime], until: datetime) -> list[datetime]:
    """When each scene is shown, in the same order: spread over the working hours of its day.

    What would fall on a weekend waits for Monday, but not in the last days, in which each day
    counts; the last two days stay as they were planned, since their hours might be to come.
    """
    random = Random("hours")  # noqa: S311 - no secret is drawn.
    found: list[datetime] = []
    days = [_working_day(at, until) for at in planned]
    for day, group in groupby(zip(days, planned, strict=True), key=lambda one: one[0]):
        times = [at for _, at in group]
        if until - times[-1] < JUST_NOW:
            found += times
        else:
            drawn = sorted(random.uniform(0, HOURS) for _ in times)
            found += [day + timedelta(hours=OPENS + hour) for hour in drawn]
    return found


def _working_day(at: datetime, until: datetime) -> datetime:
    """The midnight that begins the day of work."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    late = at.weekday() - SATURDAY
    return midnight if late < 0 or until - at < LATELY else midnight + timedelta(days=2 - late)
