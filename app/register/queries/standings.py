"""Standings of traders over time, as they are or were known."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from app.register.models import Determination, RegisterEntry
from app.register.programme import PROGRAMMES, Status
from app.register.rules import Standing
from app.register.standing import Ground, ProgrammeStanding, describe
from app.traders.models import Trader


def standing_of_entry(entry: RegisterEntry) -> Standing:
    """What an entry says, without the time over which it was known."""
    assert entry.valid.lower is not None  # noqa: S101 - the table's CHECK; for the type checker.
    return Standing(
        programme=entry.programme,
        status=Status(entry.status),
        tier=entry.tier,
        restrictions=tuple(entry.restrictions),
        effective_from=entry.valid.lower,
        effective_until=entry.valid.upper,
        reason_code=entry.reason_code,
        reason_text=entry.reason_text,
        determination_id=entry.determination_id,
    )


def _known(known_at: datetime | None) -> Any:  # noqa: ANN401 - a SQL condition.
    if known_at is None:
        return func.upper_inf(RegisterEntry.recorded)
    return RegisterEntry.recorded.contains(known_at)


def standings_of(
    session: Session,
    trader_id: uuid.UUID,
    *,
    valid_at: datetime,
    known_at: datetime | None = None,
) -> dict[str, Standing]:
    """The trader's standing at `valid_at` in each programme where it has one, as known then."""
    entries = session.scalars(
        select(RegisterEntry)
        .where(
            RegisterEntry.trader_id == trader_id,
            RegisterEntry.valid.contains(valid_at),
            _known(known_at),
        )
        .order_by(RegisterEntry.programme)
        .execution_options(populate_existing=True)
    )
    return {entry.programme: standing_of_entry(entry) for entry in entries}


def standing_of(
    session: Session,
    trader_id: uuid.UUID,
    programme: str,
    *,
    valid_at: datetime,
    known_at: datetime | None = None,
) -> Standing | None:
    """The trader's standing in one programme at `valid_at`; `None` when no entry is in force.

    `known_at` asks for what was known then; without it, for what is known now.
    """
    return standings_of(session, trader_id, valid_at=valid_at, known_at=known_at).get(programme)


def history_of(
    session: Session, trader_id: uuid.UUID, programme: str | None = None
) -> list[Standing]:
    """The trader's standings as they are now known, from the newest on; future ones come first."""
    statement = select(RegisterEntry).where(
        RegisterEntry.trader_id == trader_id, func.upper_inf(RegisterEntry.recorded)
    )
    if programme is not None:
        statement = statement.where(RegisterEntry.programme == programme)
    entries = session.scalars(
        statement.order_by(
            func.lower(RegisterEntry.valid).desc(), RegisterEntry.programme
        ).execution_options(populate_existing=True)
    )
    return [standing_of_entry(entry) for entry in entries]


def versions_of(session: Session, trader_id: uuid.UUID) -> Sequence[RegisterEntry]:
    """Every version ever recorded of the trader's entries, what is no longer believed included."""
    return session.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.trader_id == trader_id)
        .order_by(RegisterEntry.seq.desc(), func.lower(RegisterEntry.valid))
    ).all()


def partners(
    *,
    valid_at: datetime,
    programme: str | None = None,
    status: Status | None = None,
    name: str = "",
) -> Select[Trader, RegisterEntry]:
    """The console's list: each trader with an entry in force, ordered by name, ready to page.

    `name` filters by a part of the trader's name.
    """
    statement = (
        select(Trader, RegisterEntry)
        .join(RegisterEntry, RegisterEntry.trader_id == Trader.id)
        .where(RegisterEntry.valid.contains(valid_at), func.upper_inf(RegisterEntry.recorded))
        .order_by(Trader.name, Trader.id, RegisterEntry.programme)
    )
    if programme:
        statement = statement.where(RegisterEntry.programme == programme)
    if status:
        statement = statement.where(RegisterEntry.status == status)
    if name.strip():
        statement = statement.where(Trader.name.icontains(name.strip(), autoescape=True))
    return statement


def described(session: Session, trader_id: uuid.UUID, *, at: datetime) -> list[ProgrammeStanding]:
    """The trader's standing in every programme, in words; two statements, however many there are."""
    history = history_of(session, trader_id)
    rows = session.execute(
        select(Determination.id, Determination.move, Determination.reference).where(
            Determination.id.in_({one.determination_id for one in history})
        )
    )
    grounds: dict[object, Ground] = {row.id: Ground(row.move, row.reference) for row in rows}
    return [
        describe(programme, [one for one in history if one.programme == programme.id], grounds, at)
        for programme in PROGRAMMES.values()
    ]


def from_on(session: Session, trader_id: uuid.UUID, programme: str, at: datetime) -> list[Standing]:
    """The standings known now that are in force at `at` or begin later, in order of time."""
    entries = session.scalars(
        select(RegisterEntry)
        .where(
            RegisterEntry.trader_id == trader_id,
            RegisterEntry.programme == programme,
            func.upper_inf(RegisterEntry.recorded),
            RegisterEntry.valid.overlaps(Range(at, None)),
        )
        .order_by(func.lower(RegisterEntry.valid))
        .execution_options(populate_existing=True)
    )
    return [standing_of_entry(entry) for entry in entries]
