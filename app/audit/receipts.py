"""Receipts: one event with all that shows, without the portal, that it stands in the signed log.

The form is C2SP's tlog-proof. What the leaf is a hash of goes into its line `extra`, which the
form leaves to the application; `clients/verify_audit.py` binds each byte of it again.
"""

import base64
import json
import uuid
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.leaves import leaf_body, rows_of
from app.audit.models import AuditEvent, LogCheckpoint, LogLeaf
from app.audit.sealing import proof_of
from app.audit.tags import EventTag

FORMAT: Final = "fairway-receipt/1"
KIND: Final = AuditEvent.__tablename__


def newest_about(
    session: Session,
    trader_id: uuid.UUID,
    subjects: Collection[uuid.UUID],
    tags: Collection[EventTag],
) -> dict[uuid.UUID, AuditEvent]:
    """The newest event with one of `tags` about each subject of the trader; one statement."""
    found = session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.subject_id.in_(subjects),
            AuditEvent.trader_id == trader_id,
            AuditEvent.tag.in_([str(one) for one in tags]),
        )
        .order_by(AuditEvent.at, AuditEvent.id)
    )
    return {one.subject_id: one for one in found}


def sealed(session: Session, events: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these events a signed checkpoint covers already."""
    covered = (
        select(LogCheckpoint.size)
        .where(LogCheckpoint.size > LogLeaf.idx)
        .limit(1)
        .scalar_subquery()
    )
    return set(
        session.scalars(
            select(LogLeaf.event_id).where(LogLeaf.event_id.in_(events), covered.is_not(None))
        )
    )


def receipt_of(
    session: Session, event: AuditEvent, more: Mapping[str, object] | None = None
) -> str | None:
    """The receipt of an event as text; `None` while it waits for its checkpoint.

    It holds the event's leaf as it was sealed, so the actor's name only as a commitment, and of
    the rest of the log nothing but hashes. `more` is what else the leaf vouches for, as members
    that the verifier knows.
    """
    proof = proof_of(session, event.id)
    if proof is None:
        return None
    leaf = session.scalars(select(LogLeaf).where(LogLeaf.event_id == event.id)).one()
    row = rows_of(session, KIND, [event.id])[event.id]
    body = leaf_body(KIND, row, leaf.commitment).decode()
    told = canonical({"format": FORMAT, "body": body, **(more or {})})
    first, _, rest = proof.partition("\n")
    return f"{first}\nextra {base64.b64encode(told.encode()).decode()}\n{rest}"


def canonical(value: Mapping[str, object]) -> str:
    """JSON that can be written in one way only: names in order, no blanks."""
    return _CANONICAL.encode(value)


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
