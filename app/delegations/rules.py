"""What may be agreed, and how a delegation stands: pure decisions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.authz.actor import DelegationScope
from app.delegations.workflow import DelegationState, Side
from app.kernel.errors import Problem

LONGEST: Final = timedelta(days=2 * 366)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed: from the beginning of `first_day` to the end of `last_day`, in UTC.

    `sites` are the ids of the sites that it is limited to; none means all of them.
    """

    scopes: frozenset[DelegationScope]
    first_day: date
    last_day: date
    sites: frozenset[UUID] = frozenset()

    @property
    def begins(self) -> datetime:
        return _midnight(self.first_day)

    @property
    def ends(self) -> datetime:
        """The instant at which it is over."""
        return _midnight(self.last_day) + timedelta(days=1)


def term_problems(terms: Terms, now: datetime) -> list[Problem]:
    """Why these terms cannot be proposed; empty when they can."""
    problems = []
    if not terms.scopes:
        problems.append(Problem("Choose at least one thing that the broker may do.", "scopes"))
    if terms.sites and terms.scopes != {DelegationScope.SUBMIT}:
        problems.append(
            Problem(
                "Only filing can be limited to sites. Everything else concerns the company as a"
                " whole: offer it by itself, for all sites.",
                "sites",
            )
        )
    if terms.ends <= terms.begins or terms.ends <= now:
        problems.append(Problem("The last day lies before the first, or in the past.", "last_day"))
    elif terms.ends - terms.begins > LONGEST:
        problems.append(Problem("A delegation lasts two years at most.", "last_day"))
    return problems


def site_name(name: str) -> str:
    """A site's name as it is compared: small letters, single blanks; `fairway_site_name` in SQL."""
    return " ".join(name.split()).lower()


class Stage(StrEnum):
    """How a delegation stands now: its state, and what its dates make of it."""

    OFFERED = "offered"
    """The trader has proposed it, and the broker has not answered."""
    ASKED = "asked"
    """The broker has proposed it, and the trader has not answered."""
    UNANSWERED = "unanswered"
    """Its last day passed without an answer."""
    COMING = "coming"
    """Agreed, and its first day is to come."""
    LIVE = "live"
    OVER = "over"
    DECLINED = "declined"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the stage depends on."""

    state: str
    proposed_side: Side
    valid_from: datetime
    valid_until: datetime


def stage_of(facts: Facts, now: datetime) -> Stage:
    """The stage at the instant `now`."""
    match facts.state:
        case DelegationState.DECLINED:
            return Stage.DECLINED
        case DelegationState.REVOKED:
            return Stage.REVOKED
        case DelegationState.PROPOSED if facts.valid_until <= now:
            return Stage.UNANSWERED
        case DelegationState.PROPOSED:
            return Stage.OFFERED if facts.proposed_side is Side.TRADER else Stage.ASKED
        case _ if facts.valid_until <= now:
            return Stage.OVER
    return Stage.COMING if facts.valid_from > now else Stage.LIVE


TURN: Final = {Stage.OFFERED: Side.BROKER, Stage.ASKED: Side.TRADER}
"""Who has to answer."""


def may_answer(stage: Stage, side: Side) -> bool:
    """Whether that side may accept or decline."""
    return TURN.get(stage) is side


def may_end(stage: Stage, side: Side) -> bool:
    """Whether that side may end it: an agreed one either, an open one whoever proposed it."""
    if stage in {Stage.LIVE, Stage.COMING}:
        return True
    return stage in TURN and TURN[stage] is not side


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
