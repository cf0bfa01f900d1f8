"""A page of the change feed, believed as far as it goes: it can end what is kept, never prolong it."""

import json
from dataclasses import dataclass
from typing import Any

from fairway_client.answer import UnusableError

FEED_PATH = "/api/v1/changes"
FEED_MEDIA = "application/json"
PAGE = 1_000
# A page of a thousand changes is 150 kB.
LARGEST_PAGE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Changes:
    """The partners whose answers changed, each with the number of the newest change; and how far.

    `until` is the change up to which this page goes, `head` the newest of the register.
    """

    partners: dict[str, int]
    until: int
    head: int


def read_changes(body: bytes, *, after: int) -> Changes:
    """The page of changes after `after`, dense; `UnusableError("shape")` for anything else."""
    try:
        found = json.loads(body)
        changes, until, head = found["changes"], found["next"], found["head"]
        partners = {one["partner_id"]: one["seq"] for one in changes}
        numbers = [one["seq"] for one in changes]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnusableError("shape") from error
    _promised(all(map(_is_whole, numbers)))
    _promised(numbers == list(range(after + 1, after + 1 + len(numbers))))
    _promised(_is_whole(until) and until == after + len(numbers))
    _promised(_is_whole(head) and head >= until)
    # With more to come, a page that brings nothing would have us ask for ever.
    _promised(bool(numbers) or head == until)
    _promised(all(isinstance(one, str) and one for one in partners))
    return Changes(partners, until, head)


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds.
    return type(value) is int and value >= 0


def _promised(holds: bool) -> None:  # noqa: FBT001 - the sentence before says what holds.
    if not holds:
        raise UnusableError("shape")
