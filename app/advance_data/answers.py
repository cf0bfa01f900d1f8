"""The answer message to a batch that came as a message, made from what is kept of it."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import select

from app.advance_data import queries
from app.advance_data.abi.answering import accepted, refused
from app.advance_data.abi.reading import envelope_of, read_abi
from app.advance_data.faults import RowFault, Severity
from app.advance_data.formats import ABI
from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.stored import opened
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
                for message in read_abi(stream)
            )
        return "".join(f"{line}\r\n" for line in lines)


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
