"""Writing the bitemporal ledger: the sequencer, and laying a span of time over what is known."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Session

from app.register.models import RegisterChange, RegisterEntry
from app.register.rules import Outcome


class ChangeKind(StrEnum):
    """What kind of change moved the sequencer."""

    STANDING = "standing"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the sequencer, taken by this transaction: see `RegisterChange`."""

    seq: int
    trader_id: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why an entry says what it says."""

    reason_code: str
    reason_text: str
    determination_id: uuid.UUID


_STEP = text(
    "INSERT INTO register_sequencer (id, last, at) VALUES (1, 1, :now)"
    " ON CONFLICT (id) DO UPDATE SET last = register_sequencer.last + 1,"
    " at = greatest(:now, register_sequencer.at + interval '1 microsecond')"
    " RETURNING last, at"
)


def next_change(session: Session, trader_id: uuid.UUID, kind: ChangeKind, now: datetime) -> Change:
    """Take the next number, and with it the lock that every other change waits for.

    The lock lasts until the transaction ends, so numbers are dense and in commit order, and what
    is read after this call is what the change before has left. `at` is `now`, or a microsecond
    after the change before when clocks disagree.
    """
    seq, at = session.execute(_STEP, {"now": now}).one()
    session.execute(
        insert(RegisterChange),
        {"seq": seq, "trader_id": trader_id, "kind": kind.value, "at": at},
    )
    return Change(seq, trader_id, at)


def known_now(
    session: Session, trader_id: uuid.UUID, programme: str, span: Range[datetime]
) -> Sequence[RegisterEntry]:
    """The entries that are now known to be valid at some time in `span`, in order of time."""
    return session.scalars(
        select(RegisterEntry)
        .where(
            RegisterEntry.trader_id == trader_id,
            RegisterEntry.programme == programme,
            func.upper_inf(RegisterEntry.recorded),
            RegisterEntry.valid.op("&&")(func.tstzrange(span.lower, span.upper, "[)")),
        )
        .order_by(func.lower(RegisterEntry.valid))
        .execution_options(populate_existing=True)
    ).all()


def lay(
    session: Session,
    change: Change,
    *,
    programme: str,
    span: Range[datetime],
    outcome: Outcome,
    grounds: Grounds,
    new_id: Callable[[], uuid.UUID],
) -> uuid.UUID:
    """Record that `outcome` holds over `span`, whatever was known of that time before.

    In this order: what was known of `span` ceases to be known at `change.at`; the parts of it
    that reach beyond `span` are recorded again, cut to what is left, with their own grounds; the
    new entry is recorded. One change lays one span. Returns the new entry's id.
    """
    covered = known_now(session, change.trader_id, programme, span)
    if covered:
        session.execute(
            update(RegisterEntry)
            .where(RegisterEntry.id.in_([entry.id for entry in covered]))
            .values(
                recorded=func.tstzrange(
                    func.lower(RegisterEntry.recorded), change.at, "[)", type_=TSTZRANGE
                )
            ),
            execution_options={"synchronize_session": False},
        )
    entry_id = new_id()
    row = {
        "id": entry_id,
        "trader_id": change.trader_id,
        "programme": programme,
        "status": outcome.status.value,
        "tier": outcome.tier,
        "restrictions": list(outcome.restrictions),
        "reason_code": grounds.reason_code,
        "reason_text": grounds.reason_text,
        "valid": span,
        "recorded": Range(change.at, None),
        "determination_id": grounds.determination_id,
        "seq": change.seq,
    }
    left = [
        {
            **{name: getattr(entry, name) for name in row},
            "id": new_id(),
            "valid": piece,
            "recorded": row["recorded"],
            "seq": change.seq,
        }
        for entry in covered
        for piece in _beyond(entry.valid, span)
    ]
    session.execute(insert(RegisterEntry), [*left, row])
    for entry in covered:
        session.expire(entry)
    return entry_id


def _beyond(whole: Range[datetime], span: Range[datetime]) -> list[Range[datetime]]:
    """The parts of `whole` before and after `span`, as far as there are any."""
    found = []
    assert whole.lower is not None  # noqa: S101 - the table's CHECK; said for the type checker.
    assert span.lower is not None  # noqa: S101 - every caller gives a start; said likewise.
    if whole.lower < span.lower:
        found.append(Range(whole.lower, span.lower))
    if span.upper is not None and (whole.upper is None or whole.upper > span.upper):
        found.append(Range(span.upper, whole.upper))
    return found
