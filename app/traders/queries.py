"""What is read about traders. Row access: `visible_trader`; foreign and absent look the same."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.authz.actor import Actor, TraderRole
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError
from app.traders.models import Appointment, Trader
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
    return dict(rows.tuples().all())


def trader_named(session: Session, actor: Actor, trader_id: uuid.UUID) -> Trader | None:
    """The trader for whom the actor is acting; `None` when the actor has no role there."""
    if trader_id not in actor.appointments:
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
