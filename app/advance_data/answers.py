"""What goes back to the sender of a batch: the answer to messages, or the rows that were not filed.

Both are made anew from the file and from what was found in it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from sqlalchemy import select

from app.advance_data import queries
from app.advance_data.abi.answering import accepted, refused
from app.advance_data.abi.model import RawMessage
from app.advance_data.abi.reading import envelope_of
from app.advance_data.faults import RowFault, Severity
from app.advance_data.formats import ABI
from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.reading import read_apart
from app.advance_data.stored import opened
from app.advance_data.workbook import MOST_ROWS, Marked
from app.advance_data.workflow import BatchState
from app.kernel.errors import ConflictError, NotFoundError
from app.work import Work


def answer_to(work: Work, batch: Batch) -> str:
    """The answer, line for line; the same whenever it is asked for.

    `NotFoundError` when the batch came in another format, `ConflictError` while it is checked.
    """
    if batch.media_type != ABI:
        raise NotFoundError
    if batch.state not in {BatchState.DONE, BatchState.FAILED}:
        raise ConflictError("The batch has not been checked yet.")
    with opened(batch) as stream:
        if batch.state == BatchState.FAILED:
            faults = [_fault(one) for one in queries.every_fault(work.session, batch.id)]
            lines = refused(envelope_of(stream), faults)
        else:
            numbers = _numbers(work, batch)
            found = _faults_by_row(work, batch)
            lines = accepted(
                (message, numbers.get(message.file_row, ""), found.get(message.file_row, ()))
                for message in read_apart(stream, batch.media_type, batch.size)
                if isinstance(message, RawMessage)
            )
        return "".join(f"{line}\r\n" for line in lines)


def rejected_rows(work: Work, batch: Batch) -> Iterator[Marked]:
    """Each row that was not filed, with all its faults, in the order of the file.

    `NotFoundError` for messages, whose rows are no columns, for a file that was refused whole and
    for one with more rows than a workbook holds.
    """
    if not has_workbook(batch):
        raise NotFoundError
    return _rejected_rows(work, batch)


def has_workbook(batch: Batch) -> bool:
    """Whether there are rows that were not filed, and not more than a workbook holds."""
    rows = 0 < batch.rejected <= MOST_ROWS and batch.read <= MOST_READ
    return rows and batch.media_type != ABI


MOST_READ: Final = 200_000
"""A file of more rows is not read again while somebody waits for a page."""


def _rejected_rows(work: Work, batch: Batch) -> Iterator[Marked]:
    groups = groupby(queries.every_fault(work.session, batch.id), key=lambda one: one.file_row)
    wanted, faults = 0, []
    with opened(batch) as stream:
        for row in read_apart(stream, batch.media_type, batch.size):
            while wanted < row.file_row:
                wanted, found = next(groups, (LAST, iter(())))
                faults = list(found)
            if wanted == LAST:
                return
            if wanted == row.file_row and any(one.severity == Severity.ERROR for one in faults):
                yield row.values, faults


LAST: Final = 1 << 40


def _numbers(work: Work, batch: Batch) -> dict[int, str]:
    rows = work.session.execute(
        select(Filing.file_row, Filing.filing_ref).where(Filing.batch_id == batch.id)
    )
    return {row.file_row: row.filing_ref for row in rows}


def _faults_by_row(work: Work, batch: Batch) -> dict[int, tuple[RowFault, ...]]:
    faults = _all_faults(work, batch)
    return {
        file_row: tuple(found) for file_row, found in groupby(faults, key=lambda one: one.file_row)
    }


def _all_faults(work: Work, batch: Batch) -> Iterator[RowFault]:
    return map(_fault, queries.every_fault(work.session, batch.id))


def _fault(kept: FilingFault) -> RowFault:
    names = RowFault.__dataclass_fields__
    values = {name: getattr(kept, name) for name in names}
    return RowFault(**{**values, "severity": Severity(kept.severity)})
