"""What is read about successions. The agency alone reads them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.audit.models import SecurityEvent
from app.audit.tags import SecurityTag
from app.authz.permissions import Permission
from app.authz.policy import may
from app.identity.models import Person
from app.kernel.errors import NotFoundError
from app.successions.models import Succession
from app.successions.workflow import SuccessionState
from app.traders.models import Appointment, Trader
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Succession._state  # noqa: SLF001

OWNER_KIND = Succession.__tablename__


def visible_succession(work: Work, succession_id: uuid.UUID, permission: Permission) -> Succession:
    """The succession, when the actor holds the permission on it; else `NotFoundError`."""
    found = work.session.get(Succession, succession_id)
    if found is None or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def waiting(session: Session) -> Sequence[tuple[Succession, Trader]]:
    """What waits for its second signature, the longest wait first."""
    rows = session.execute(
        select(Succession, Trader)
        .join(Trader, Trader.id == Succession.trader_id)
        .where(STATE == SuccessionState.PROPOSED)
        .order_by(Succession.proposed_at, Succession.id)
    )
    return [(one, trader) for one, trader in rows]


def waiting_count(session: Session) -> int:
    """How many wait for their second signature."""
    return session.execute(
        select(func.count()).select_from(Succession).where(STATE == SuccessionState.PROPOSED)
    ).scalar_one()


def decided() -> Select[Succession]:
    """What has been decided, the newest first; for `paginate`."""
    return (
        select(Succession)
        .where(STATE != SuccessionState.PROPOSED)
        .order_by(Succession.proposed_at.desc(), Succession.id.desc())
    )


def traders_of(session: Session, found: Sequence[Succession]) -> Mapping[uuid.UUID, Trader]:
    """The traders of these, in one statement."""
    ids = {one.trader_id for one in found}
    return {one.id: one for one in session.scalars(select(Trader).where(Trader.id.in_(ids)))}


def open_at(session: Session, trader_id: uuid.UUID) -> Succession | None:
    """The one that waits for its second signature at this trader."""
    return session.scalars(
        select(Succession).where(
            Succession.trader_id == trader_id, STATE == SuccessionState.PROPOSED
        )
    ).one_or_none()


def leaving_people(session: Session, succession: Succession) -> Sequence[Person]:
    """The officers in whose place the new one comes, by name; also once they are relieved."""
    return session.scalars(
        select(Person)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(Appointment.id.in_(succession.leaving))
        .order_by(Person.name, Person.id)
    ).all()


def last_sign_ins(
    session: Session, person_ids: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, datetime]:
    """When each of these people last signed in; whoever never did is left out."""
    rows = session.execute(
        select(SecurityEvent.person_id, func.max(SecurityEvent.at))
        .where(
            SecurityEvent.person_id.in_(list(person_ids)),
            SecurityEvent.tag == SecurityTag.SIGNED_IN,
        )
        .group_by(SecurityEvent.person_id)
    )
    return {person_id: at for person_id, at in rows if person_id is not None}


def new_officer_stands(session: Session, succession: Succession) -> Appointment | None:
    """The appointment, or the invitation, that came of it."""
    if succession.appointment_id is None:
        return None
    return session.get(Appointment, succession.appointment_id)
