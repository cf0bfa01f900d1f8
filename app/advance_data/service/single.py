"""File one row at once, in the transaction of the call: the receipt or every fault."""

import hashlib

from sqlalchemy import select

from app.advance_data.faults import RowFault, Severity
from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.rows import RawRow
from app.advance_data.service.checking import check_batch, start_batch
from app.advance_data.service.receiving import Arrival, Channel, begin_batch, same_call
from app.advance_data.stored import Arriving
from app.audit.receipts import canonical
from app.kernel.errors import NotReadyError, Problem
from app.traders.models import Trader
from app.work import Work

JSON = "application/json"


class FilingRefusedError(NotReadyError):
    """The row is no filing; `faults` are all that was found, warnings included (422)."""

    def __init__(self, faults: tuple[RowFault, ...]) -> None:
        super().__init__(
            [
                Problem(one.message, one.field or None, one.code)
                for one in faults
                if one.severity is Severity.ERROR
            ],
            "The filing was refused. Nothing was filed.",
        )
        self.faults = faults


def file_one(work: Work, trader: Trader, *, row: RawRow, idempotency_key: str) -> Filing:
    """Make a batch of one row, check it and return its filing; the earlier one of the same call.

    The rules are those of a file. Side effects in order: the batch's row and event; its start;
    the filing; its counts and event; the content in its place on the disk. Errors:
    `FilingRefusedError` with every fault, and then the caller rolls back and nothing is kept;
    `ConflictError` when the key came before with other content (409). Source: contract, traders'
    API.
    """
    content = canonical(dict(row.values)).encode()
    digest = hashlib.sha256(content).hexdigest()
    earlier = same_call(work, trader, idempotency_key, digest)
    if earlier is not None:
        return _filing_of(work, earlier)
    batch = begin_batch(
        work,
        trader,
        Arrival(
            filename="",
            channel=Channel.API,
            media_type=JSON,
            sha256=digest,
            size=len(content),
            idempotency_key=idempotency_key,
        ),
    )
    start_batch(work, batch)
    check_batch(work, batch, [row])
    if not batch.accepted:
        raise FilingRefusedError(faults_of(work, batch))
    with Arriving(trader.id) as arriving:
        arriving.write(content)
        arriving.close(digest)
        arriving.keep()
    return _filing_of(work, batch)


def faults_of(work: Work, batch: Batch) -> tuple[RowFault, ...]:
    """The faults of a batch of one row."""
    found = work.session.scalars(
        select(FilingFault)
        .where(FilingFault.batch_id == batch.id)
        .order_by(FilingFault.position)
        .limit(MOST_FAULTS)
    )
    return tuple(
        RowFault(
            file_row=one.file_row,
            line_no=one.line_no,
            record=one.record,
            field=one.field,
            code=one.code,
            severity=Severity(one.severity),
            value=one.value,
            message=one.message,
            fix=one.fix,
            spec_ref=one.spec_ref,
        )
        for one in found
    )


MOST_FAULTS = 200


def _filing_of(work: Work, batch: Batch) -> Filing:
    return work.session.scalars(select(Filing).where(Filing.batch_id == batch.id)).one()
