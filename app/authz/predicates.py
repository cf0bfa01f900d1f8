"""The questions that the policy asks about an actor and a subject.

Each predicate has two faces. `ever` asks of the actor alone, "could this be true of any
subject?", and guards the route; `holds` asks of one subject, and guards the row.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.authz.actor import Actor, ActorKind, AgencyRole, DelegationScope, Grant, TraderRole


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


def acts_under(
    scope: DelegationScope,
    *roles: TraderRole,
    api_scope: str = "",
    own_work: bool = False,
) -> Predicate:
    """The actor acts under a delegation in force that names `scope`.

    A person needs one of `roles` at the broker, a broker's API client a token with `api_scope`.
    With `own_work` a thing that says through whom it came must have come through that broker, so
    that no broker sees another's work for the same trader.
    """

    def carries(actor: Actor, grant: Grant | None) -> bool:
        if grant is None or scope not in grant.scopes:
            return False
        if actor.kind is ActorKind.CLIENT:
            return bool(api_scope) and api_scope in actor.scopes
        return actor.kind is ActorKind.PERSON and grant.role in roles

    def holds(actor: Actor, subject: HasTrader) -> bool:
        grant = actor.grants.get(subject.trader_id)
        if grant is None or not carries(actor, grant):
            return False
        # A trader itself came through nobody; only a row of work has the attribute.
        return not own_work or getattr(subject, "acting_trader_id", grant.broker_id) == (
            grant.broker_id
        )

    return Predicate(
        f"acts under a delegation that names {scope}",
        lambda actor: any(carries(actor, grant) for grant in actor.grants.values()),
        holds,
    )


ANYONE = _of_actor("is anyone", lambda _actor: True)
IS_SIGNED_IN = _of_actor("is signed in", lambda actor: actor.kind is ActorKind.PERSON)
IS_HALF_SIGNED_IN = _of_actor(
    "has given one proof of two", lambda actor: actor.kind is ActorKind.HALF
)
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
