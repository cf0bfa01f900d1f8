"""What is read about traders. Row access: `visible_trader`, then `visible_row`."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Select, case, func, select, tuple_
from sqlalchemy.orm import Session

from app.authz.actor import Actor, ActorKind, TraderRole
from app.authz.permissions import Permission
from app.authz.policy import may
from app.identity.models import Person
from app.kernel.errors import NotFoundError, Problem
from app.kernel.identifiers import Identifier, Scheme, parse
from app.traders import rules
from app.traders.models import (
    Appointment,
    Bond,
    Contact,
    IdentifierConflict,
    Site,
    Trader,
    TraderIdentifier,
)
from app.traders.sealing import lookup_key
from app.traders.workflow import AppointmentState, ConflictState, IdentifierState
from app.work import Work

# The state columns are private so that only `app.work.move` writes them; reading them is free.
APPOINTMENT_STATE = Appointment._state  # noqa: SLF001
IDENTIFIER_STATE = TraderIdentifier._state  # noqa: SLF001
CONFLICT_STATE = IdentifierConflict._state  # noqa: SLF001

OfTrader = TypeVar("OfTrader", TraderIdentifier, Bond, Site, Contact, Appointment)


def appointments_of(session: Session, person_id: uuid.UUID) -> dict[uuid.UUID, TraderRole]:
    """The person's role at each trader now. Read in every request: an end takes effect at once."""
    rows = session.execute(
        select(Appointment.trader_id, Appointment.role).where(
            Appointment.person_id == person_id, APPOINTMENT_STATE == AppointmentState.ACTIVE
        )
    )
    return dict(rows.all())


def trader_named(session: Session, actor: Actor, trader_id: uuid.UUID) -> Trader | None:
    """The trader for whom the actor is acting; `None` when they have no role or grant there."""
    if trader_id not in actor.appointments and trader_id not in actor.grants:
        return None
    return session.get(Trader, trader_id)


def visible_trader(work: Work, trader_id: uuid.UUID, permission: Permission) -> Trader:
    """The trader, when the actor holds the permission there.

    `NotFoundError` for an absent trader and for one that is none of the actor's business alike.
    """
    trader = work.session.get(Trader, trader_id)
    if trader is None or not may(work.actor, permission, trader):
        raise NotFoundError
    return trader


def visible_row(
    work: Work,
    model: type[OfTrader],
    trader: Trader,
    row_id: uuid.UUID,
    *,
    even_removed: bool = False,
) -> OfTrader:
    """A row of a trader that is already known to be visible; `NotFoundError` for any other.

    What was removed is absent, unless `even_removed`: the second click on "Remove" must find what
    the first one removed. An ended appointment and a refused identifier are not absent.
    """
    row = work.session.get(model, row_id)
    if row is None or row.trader_id != trader.id:
        raise NotFoundError
    if getattr(row, "removed_at", None) is not None and not even_removed:
        raise NotFoundError
    return row


def traders_of(actor: Actor) -> Select[Trader]:
    """The traders at which the actor has a role, by name; for `paginate`."""
    return (
        select(Trader)
        .where(Trader.id.in_(list(actor.appointments)))
        .order_by(func.lower(Trader.name), Trader.id)
    )


def identifiers_of(session: Session, trader_id: uuid.UUID) -> list[TraderIdentifier]:
    """The trader's identifiers but those that it withdrew, in the order of the claims."""
    return list(
        session.scalars(
            select(TraderIdentifier)
            .where(
                TraderIdentifier.trader_id == trader_id,
                IDENTIFIER_STATE != IdentifierState.WITHDRAWN,
            )
            .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
        )
    )


def verified_identifiers(session: Session, trader_id: uuid.UUID) -> list[TraderIdentifier]:
    """Those of the trader's identifiers that the agency has verified."""
    return [
        one for one in identifiers_of(session, trader_id) if one.state == IdentifierState.VERIFIED
    ]


def traders_holding(session: Session, scheme: Scheme, value: str) -> list[uuid.UUID]:
    """The ids of the traders that hold the identifier verified: none, one, or after a take-on more.

    `MalformedIdentifierError` when the value is not of the scheme.
    """
    identifier = parse(scheme, value)
    return holders(session, [identifier])[identifier]


def holders(
    session: Session, identifiers: Iterable[Identifier]
) -> dict[Identifier, list[uuid.UUID]]:
    """For each identifier the traders that hold it verified, in one statement.

    Every given identifier is a key of the answer. Two traders share one only after a take-on,
    until a reviewer has resolved the conflict; whoever answers for it then answers "not active".
    """
    wanted = {(one.scheme.value, lookup_key(one)): one for one in identifiers}
    found: dict[Identifier, list[uuid.UUID]] = {one: [] for one in wanted.values()}
    if not wanted:
        return found
    rows = session.execute(
        select(TraderIdentifier.scheme, TraderIdentifier.lookup_key, TraderIdentifier.trader_id)
        .where(
            tuple_(TraderIdentifier.scheme, TraderIdentifier.lookup_key).in_(list(wanted)),
            IDENTIFIER_STATE == IdentifierState.VERIFIED,
        )
        .order_by(TraderIdentifier.trader_id)
    )
    for scheme, key, trader_id in rows:
        found[wanted[scheme.value, key]].append(trader_id)
    return found


def open_conflict_over(session: Session, identifier: TraderIdentifier) -> IdentifierConflict | None:
    """The open conflict over the value of this identifier."""
    return session.scalars(
        select(IdentifierConflict).where(
            IdentifierConflict.scheme == identifier.scheme,
            IdentifierConflict.lookup_key == identifier.lookup_key,
            CONFLICT_STATE == ConflictState.OPEN,
        )
    ).one_or_none()


def open_conflicts() -> Select[IdentifierConflict]:
    """Open conflicts for the agency, oldest first; for `paginate`."""
    return (
        select(IdentifierConflict)
        .where(CONFLICT_STATE == ConflictState.OPEN)
        .order_by(IdentifierConflict.opened_at, IdentifierConflict.id)
    )


def conflict(session: Session, conflict_id: uuid.UUID) -> IdentifierConflict:
    """One conflict, for the agency; `NotFoundError` when there is none."""
    found = session.get(IdentifierConflict, conflict_id)
    if found is None:
        raise NotFoundError
    return found


def claims_in(session: Session, found: IdentifierConflict) -> list[tuple[TraderIdentifier, Trader]]:
    """The live claims in a conflict with their traders, oldest first; for the agency only."""
    rows = session.execute(
        select(TraderIdentifier, Trader)
        .join(Trader, Trader.id == TraderIdentifier.trader_id)
        .where(
            TraderIdentifier.scheme == found.scheme,
            TraderIdentifier.lookup_key == found.lookup_key,
            IDENTIFIER_STATE.in_((IdentifierState.CLAIMED, IdentifierState.VERIFIED)),
        )
        .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
    )
    return list(rows.all())


def bonds_of(session: Session, trader_id: uuid.UUID) -> list[Bond]:
    """The trader's bonds, the newest first."""
    return list(
        session.scalars(
            select(Bond)
            .where(Bond.trader_id == trader_id)
            .order_by(Bond.valid_from.desc(), Bond.id)
        )
    )


def sites_of(trader_id: uuid.UUID) -> Select[Site]:
    """The trader's sites by name; for `paginate` or `session.scalars`."""
    return (
        select(Site)
        .where(Site.trader_id == trader_id, Site.removed_at.is_(None))
        .order_by(func.lower(Site.name), Site.id)
    )


def contacts_of(trader_id: uuid.UUID) -> Select[Contact]:
    """The trader's contacts, the primary one first; for `paginate` or `session.scalars`."""
    return (
        select(Contact)
        .where(Contact.trader_id == trader_id, Contact.removed_at.is_(None))
        .order_by(Contact.is_primary.desc(), func.lower(Contact.name), Contact.id)
    )


def profile_facts(session: Session, trader: Trader) -> rules.ProfileFacts:
    """What the profile holds, for `rules.profile_gaps`."""
    schemes = {
        one.scheme
        for one in identifiers_of(session, trader.id)
        if one.state != IdentifierState.REFUSED
    }
    sites, primary = session.execute(
        select(
            _count(sites_of(trader.id)),
            _count(contacts_of(trader.id).where(Contact.is_primary)),
        )
    ).one()
    return rules.ProfileFacts(
        entity_type=trader.entity_type,
        country=trader.country,
        address_line=trader.address_line,
        city=trader.city,
        office_country=trader.office_country,
        schemes=schemes,
        bonds=bonds_of(session, trader.id),
        sites=sites,
        primary_contacts=primary,
    )


def profile_gaps_of(session: Session, trader: Trader, on: date) -> list[Problem]:
    """What an application still needs from the trader's profile; see `rules.profile_gaps`."""
    return rules.profile_gaps(profile_facts(session, trader), on)


def _count(statement: Select[Any]) -> Any:  # noqa: ANN401 - a scalar subquery.
    return select(func.count()).select_from(statement.order_by(None).subquery()).scalar_subquery()


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """One line of the people page: a person with a role, or an open or lapsed invitation.

    `name` is empty for an invitation; `since` is the start, or the day of the invitation.
    """

    appointment: Appointment
    name: str
    email: str
    since: datetime | None
    invited: bool
    lapsed: bool


def appointments(trader_id: uuid.UUID) -> Select[Any]:
    """Appointments and invitations of a trader that have not ended: people first, by name.

    Selects `(Appointment, Person or None)`; for `paginate`.
    """
    statement = (
        select(Appointment, Person)
        .outerjoin(Person, Person.id == Appointment.person_id)
        .where(Appointment.trader_id == trader_id, APPOINTMENT_STATE != AppointmentState.ENDED)
        .order_by(
            case((APPOINTMENT_STATE == AppointmentState.ACTIVE, 0), else_=1),
            func.lower(func.coalesce(Person.name, Appointment.invited_email)),
            Appointment.id,
        )
    )
    return cast("Select[Any]", statement)


def appointment_rows(
    found: Iterable[tuple[Appointment, Person | None]], now: datetime
) -> list[AppointmentRow]:
    """The rows of `appointments` as the people page shows them."""
    return [
        AppointmentRow(
            appointment=appointment,
            name="" if person is None else person.name,
            email=(appointment.invited_email or "") if person is None else person.email,
            since=appointment.invited_at if person is None else appointment.started_at,
            invited=person is None,
            lapsed=person is None and rules.invitation_lapsed(appointment.expires_at, now),
        )
        for appointment, person in found
    ]


def person_at(session: Session, appointment: Appointment) -> Person | None:
    """The person who holds the appointment; `None` for an invitation."""
    if appointment.person_id is None:
        return None
    return session.get(Person, appointment.person_id)


def has_role(session: Session, trader_id: uuid.UUID, email: str) -> bool:
    """Whether the person with that mail address acts for the trader now."""
    return (
        session.scalars(
            select(Appointment.id)
            .join(Person, Person.id == Appointment.person_id)
            .where(
                Appointment.trader_id == trader_id,
                APPOINTMENT_STATE == AppointmentState.ACTIVE,
                Person.email == email,
            )
        ).first()
        is not None
    )


def invitation_to(session: Session, trader_id: uuid.UUID, email: str) -> Appointment | None:
    """The invitation of that address, open or lapsed, which nobody has accepted or ended."""
    return session.scalars(
        select(Appointment).where(
            Appointment.trader_id == trader_id,
            Appointment.invited_email == email,
            APPOINTMENT_STATE == AppointmentState.INVITED,
        )
    ).one_or_none()


def invitations_since(session: Session, trader_id: uuid.UUID, since: datetime) -> int:
    """How many invitations the trader has sent after `since`, whatever became of them."""
    return session.execute(
        select(func.count())
        .select_from(Appointment)
        .where(Appointment.trader_id == trader_id, Appointment.invited_at > since)
    ).scalar_one()


def invitations_of(work: Work) -> list[tuple[Appointment, Trader]]:
    """The open invitations to the actor's own address, the newest first.

    They let a person who has just signed up go on without the letter. The token stays secret.
    """
    if work.actor.is_agency or not work.actor.email:
        return []
    rows = work.session.execute(
        select(Appointment, Trader)
        .join(Trader, Trader.id == Appointment.trader_id)
        .where(
            Appointment.invited_email == work.actor.email.lower(),
            APPOINTMENT_STATE == AppointmentState.INVITED,
            Appointment.expires_at > work.now,
        )
        .order_by(Appointment.invited_at.desc())
    )
    return [(appointment, trader) for appointment, trader in rows]


def own_invitation(work: Work, appointment_id: uuid.UUID) -> tuple[Appointment, Trader]:
    """One of `invitations_of`; `NotFoundError` for any other, and once it is no longer open."""
    for found in invitations_of(work):
        if found[0].id == appointment_id:
            return found
    raise NotFoundError


def token_hash(token: str) -> str:
    """What is stored of an invitation's token, which carries 256 bits of chance."""
    return hashlib.sha256(token.encode()).hexdigest()


def invitation(session: Session, token: str) -> tuple[Appointment, Trader]:
    """The invitation that a link opens, in whatever state; `NotFoundError` for any other token."""
    found = session.execute(
        select(Appointment, Trader)
        .join(Trader, Trader.id == Appointment.trader_id)
        .where(Appointment.token_hash == token_hash(token))
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return found[0], found[1]


def invitation_stage(work: Work, found: Appointment) -> rules.InvitationStage:
    """What the actor can do with the invitation."""
    active = found.state == AppointmentState.ACTIVE
    return rules.invitation_stage(
        rules.InvitationFacts(
            invited=found.state == AppointmentState.INVITED,
            lapsed=rules.invitation_lapsed(found.expires_at, work.now),
            accepted_by_visitor=active and found.person_id == work.actor.person_id,
            invited_email=found.invited_email or "",
            visitor_email=work.actor.email.lower(),
            visitor_signed_in=work.actor.kind is ActorKind.PERSON,
            visitor_at_agency=work.actor.is_agency,
        )
    )
