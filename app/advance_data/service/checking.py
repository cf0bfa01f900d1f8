"""Check a batch row by row: what is good becomes a filing with a receipt, what is not is told."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import insert, select

from app.advance_data.csv_intake import FileRefusedError, read_csv
from app.advance_data.faults import (
    AUTHORITY,
    REF_TAKEN,
    REF_UNKNOWN,
    Place,
    RowFault,
    Severity,
    fault_of,
)
from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.rows import Action, DeletionRow, FilingRow
from app.advance_data.rules import CheckedRow, check_row
from app.db.concurrency import lock_row, lock_words
from app.kernel.identifiers import Identifier, Scheme
from app.traders.queries import verified_identifiers
from app.traders.sealing import lookup_key
from app.work import Work, move

CHUNK_ROWS = 1000


@dataclass(slots=True)
class Tally:
    """What was counted; `accepted + rejected == read` at every moment."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    warnings: int = 0


@dataclass(slots=True)
class _Checking:
    """One batch under check. `live` maps a reference to its newest number and action."""

    work: Work
    batch: Batch
    importers: frozenset[str]
    tally: Tally = field(default_factory=Tally)
    live: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: int = 0


def start_batch(work: Work, batch: Batch) -> None:
    """Say that the checking has begun; again, when a worker was killed while at it."""
    lock_row(work.session, batch)
    move(work, batch, "start", reference=batch.reference)


def check_batch(work: Work, batch: Batch, stream: BinaryIO) -> Tally:
    """Check every row of a batch that was started, in one transaction.

    Side effects in order: a filing for each good row; the faults; the counts; one event with
    them. Two batches of a trader are checked one after the other, so that two rows never take
    the same reference. A worker that is killed leaves nothing, and the job begins anew.

    Raises `FileRefusedError` when the file cannot be read on: no row of it may be kept, so the
    caller rolls back and calls `fail_batch`. Source: contract, codes `AUTHORITY` and `REF`.
    """
    session = work.session
    lock_words(session, "filings", str(batch.trader_id))
    lock_row(session, batch)
    own = verified_identifiers(session, batch.trader_id)
    checking = _Checking(
        work=work,
        batch=batch,
        importers=frozenset(one.lookup_key for one in own if one.scheme == Scheme.IOR),
    )
    for rows in _chunks(map(check_row, read_csv(stream))):
        _file(checking, rows)
    tally = checking.tally
    batch.read, batch.accepted = tally.read, tally.accepted
    batch.rejected, batch.warnings = tally.rejected, tally.warnings
    batch.finished_at = work.now
    move(work, batch, "finish", reference=batch.reference, **asdict(tally))
    return tally


def fail_batch(work: Work, batch: Batch, refusal: FileRefusedError) -> None:
    """Refuse a whole file, with what was found; nothing of it was filed."""
    lock_row(work.session, batch)
    _keep_faults(work, batch, 0, refusal.faults)
    batch.refusal = refusal.faults[0].message
    batch.finished_at = work.now
    move(work, batch, "fail", reference=batch.reference, code=refusal.faults[0].code)


def _chunks(rows: Iterator[CheckedRow]) -> Iterator[list[CheckedRow]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _file(checking: _Checking, rows: list[CheckedRow]) -> None:
    _look_up(checking, rows)
    filings: list[dict[str, Any]] = []
    faults: list[RowFault] = []
    for row in rows:
        found = [*row.faults, *_against_the_register(checking, row)]
        faults += found
        refused = row.filing is None or any(one.severity is Severity.ERROR for one in found)
        checking.tally.read += 1
        checking.tally.warnings += any(one.severity is Severity.WARNING for one in found)
        if refused or row.filing is None:
            checking.tally.rejected += 1
        else:
            checking.tally.accepted += 1
            filings.append(_filing(checking, row, row.filing))
    session = checking.work.session
    if filings:
        session.execute(insert(Filing), filings)
    _keep_faults(checking.work, checking.batch, checking.faults, faults)
    checking.faults += len(faults)


def _look_up(checking: _Checking, rows: list[CheckedRow]) -> None:
    """Read, in one statement, how the references of these rows stand."""
    asked = {row.filing.filing_ref for row in rows if row.filing is not None} - set(checking.live)
    if not asked:
        return
    newest = (
        select(Filing.filing_ref, Filing.number, Filing.action)
        .where(Filing.trader_id == checking.batch.trader_id, Filing.filing_ref.in_(asked))
        .distinct(Filing.filing_ref)
        .order_by(Filing.filing_ref, Filing.number.desc())
    )
    for reference, number, action in checking.work.session.execute(newest):
        checking.live[reference] = (number, action)


def _against_the_register(checking: _Checking, row: CheckedRow) -> list[RowFault]:
    """What only the database knows: whose the importer number is, how the reference stands."""
    filing = row.filing
    if filing is None:
        return []
    place = Place(row.raw.file_row, row.raw.line_no, filing.filing_ref)
    found = []
    if lookup_key(filing.importer_number) not in checking.importers:
        found.append(
            fault_of(AUTHORITY, place, field="importer_number", value=filing.importer_number.value)
        )
    _, last = checking.live.get(filing.filing_ref, (0, Action.DELETE.value))
    stands = last != Action.DELETE
    if stands == (filing.action is Action.ADD):
        problem = REF_TAKEN if stands else REF_UNKNOWN
        found.append(fault_of(problem, place, field="filing_ref", value=filing.filing_ref))
    return found


def _filing(
    checking: _Checking, row: CheckedRow, filing: FilingRow | DeletionRow
) -> dict[str, Any]:
    work, batch = checking.work, checking.batch
    number = checking.live.get(filing.filing_ref, (0, ""))[0] + 1
    checking.live[filing.filing_ref] = (number, filing.action.value)
    content = content_of(filing)
    return {
        "id": work.new_id(),
        "trader_id": batch.trader_id,
        "batch_id": batch.id,
        "file_row": row.raw.file_row,
        "line_no": row.raw.line_no,
        "filing_ref": filing.filing_ref,
        "number": number,
        "action": filing.action.value,
        "importer_shown": filing.importer_number.shown,
        "content": content,
        "sha256": digest_of(content),
        "receipt": f"{batch.reference}-{row.raw.file_row:07d}",
        "filed_at": work.now,
    }


def content_of(filing: FilingRow | DeletionRow) -> dict[str, Any]:
    """The values of a filing as JSON: canonical text, identifiers as they may be shown."""
    return {
        name: value.shown if isinstance(value, Identifier) else str(value)
        for name, value in filing
        if value is not None
    }


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the content as JSON with sorted keys and no spaces."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _keep_faults(work: Work, batch: Batch, start: int, faults: Iterable[RowFault]) -> None:
    rows = [
        {"batch_id": batch.id, "position": start + number, **_plain(fault)}
        for number, fault in enumerate(faults)
    ]
    if rows:
        work.session.execute(insert(FilingFault), rows)


def _plain(fault: RowFault) -> dict[str, Any]:
    return {**asdict(fault), "severity": fault.severity.value}
