"""What a reviewer's verdict on a criterion is worth once the trader has answered again."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from app.kernel.errors import Problem


class Verdict(StrEnum):
    """What a reviewer says about one criterion."""

    ACCEPTED = "accepted"
    RETURNED = "returned"


class Judged(StrEnum):
    """Where a criterion stands in the round under review.

    `CHANGED`: it was judged, and the trader has changed it since. `RETURNED` is unresolved: the
    trader was not asked yet, or left it as it was.
    """

    UNJUDGED = "unjudged"
    CHANGED = "changed"
    RETURNED = "returned"
    ACCEPTED = "accepted"

    @property
    def to_judge(self) -> bool:
        """Whether the reviewer has to look at it."""
        return self in {Judged.UNJUDGED, Judged.CHANGED}


class Reviewed(Protocol):
    """A stored verdict."""

    @property
    def verdict(self) -> str: ...
    @property
    def content_sha256(self) -> str: ...


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 over what the trader said about a criterion, in hexadecimal."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def judged(review: Reviewed | None, present: str) -> Judged:
    """Where a criterion with the fingerprint `present` stands after its newest review."""
    if review is None:
        return Judged.UNJUDGED
    if review.content_sha256 != present:
        return Judged.CHANGED
    return Judged(review.verdict)


def problems(verdict: str, comment: str) -> list[Problem]:
    """What is wrong with a verdict. One that returns a criterion has to say what is missing."""
    found = []
    if verdict not in set(Verdict):
        found.append(Problem("Choose: accept or return.", "verdict", "verdict"))
    if verdict == Verdict.RETURNED and not comment.strip():
        found.append(
            Problem("Say what is missing, so that the trader can be asked.", "comment", "comment")
        )
    return found
