"""Who has which role at a trader, and who is invited to one."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from app.authz.actor import ActorKind, TraderRole
from app.identity.models import Person
from app.kernel.errors import NotFoundError
from app.traders import rules
from app.traders.models import (
    Appointment,
    Trader,
)
from app.traders.workflow import AppointmentState
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
APPOINTMENT_STATE = Appointment._state  # noqa: SLF001


def appointments_of(session: Session, person_id: uuid.UUID) -> dict[uuid.UUID, TraderRole]:
    """The person's role at each trader now. Read in every request: an end takes effect at once."""
    rows = session.execute(
        select(Appointment.trader_id, Appointment.role).where(
            Appointment.person_id == person_id, APPOINTMENT_STATE == AppointmentState.ACTIVE
        )
    )
    return dict(rows.all())


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


def officers_of(session: Session, trader_id: uuid.UUID) -> Sequence[Person]:
    """The people who may sign and submit for the trader, by name."""
    return session.scalars(
        select(Person)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(
            Appointment.trader_id == trader_id,
            Appointment.role == TraderRole.OFFICER,
            APPOINTMENT_STATE == AppointmentState.ACTIVE,
            Person.ended_at.is_(None),
        )
        .order_by(Person.name, Person.id)
    ).all()


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


def appointment_of(session: Session, trader_id: uuid.UUID, email: str) -> Appointment | None:
    """The role at the trader that the person with that mail address has now."""
    return session.scalars(
        select(Appointment)
        .join(Person, Person.id == Appointment.person_id)
        .where(
            Appointment.trader_id == trader_id,
            APPOINTMENT_STATE == AppointmentState.ACTIVE,
            Person.email == email,
        )
    ).one_or_none()


def officer_appointments(
    session: Session, trader_id: uuid.UUID
) -> Sequence[tuple[Appointment, Person]]:
    """Every officer's appointment, also of people whose access has ended, by name."""
    rows = session.execute(
        select(Appointment, Person)
        .join(Person, Person.id == Appointment.person_id)
        .where(
            Appointment.trader_id == trader_id,
            Appointment.role == TraderRole.OFFICER,
            APPOINTMENT_STATE == AppointmentState.ACTIVE,
        )
        .order_by(Person.name, Person.id)
    )
    return [(appointment, person) for appointment, person in rows]


def held_by(session: Session, person_id: uuid.UUID) -> Sequence[Appointment]:
    """The roles that a person holds now, whatever the trader."""
    return session.scalars(
        select(Appointment)
        .where(Appointment.person_id == person_id, APPOINTMENT_STATE == AppointmentState.ACTIVE)
        .order_by(Appointment.trader_id)
    ).all()


def invitations_sent_by(
    session: Session, trader_id: uuid.UUID, person_id: uuid.UUID
) -> Sequence[Appointment]:
    """The invitations of a trader that the person has sent and nobody has accepted or ended."""
    return session.scalars(
        select(Appointment)
        .where(
            Appointment.trader_id == trader_id,
            Appointment.invited_by == person_id,
            APPOINTMENT_STATE == AppointmentState.INVITED,
        )
        .order_by(Appointment.id)
    ).all()


def people_with(
    session: Session, trader_id: uuid.UUID, roles: Iterable[TraderRole]
) -> Sequence[Person]:
    """The people who have one of these roles at the trader, by name."""
    return session.scalars(
        select(Person)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(
            Appointment.trader_id == trader_id,
            Appointment.role.in_(list(roles)),
            APPOINTMENT_STATE == AppointmentState.ACTIVE,
            Person.ended_at.is_(None),
        )
        .order_by(Person.name, Person.id)
    ).all()


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
