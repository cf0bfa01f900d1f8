"""The questions that the policy asks about an actor and a subject.

Each predicate has two faces. `ever` asks of the actor alone, "could this be true of any
subject?", and guards the route; `holds` asks of one subject, and guards the row.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.authz.actor import Actor, ActorKind, AgencyRole, TraderRole


class HasTrader(Protocol):
    """Anything that belongs to one trader."""

    @property
    def trader_id(self) -> uuid.UUID: ...


@dataclass(frozen=True, slots=True)
class Predicate:
    """One question with a name that reads as a sentence."""

    name: str
    ever: Callable[[Actor], bool]
    holds: Callable[[Actor, HasTrader], bool]


def _of_actor(name: str, question: Callable[[Actor], bool]) -> Predicate:
    """A predicate that does not depend on the subject."""
    return Predicate(name, question, lambda actor, _subject: question(actor))


def _has_role(role: TraderRole) -> Predicate:
    return Predicate(
        f"is {role} of the trader",
        lambda actor: role in actor.appointments.values(),
        lambda actor, subject: actor.appointments.get(subject.trader_id) is role,
    )


def _has_agency_role(role: AgencyRole) -> Predicate:
    return _of_actor(f"is {role} at the agency", lambda actor: role in actor.agency_roles)


def has_scope(scope: str) -> Predicate:
    """The actor is an API client whose token carries `scope`."""
    return Predicate(
        f"holds scope {scope}",
        lambda actor: actor.kind is ActorKind.CLIENT and scope in actor.scopes,
        lambda actor, subject: (
            actor.kind is ActorKind.CLIENT
            and scope in actor.scopes
            and (actor.trader_id is None or actor.trader_id == subject.trader_id)
        ),
    )


ANYONE = _of_actor("is anyone", lambda _actor: True)
IS_SIGNED_IN = _of_actor("is signed in", lambda actor: actor.kind is ActorKind.PERSON)
IS_NOT_AGENCY = _of_actor(
    "is a person outside the agency",
    lambda actor: actor.kind is ActorKind.PERSON and not actor.is_agency,
)
IS_OFFICER = _has_role(TraderRole.OFFICER)
IS_PREPARER = _has_role(TraderRole.PREPARER)
IS_CONSULTANT = _has_role(TraderRole.CONSULTANT)
IS_VIEWER = _has_role(TraderRole.VIEWER)
IS_DATA_ONLY = _has_role(TraderRole.DATA_ONLY)
IS_REVIEWER = _has_agency_role(AgencyRole.REVIEWER)
IS_SUPERVISOR = _has_agency_role(AgencyRole.SUPERVISOR)
IS_PROGRAMME_MANAGER = _has_agency_role(AgencyRole.PROGRAMME_MANAGER)
IS_AUDITOR = _has_agency_role(AgencyRole.AUDITOR)
