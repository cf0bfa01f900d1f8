"""File a row of a file that was typed anew. The file and what was found in it stay as they are."""

import hashlib
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.advance_data.csv_intake import Limits, cell_faults
from app.advance_data.faults import Place, RowFault, Severity
from app.advance_data.models import Batch, Filing
from app.advance_data.rows import RawRow
from app.advance_data.service.checking import check_batch, start_batch
from app.advance_data.service.receiving import Arrival, Channel, begin_batch
from app.advance_data.service.single import JSON, faults_of
from app.advance_data.stored import Arriving
from app.audit.receipts import canonical
from app.db.concurrency import lock_words
from app.traders.models import Trader
from app.work import Work


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a row: its filing, or none with every fault; `faults` holds warnings too."""

    filing: Filing | None
    faults: tuple[RowFault, ...]


class _NotKeptError(Exception):
    """Ends the savepoint in which a row was tried, so that nothing of it stays."""

    def __init__(self, faults: tuple[RowFault, ...]) -> None:
        super().__init__()
        self.faults = faults


def _keep_only(found: tuple[RowFault, ...], *, wanted: bool) -> None:
    if not wanted or any(one.severity is Severity.ERROR for one in found):
        raise _NotKeptError(found)


def correct_row(
    work: Work,
    trader: Trader,
    *,
    file: Batch,
    file_row: int,
    line_no: int,
    values: Mapping[str, str],
    key: uuid.UUID,
    only_check: bool = False,
) -> Corrected:
    """Check a row as it was typed, by the rules of a file, and file it when it has no error.

    The row is a batch of its own that corrects row `file_row` of `file`: its bytes, its events and
    its receipt are its own, and accepted + rejected = read holds for both. A row that was corrected
    before gives that filing again, whatever was typed (so a form that is sent twice files once).
    With `only_check`, or with an error, nothing is kept. Side effects in order: the batch's row and
    event; its start; the filing; counts and event; the content in its place on the disk. Source:
    contract, traders' API; ADR 39.
    """
    session = work.session
    lock_words(session, "correction", str(file.id), str(file_row))
    earlier = session.scalars(
        select(Filing)
        .join(Batch, Batch.id == Filing.batch_id)
        .where(Batch.corrects_id == file.id, Batch.corrects_row == file_row)
    ).one_or_none()
    if earlier is not None:
        return Corrected(earlier, ())
    typed = {column: unicodedata.normalize("NFC", text) for column, text in values.items()}
    place = Place(1, line_no, typed.get("filing_ref", ""))
    row = RawRow(1, line_no, typed, tuple(cell_faults(typed, place, Limits().cell)))
    content = canonical(typed).encode()
    digest = hashlib.sha256(content).hexdigest()
    arrival = Arrival(
        filename="",
        channel=Channel.FILE,
        media_type=JSON,
        sha256=digest,
        size=len(content),
        corrects_id=file.id,
        corrects_row=file_row,
    )
    try:
        with session.begin_nested():
            batch = begin_batch(work, trader, arrival, key)
            start_batch(work, batch)
            check_batch(work, batch, [row])
            found = faults_of(work, batch)
            _keep_only(found, wanted=not only_check)
    except _NotKeptError as nothing:
        return Corrected(None, nothing.faults)
    with Arriving(trader.id) as arriving:
        arriving.write(content)
        arriving.close(digest)
        arriving.keep()
    filing = session.scalars(select(Filing).where(Filing.batch_id == batch.id)).one()
    return Corrected(filing, found)
