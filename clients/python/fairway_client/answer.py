"""What a caller gets: a verified answer, or the word that says why there is none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ANSWERS = frozenset({"active", "not_active", "not_a_partner"})
GRANTING = frozenset({"certified", "validated"})


class UnusableError(Exception):
    """Something that cannot be relied on; `why` is one word for logs and counters."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Standing:
    """One standing in one programme, as it was signed."""

    programme: str
    tier: int | None
    status: str
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """`answer` is `active`, `not_active`, `not_a_partner`, or `unknown` with `why` saying why.

    Nothing but `grants` should decide over cargo: it is false for whatever is not verified, not
    active, or over. `partner_id` is by what the feed names the holder, `index` its entry in the status list, `changes_at` the next date that is
    already known to change it.
    """

    answer: str = "unknown"
    why: str = ""
    standings: tuple[Standing, ...] = ()
    seq: int = 0
    expires_at: float = 0.0
    read_at: float = 0.0
    index: int | None = None
    partner_id: str = ""
    changes_at: float = math.inf

    def grants(
        self, programme: str, *, tier: int = 1, benefit: str | None = None, at: float | None = None
    ) -> bool:
        """Whether the partner stands in `programme` at `tier` or above, with `benefit` if named.

        `at` is the instant of the decision in seconds of Unix time; without it, that of the
        answer. An answer that is kept beyond its minute grants nothing.
        """
        if self.answer != "active" or not (self.read_at if at is None else at) < self.expires_at:
            return False
        return any(
            one.programme == programme
            and one.status in GRANTING
            and one.tier is not None
            and one.tier >= tier
            and (benefit is None or benefit in one.benefits)
            for one in self.standings
        )


def standings_of(claims: Mapping[str, Any], *, at: float) -> tuple[Standing, ...]:
    """The standings of signed claims, each member of the promised type and in force at `at`.

    `UnusableError("shape")` otherwise: what is not understood grants nothing.
    """
    found = claims.get("standings")
    if not isinstance(found, list):
        raise UnusableError("shape")
    return tuple(_standing(one) for one in found if _in_force(one, at))


def _standing(one: Mapping[str, Any]) -> Standing:
    tier = one.get("tier")
    texts = (one.get("programme"), one.get("status"))
    benefits = one.get("benefits")
    if (
        not all(isinstance(text, str) for text in texts)
        or not (tier is None or type(tier) is int)
        or not _are_texts(benefits)
    ):
        raise UnusableError("shape")
    return Standing(str(texts[0]), tier, str(texts[1]), tuple(benefits or ()))


def _in_force(one: object, at: float) -> bool:
    if not isinstance(one, Mapping):
        raise UnusableError("shape")
    since, until = instant(one.get("effective_from")), one.get("effective_until")
    return since <= at and (until is None or at < instant(until))


def _are_texts(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(one, str) for one in value)
    )


def instant(value: object) -> float:
    """An RFC 3339 instant with offset, in seconds of Unix time; `UnusableError` otherwise."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UnusableError("shape") from error
    if found.tzinfo is None:
        raise UnusableError("shape")
    return found.timestamp()
