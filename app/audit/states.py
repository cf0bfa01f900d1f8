"""How the log fares: what was signed last, what is cosigned, and what is wrong with it.

Not evidence: these rows tell the sealer and the probes; what proves anything is signed.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit.models import LogCheckpoint, LogCosignature, LogPending, LogState
from app.audit.notes import Verifier

SEAL: Final = "seal"
STOPPED: Final = "stopped"
"""Why the sealer signs nothing: the log denies what was signed before."""
DENIED: Final = "denied"
"""What a witness has against the log itself: nothing is signed until somebody has looked."""
LATE: Final = "late"
"""What keeps a cosignature away for now: asked again each second."""


def witness_part(name: str) -> str:
    """The name under which the state of a witness is kept."""
    return f"witness:{name}"


def newest_of(session: Session, log: Verifier) -> LogCheckpoint | None:
    """The newest checkpoint of this key."""
    return session.scalars(
        select(LogCheckpoint)
        .where(LogCheckpoint.note.startswith(f"{log.name}\n", autoescape=True))
        .order_by(LogCheckpoint.size.desc())
        .limit(1)
    ).one_or_none()


def cosigned_size(session: Session, log: Verifier, witness: str) -> int:
    """The size of the newest checkpoint of this key that the witness has cosigned, else 0."""
    return (
        session.scalar(
            select(func.max(LogCosignature.size)).where(
                LogCosignature.origin == log.name, LogCosignature.witness == witness
            )
        )
        or 0
    )


def tell(
    session: Session, log: Verifier, part: str, kind: str | None, said: str, *, now: datetime
) -> None:
    """Store what is wrong with a part of the log, or that nothing is; `at` is since when."""
    # Two workers may be the first to say something of the same part.
    session.execute(
        insert(LogState)
        .values(origin=log.name, part=part, at=now, trouble=kind, said=said)
        .on_conflict_do_nothing()
    )
    row = session.get_one(LogState, (log.name, part))
    if (row.trouble, row.said) != (kind, said):
        row.at = row.at if row.trouble == kind else now
        row.trouble, row.said = kind, said


def denials(session: Session, log: Verifier) -> list[str]:
    """What witnesses have against this log."""
    return [
        f"{row.part.removeprefix('witness:')}: {row.said}"
        for row in session.scalars(
            select(LogState)
            .where(LogState.origin == log.name, LogState.trouble == DENIED)
            .order_by(LogState.part)
        )
    ]


def troubles(session: Session) -> Sequence[LogState]:
    """What is wrong with the log whose checkpoint is the newest."""
    newest = session.scalar(select(LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1))
    return session.scalars(
        select(LogState)
        .where(LogState.trouble.is_not(None))
        .where(LogState.origin == (newest or "").partition("\n")[0])
        .order_by(LogState.part)
    ).all()


def waits_since(session: Session) -> datetime | None:
    """When the oldest event came into being that is not sealed yet; its id tells (UUIDv7)."""
    oldest = session.scalar(select(LogPending.event_id).order_by(LogPending.event_id).limit(1))
    return None if oldest is None else made_at(oldest)


def made_at(event_id: uuid.UUID) -> datetime:
    """The millisecond in which an id of ours was made."""
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)


def cosignatures(session: Session, least: int, most: int) -> dict[int, str]:
    """The cosignature lines of checkpoints from one size to another, to be put behind their notes."""
    found: dict[int, str] = {}
    for one in session.scalars(
        select(LogCosignature)
        .where(LogCosignature.size.between(least, most))
        .order_by(LogCosignature.size, LogCosignature.witness)
    ):
        found[one.size] = found.get(one.size, "") + one.line
    return found
