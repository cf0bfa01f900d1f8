"""When a webhook is tried again, when it is given up, and what may be registered. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.kernel.errors import Problem

NAME_MAX: Final = 100
ADDRESS_MAX: Final = 500
WEBHOOKS_MAX: Final = 20
OVERLAP_MAX: Final = timedelta(days=30)
KEYS_MAX: Final = 3

MOST_CHANGES: Final = 200
"""How many changes one message tells of; what has gathered meanwhile is told together."""
LEASE: Final = timedelta(seconds=60)
"""For how long a worker has a webhook for itself; an attempt lasts ten seconds at most."""
GIVE_UP_AFTER: Final = timedelta(days=3)
KEPT_FOR: Final = timedelta(days=30)

# A receiver that was down has to be up to date ten minutes after it came back, however long it was
# away. One message waits for it, not one for each change, so asking every few minutes costs nothing.
PAUSES: Final = (5, 20, 60, 150, 300)
FIRST_SHARE: Final = 0.5
GONE: Final = 410
OKAY: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: the status of the answer, or why there was none."""

    status: int | None
    fault: str | None
    took_ms: int

    @property
    def taken(self) -> bool:
        """Whether the receiver has it. A redirect is no yes: nothing is followed."""
        return self.status in OKAY


def pause(failures: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row (1 and more); `chance` is in [0, 1).

    Half of the pause is certain and half is chance, so that those who failed together do not come
    back together. Never more than five minutes.
    """
    longest = PAUSES[min(failures, len(PAUSES)) - 1]
    return timedelta(seconds=longest * (FIRST_SHARE + (1 - FIRST_SHARE) * chance))


def is_given_up(outcome: Outcome, *, failing_since: datetime, now: datetime) -> bool:
    """Whether a failed attempt was the last: three days of failures, or a receiver that says so."""
    return outcome.status == GONE or now - failing_since >= GIVE_UP_AFTER


def name_problems(name: str) -> list[Problem]:
    """What is wrong with what somebody calls a webhook."""
    if not name.strip():
        return [Problem("Give the receiver a name.", "name")]
    if len(name) > NAME_MAX:
        return [Problem("Use 100 characters or fewer.", "name")]
    return []
