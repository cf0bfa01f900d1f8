"""What is read about advance data. Foreign and absent look the same."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Function, Row, Select, false, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from app.advance_data.kinds import kinds_of
from app.advance_data.lists import ListKind
from app.advance_data.models import Batch, BatchQuality, Filing, FilingFault, ReferenceList
from app.advance_data.rows import Action
from app.advance_data.workflow import BatchState
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Batch._state  # noqa: SLF001

QUALITY_DAYS = 90
QUALITY_BATCHES = 20
WORST = 5
BLOCK = 1000


class Standing(StrEnum):
    """How a filing stands among those of its reference."""

    CURRENT = "current"
    REPLACED = "replaced"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FaultFilter:
    """Which faults of a batch are wanted; an empty text means all."""

    code: str = ""
    field: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """The same fault in many rows."""

    code: str
    field: str
    severity: str
    message: str
    rows: int


@dataclass(frozen=True, slots=True)
class Quality:
    """A trader's files of the last 90 days in figures; `worst` counts over the newest of them."""

    batches: int
    read: int
    accepted: int
    rejected: int
    warnings: int
    worst: Sequence[FaultGroup]


def newest_lists(session: Session) -> dict[ListKind, ReferenceList]:
    """The list in use of each kind that was loaded, without its codes."""
    newest = (
        select(ReferenceList)
        .ext(distinct_on(ReferenceList.kind))
        .order_by(ReferenceList.kind, ReferenceList.loaded_at.desc(), ReferenceList.id.desc())
    )
    return {ListKind(one.kind): one for one in session.scalars(newest)}


def visible_batch(work: Work, batch_id: uuid.UUID, permission: Permission) -> Batch:
    """The batch, when the actor holds the permission on it; `NotFoundError` otherwise."""
    batch = work.session.get(Batch, batch_id)
    if batch is None or not may(work.actor, permission, batch):
        raise NotFoundError
    return batch


def visible_filing(work: Work, filing_id: uuid.UUID, permission: Permission) -> Filing:
    """The filing, when the actor holds the permission on it; `NotFoundError` otherwise."""
    filing = work.session.get(Filing, filing_id)
    if filing is None or not may(work.actor, permission, filing):
        raise NotFoundError
    return filing


@dataclass(frozen=True, slots=True)
class _CameThrough:
    """Something of the trader that came through a broker, or nobody, as the policy asks about it."""

    trader_id: uuid.UUID
    acting_trader_id: uuid.UUID | None


def seen_by(
    work: Work, model: type[Batch] | type[Filing], trader_id: uuid.UUID
) -> ColumnElement[bool]:
    """Which of the trader's rows a list may show: all, or only those of the actor's own broker.

    It asks the policy the same question as `visible_batch` and `visible_filing` do of one row.
    """
    of_trader = model.trader_id == trader_id
    if may(work.actor, Permission.FILING_VIEW, _CameThrough(trader_id, None)):
        return of_trader
    grant = work.actor.grants.get(trader_id)
    if grant is None or not may(
        work.actor, Permission.FILING_VIEW, _CameThrough(trader_id, grant.broker_id)
    ):
        return false()
    return of_trader & (model.acting_trader_id == grant.broker_id)


def batches_of(work: Work, trader_id: uuid.UUID) -> Select[Batch]:
    """The trader's batches that the actor may see, the newest first; for `paginate`.

    Not the corrections of single rows, which are shown with their file.
    """
    return (
        select(Batch)
        .where(seen_by(work, Batch, trader_id), Batch.corrects_row.is_(None))
        .order_by(Batch.received_at.desc(), Batch.id.desc())
    )


def still_open(session: Session, batches: Iterable[Batch]) -> dict[uuid.UUID, int]:
    """How many rows of each batch are not filed, as they were last counted; one statement.

    A batch that was not counted yet has all that it rejected.
    """
    found = {one.id: one.rejected for one in batches}
    counted = session.execute(
        select(BatchQuality.batch_id, BatchQuality.figures["open"].as_integer()).where(
            BatchQuality.batch_id.in_(found)
        )
    )
    return {**found, **{one[0]: one[1] for one in counted}}


def quality_of(work: Work, trader_id: uuid.UUID) -> Quality:
    """The figures of the batches that the actor may see, in two statements."""
    session = work.session
    recent = (
        seen_by(work, Batch, trader_id),
        Batch.received_at > work.now - timedelta(days=QUALITY_DAYS),
        STATE == BatchState.DONE,
    )
    figures = session.execute(
        select(
            func.count(),
            func.sum(Batch.read),
            func.sum(Batch.accepted),
            func.sum(Batch.rejected),
            func.sum(Batch.warnings),
        ).where(*recent)
    ).one()
    newest = (
        select(Batch.id)
        .where(*recent)
        .order_by(Batch.received_at.desc(), Batch.id.desc())
        .limit(QUALITY_BATCHES)
    )
    worst = (
        _grouped(func.count())
        .where(FilingFault.batch_id.in_(newest), FilingFault.severity == "error")
        .limit(WORST)
    )
    groups = [FaultGroup(*row) for row in session.execute(worst)]
    count, read, accepted, rejected, warnings = (int(figure or 0) for figure in figures)
    return Quality(count, read, accepted, rejected, warnings, tuple(groups))


def _grouped(count: Function[int]) -> Select[str, str, str, str, int]:
    kind = (FilingFault.code, FilingFault.field, FilingFault.severity, FilingFault.message)
    return (
        select(*kind, count)
        .group_by(*kind)
        .order_by(FilingFault.severity, count.desc(), FilingFault.code, FilingFault.field)
    )


def faults_of(batch_id: uuid.UUID, wanted: FaultFilter | None = None) -> Select[FilingFault]:
    """The batch's faults in the order of the file; for `paginate`."""
    statement = (
        select(FilingFault).where(FilingFault.batch_id == batch_id).order_by(FilingFault.position)
    )
    if wanted is not None:
        for column, value in (
            (FilingFault.code, wanted.code),
            (FilingFault.field, wanted.field),
            (FilingFault.severity, wanted.severity),
        ):
            if value:
                statement = statement.where(column == value)
    return statement


def faults_from(
    session: Session, batch: Batch, wanted: FaultFilter, *, first: int, limit: int
) -> Sequence[FilingFault]:
    """Up to `limit` of the faults that are wanted, without the first ones."""
    statement = faults_of(batch.id, wanted)
    if wanted == FaultFilter():
        # Positions are dense, so of all faults none has to be passed over.
        statement = statement.where(FilingFault.position >= first)
    else:
        statement = statement.offset(first)
    return session.scalars(statement.limit(limit)).all()


def faults_wanted(batch: Batch, wanted: FaultFilter) -> int:
    """How many faults of a batch are wanted; none is counted, since the batch keeps the numbers."""
    return sum(
        one.faults
        for one in kinds_of(batch.kinds)
        if wanted.code in {"", one.code}
        and wanted.field in {"", one.field}
        and wanted.severity in {"", one.severity}
    )


def faults_after(
    session: Session, batch_id: uuid.UUID, *, after: int, limit: int
) -> tuple[Sequence[FilingFault], int | None]:
    """Up to `limit` faults from position `after` on, and the position to go on from, if any."""
    found = session.scalars(
        faults_of(batch_id).where(FilingFault.position >= after).limit(limit + 1)
    ).all()
    more = found[limit].position if len(found) > limit else None
    return found[:limit], more


def faults_of_row(session: Session, filing: Filing) -> Sequence[FilingFault]:
    """What was remarked about the row that became this filing."""
    return session.scalars(
        faults_of(filing.batch_id).where(FilingFault.file_row == filing.file_row)
    ).all()


def every_fault(session: Session, batch_id: uuid.UUID) -> Iterator[FilingFault]:
    """All faults of a batch in the order of the file, a block at a time."""
    statement = faults_of(batch_id).execution_options(yield_per=BLOCK)
    for block in session.scalars(statement).partitions():
        for fault in block:
            # One by one: dropping all of them would drop the map that the statement still fills.
            session.expunge(fault)
            yield fault


def filings_of(work: Work, trader_id: uuid.UUID, search: str = "") -> Select[Filing]:
    """The trader's filings that the actor may see, the newest first; for `paginate`.

    `search` is the beginning of a reference, or a whole receipt or bill number.
    """
    statement = (
        select(Filing)
        .where(seen_by(work, Filing, trader_id))
        .order_by(Filing.filed_at.desc(), Filing.receipt.desc())
    )
    if search:
        code = search.upper()
        statement = statement.where(
            Filing.filing_ref.istartswith(search, autoescape=True)
            | (Filing.receipt == code)
            | (Filing.content["bill_number"].astext == code)
            | Filing.content.contains({"bills": [{"bill_number": code}]})
        )
    return statement


def standings(session: Session, filings: Iterable[Filing]) -> dict[uuid.UUID, Standing]:
    """How each filing stands, in one statement.

    The newest of a reference is current, or deleted when it is a deletion; of the earlier ones,
    those that were followed are replaced, those of a deleted reference deleted.
    """
    ids = [one.id for one in filings]
    if not ids:
        return {}
    later = aliased(Filing)
    newest = (
        select(later.number, later.action)
        .where(later.trader_id == Filing.trader_id, later.filing_ref == Filing.filing_ref)
        .order_by(later.number.desc())
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(Filing.id, Filing.number, newest.c.number, newest.c.action)
        .select_from(Filing)
        .join(newest, onclause=newest.c.number.is_not(None))
        .where(Filing.id.in_(ids))
    )
    return {
        filing_id: Standing.DELETED
        if action == Action.DELETE
        else Standing.CURRENT
        if number == last
        else Standing.REPLACED
        for filing_id, number, last, action in rows
    }


def history_of(work: Work, filing: Filing) -> Sequence[Row[Filing, Batch]]:
    """The filings under the same reference that the actor may see, the newest first."""
    return work.session.execute(
        select(Filing, Batch)
        .join(Batch, Batch.id == Filing.batch_id)
        .where(seen_by(work, Filing, filing.trader_id), Filing.filing_ref == filing.filing_ref)
        .order_by(Filing.number.desc())
    ).all()
