"""What clients saw and what writers were told, and whether both can be true at once.

A checker in the manner of Jepsen's: clients write down when each call began and ended and what came
of it, and afterwards the whole is judged. Times are of one monotonic clock, in seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

ACTIVE = "active"
BOUND_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Write:
    """A suspension or a reinstatement. `ended` is `None` for one whose end nobody knows."""

    partner: str
    grants: bool
    began: float
    ended: float | None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One look-up; `answer` is the contract's word, or the status code of a refusal."""

    client: int
    partner: str
    began: float
    ended: float
    answer: str
    seq: int | None = None
    min_seq: int = 0


@dataclass(slots=True)
class History:
    """Everything that happened; appending is safe from every thread."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


def check(history: History) -> list[str]:
    """What is wrong; nothing, if all is well."""
    return [
        *_trusted_too_long(history),
        *_went_back(history.reads),
        *(f"{one} knows less than was asked" for one in history.reads if _knows_less(one)),
    ]


def _trusted_too_long(history: History) -> Iterator[str]:
    """No `active` that began five seconds after a suspension was acknowledged.

    Unless a reinstatement had begun by the time at which the answer came: then either may hold.
    """
    by_partner: dict[str, list[Write]] = {}
    for one in history.writes:
        by_partner.setdefault(one.partner, []).append(one)
    for read in history.reads:
        if read.answer != ACTIVE:
            continue
        writes = by_partner.get(read.partner, [])
        over = [
            one.ended
            for one in writes
            if not one.grants and one.ended is not None and one.ended + BOUND_SECONDS < read.began
        ]
        if not over:
            continue
        suspended = max(over)
        began = next(one.began for one in writes if not one.grants and one.ended == suspended)
        # One of unknown end may have taken effect whenever, but not before it began.
        if not any(
            one.grants and one.began <= read.ended and (one.ended is None or one.ended > began)
            for one in writes
        ):
            yield f"{read} {read.began - suspended:.2f} s after the suspension was acknowledged"


def _went_back(reads: Iterable[Read]) -> Iterator[str]:
    """A client that waits for each answer before it asks again never sees `seq` go back."""
    by_client: dict[int, list[Read]] = {}
    for one in reads:
        if one.seq is not None:
            by_client.setdefault(one.client, []).append(one)
    for of_client in by_client.values():
        for before, after in pairwise(of_client):
            if (after.seq or 0) < (before.seq or 0):
                yield f"{after} after {before}"


def _knows_less(read: Read) -> bool:
    return read.seq is not None and read.seq < read.min_seq
