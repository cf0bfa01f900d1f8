"""Count a file for its score: again and again the same from the filings and faults that are kept."""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import aliased

from app.advance_data.counting import ERROR, Counting
from app.advance_data.models import Batch, BatchQuality, Filing, FilingFault
from app.advance_data.queries import every_fault
from app.advance_data.rows import Action
from app.advance_data.scoring import WEIGHTS, Figures
from app.advance_data.timekeeping import Named, placed
from app.advance_data.timing import next_change
from app.advance_data.workflow import BatchState
from app.db.concurrency import lock_words
from app.work import Work

BLOCK = 1000


@dataclass(frozen=True, slots=True)
class _Counted:
    figures: Figures
    changes_at: datetime | None


def measure_batch(work: Work, batch: Batch) -> Figures | None:
    """Count the file that `batch` is, or whose rows it corrects, and keep what was counted.

    No event is recorded, since nothing is decided or stated: the filings and faults say the same
    to whoever counts them. `None`, and nothing kept, of a file that is not checked or was refused
    whole. Side effect: the file's row of `batch_quality`, which `as_sent` keeps as it was first.
    """
    file = file_of(work, batch)
    if file.state != BatchState.DONE or not file.read:
        return None
    lock_words(work.session, "quality", str(file.id))
    corrections = corrections_of(work, file.id)
    counted = _counted(work, file, corrections)
    kept = work.session.get(BatchQuality, file.id)
    if kept is None:
        sent = _counted(work, file, []) if corrections else counted
        kept = BatchQuality(
            batch_id=file.id,
            trader_id=file.trader_id,
            acting_trader_id=file.acting_trader_id,
            received_at=file.received_at,
            as_sent=sent.figures.as_json(),
        )
        work.session.add(kept)
    kept.figures = counted.figures.as_json()
    kept.measured_at = work.now
    kept.changes_at = counted.changes_at
    work.session.flush()
    return counted.figures


def file_of(work: Work, batch: Batch) -> Batch:
    """The file that a correction stands for, or the batch itself."""
    while batch.corrects_id is not None:
        batch = work.session.get_one(Batch, batch.corrects_id)
    return batch


def corrections_of(work: Work, file_id: uuid.UUID) -> Sequence[Batch]:
    """Every correction of the file, and of its corrections, that was checked to the end."""
    found: list[Batch] = []
    ids = [file_id]
    while ids:
        following = work.session.scalars(
            select(Batch).where(
                Batch.corrects_id.in_(ids),
                Batch._state == BatchState.DONE,  # noqa: SLF001 - reading a state is free.
            )
        ).all()
        found += following
        ids = [one.id for one in following]
    return sorted(found, key=lambda one: (one.received_at, one.reference))


def amended_by(work: Work, batch: Batch) -> list[uuid.UUID]:
    """The other batches whose filings this one replaced or deleted: their times are new."""
    adding = aliased(Filing)
    return list(
        work.session.scalars(
            select(adding.batch_id)
            .distinct()
            .join(
                Filing,
                onclause=(Filing.trader_id == adding.trader_id)
                & (Filing.filing_ref == adding.filing_ref)
                & (adding.number < Filing.number),
            )
            .where(
                Filing.batch_id == batch.id,
                Filing.action != Action.ADD,
                adding.action == Action.ADD,
                adding.batch_id != batch.id,
            )
        )
    )


@dataclass(slots=True)
class _Closing:
    """Which rows of a file are filed after all.

    Those that were typed anew, and one for each reference of a corrected workbook.
    """

    rows: frozenset[int]
    references: Counter[str]

    def closes(self, file_row: int, reference: str) -> bool:
        if file_row in self.rows:
            return True
        if not self.references[reference]:
            return False
        self.references[reference] -= 1
        return True


def closing_of(work: Work, file: Batch, corrections: Sequence[Batch]) -> _Closing:
    """What the corrections of a file have mended, as far as they became filings."""
    rows = frozenset(
        one.corrects_row
        for one in corrections
        if one.corrects_id == file.id and one.corrects_row is not None and one.accepted
    )
    others = [
        one.id for one in corrections if one.corrects_id != file.id or one.corrects_row is None
    ]
    references = (
        work.session.scalars(select(Filing.filing_ref).where(Filing.batch_id.in_(others)))
        if others
        else ()
    )
    return _Closing(rows, Counter(references))


def _counted(work: Work, file: Batch, corrections: Sequence[Batch]) -> _Counted:
    counting = Counting(WEIGHTS)
    _count_faults(work, counting, file, closing_of(work, file, corrections))
    for one in corrections:
        for faults in _rows_with_faults(work, one):
            if all(fault.severity != ERROR for fault in faults):
                counting.remarked(faults)
    ids = [file.id, *(one.id for one in corrections)]
    changes = _count_filings(work, counting, file.trader_id, ids)
    return _Counted(counting.figures(_doubled(work, ids)), changes)


def _count_faults(work: Work, counting: Counting, file: Batch, closing: _Closing) -> None:
    for faults in _rows_with_faults(work, file):
        first = faults[0]
        if all(fault.severity != ERROR for fault in faults):
            counting.remarked(faults)
        elif not closing.closes(first.file_row, first.record):
            counting.refused(faults)


def _rows_with_faults(work: Work, batch: Batch) -> Iterator[list[FilingFault]]:
    for _, group in groupby(every_fault(work.session, batch.id), key=lambda one: one.file_row):
        yield list(group)


def _count_filings(
    work: Work, counting: Counting, trader_id: uuid.UUID, batch_ids: Sequence[uuid.UUID]
) -> datetime | None:
    """Count every filing of these batches; when the first verdict changes by itself, if any."""
    session = work.session
    first: datetime | None = None
    statement = (
        select(Filing.id, Filing.filing_ref, Filing.number)
        .where(Filing.batch_id.in_(batch_ids))
        .order_by(Filing.batch_id, Filing.file_row)
        .execution_options(yield_per=BLOCK)
    )
    for block in session.execute(statement).partitions():
        for one in placed(session, trader_id, (Named(*row) for row in block)).values():
            adds = one.version.action == Action.ADD
            times = one.times(work.now) if adds else None
            counting.filed(one.version, one.before, times)
            at = None if times is None else next_change([times], work.now)
            if at is not None and (first is None or at < first):
                first = at
    return first


def _doubled(work: Work, batch_ids: Sequence[uuid.UUID]) -> int:
    """How many rows that add say what another one says, under another reference."""
    without = Filing.content.op("-")("filing_ref")
    rows, different = work.session.execute(
        select(func.count(), func.count(func.md5(cast(without, Text)).distinct())).where(
            Filing.batch_id.in_(batch_ids), Filing.action == Action.ADD
        )
    ).one()
    return rows - different
