"""Determinations: who may see one, what waits for a second signature, what is overdue."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError
from app.register.models import Determination
from app.register.workflow import DeterminationState
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE: Final = Determination._state  # noqa: SLF001


def visible_determination(
    work: Work, determination_id: uuid.UUID, permission: Permission = Permission.CASE_VIEW
) -> Determination:
    """The determination, when the actor holds the permission on its trader; else `NotFoundError`."""
    found = work.session.get(Determination, determination_id)
    if found is None or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def determinations_open(session: Session) -> Sequence[Determination]:
    """Every determination that waits for its second signature, the longest-waiting first."""
    return session.scalars(
        select(Determination)
        .where(STATE.in_([DeterminationState.PROPOSED, DeterminationState.IN_FORCE]))
        .order_by(Determination.proposed_at, Determination.id)
    ).all()


def determinations_of(session: Session, trader_id: uuid.UUID) -> Sequence[Determination]:
    """Every determination on a trader, the newest first."""
    return session.scalars(
        select(Determination)
        .where(Determination.trader_id == trader_id)
        .order_by(Determination.proposed_at.desc(), Determination.id.desc())
    ).all()


def breaches(session: Session, now: datetime) -> Sequence[Determination]:
    """The urgent suspensions whose second signature is overdue; each stands all the same.

    Source: design, section 4: a supervisor sees the breach, nothing lapses by itself.
    """
    return session.scalars(
        select(Determination)
        .where(STATE == DeterminationState.IN_FORCE, Determination.countersign_due_at <= now)
        .order_by(Determination.countersign_due_at, Determination.id)
    ).all()
