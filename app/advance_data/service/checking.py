"""Check a batch row by row: what is good becomes a filing with a receipt, what is not is told."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from psycopg import sql
from sqlalchemy import ARRAY, Text, any_, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.advance_data.csv_intake import FileRefusedError
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
from app.advance_data.receipts import ROOT, entry_of
from app.advance_data.rows import Action, DeletionRow, FilingRow, RawRow
from app.advance_data.rules import CheckedRow, Claim, check_row, claim_of
from app.audit.merkle import Frontier, leaf_hash
from app.audit.receipts import canonical
from app.db.base import Base
from app.db.concurrency import lock_row, lock_words
from app.delegations.queries import still_live
from app.kernel.identifiers import Identifier, Scheme
from app.traders.queries import verified_identifiers
from app.traders.sealing import lookup_key
from app.work import Work, move

CHUNK_ROWS = 1000


@dataclass(frozen=True, slots=True)
class _Standing:
    """The newest filing under a reference: its number, its action, the broker it came through."""

    number: int
    action: str
    through: uuid.UUID | None

    @property
    def stands(self) -> bool:
        return self.action != Action.DELETE


# A reference that was never filed stands like one whose filing was deleted.
_NEVER = _Standing(0, Action.DELETE.value, None)


@dataclass(slots=True)
class Tally:
    """What was counted; `accepted + rejected == read` at every moment."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    warnings: int = 0


@dataclass(slots=True)
class _Checking:
    """One batch under check. `newest` maps a reference of the present chunk to how it stands.

    Nothing in here grows with the file.
    """

    work: Work
    batch: Batch
    importers: frozenset[str]
    tally: Tally = field(default_factory=Tally)
    tree: Frontier = field(default_factory=Frontier)
    newest: dict[str, _Standing] = field(default_factory=dict)
    faults: int = 0


def start_batch(work: Work, batch: Batch) -> bool:
    """Say that the checking has begun; again, when a worker was killed while at it.

    False, and nothing done, when the batch is finished already.
    """
    lock_row(work.session, batch)
    if "start" not in batch.available():
        return False
    move(work, batch, "start", reference=batch.reference)
    return True


def check_batch(work: Work, batch: Batch, rows: Iterable[RawRow]) -> Tally:
    """Check every row of a batch that was started, in one transaction.

    Side effects in order: a filing for each good row; the faults; the counts; one event with
    them and with the root over the filings. Two batches of a trader are checked one after the other, so that two rows never take
    the same reference. A worker that is killed leaves nothing, and the job begins anew; a batch
    that another worker has finished meanwhile is left alone.

    Raises `FileRefusedError` when the file cannot be read on: no row of it may be kept, so the
    caller rolls back and calls `fail_batch`. Source: contract, codes `AUTHORITY` and `REF`.
    """
    session = work.session
    lock_words(session, "filings", str(batch.trader_id))
    lock_row(session, batch)
    if "finish" not in batch.available():
        return Tally(batch.read, batch.accepted, batch.rejected, batch.warnings)
    # A broker files with its client's numbers, and only while the client lets it: what was sent
    # before a revocation and is checked after it is refused, row by row.
    revoked = batch.delegation_id is not None and not still_live(work, batch.delegation_id)
    own = [] if revoked else verified_identifiers(session, batch.trader_id)
    checking = _Checking(
        work=work,
        batch=batch,
        importers=frozenset(one.lookup_key for one in own if one.scheme == Scheme.IOR),
    )
    for chunk in _chunks(map(check_row, rows)):
        _file(checking, chunk)
    tally = checking.tally
    batch.read, batch.accepted = tally.read, tally.accepted
    batch.rejected, batch.warnings = tally.rejected, tally.warnings
    batch.finished_at = work.now
    root = checking.tree.root().hex() if tally.accepted else None
    move(work, batch, "finish", reference=batch.reference, **asdict(tally), **{ROOT: root})
    return tally


def fail_batch(work: Work, batch: Batch, refusal: FileRefusedError) -> None:
    """Refuse a whole file, with what was found; nothing of it was filed."""
    lock_row(work.session, batch)
    if "fail" not in batch.available():
        return
    _keep_faults(work, batch, 0, refusal.faults)
    batch.refusal = refusal.faults[0].message
    batch.finished_at = work.now
    move(work, batch, "fail", reference=batch.reference, code=refusal.faults[0].code)


def _chunks(rows: Iterator[CheckedRow]) -> Iterator[list[CheckedRow]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _file(checking: _Checking, rows: list[CheckedRow]) -> None:
    claims = [claim_of(row) for row in rows]
    _look_up(checking, claims)
    filings: list[dict[str, Any]] = []
    faults: list[RowFault] = []
    for row, claim in zip(rows, claims, strict=True):
        found = [*row.faults, *_against_the_register(checking, row, claim)]
        faults += found
        refused = row.filing is None or any(one.severity is Severity.ERROR for one in found)
        checking.tally.read += 1
        checking.tally.warnings += any(one.severity is Severity.WARNING for one in found)
        if refused or row.filing is None:
            checking.tally.rejected += 1
        else:
            checking.tally.accepted += 1
            filings.append(_filing(checking, row, row.filing))
    _copy(checking.work, Filing, filings)
    _keep_faults(checking.work, checking.batch, checking.faults, faults)
    checking.faults += len(faults)


def _look_up(checking: _Checking, claims: list[Claim]) -> None:
    """Read, in one statement, how the references of these rows stand."""
    asked = sorted({claim.reference for claim in claims if claim.reference})
    newest = (
        select(Filing.filing_ref, Filing.number, Filing.action, Filing.acting_trader_id)
        .where(
            Filing.trader_id == checking.batch.trader_id,
            Filing.filing_ref == any_(literal(asked, ARRAY(Text))),
        )
        .ext(distinct_on(Filing.filing_ref))
        .order_by(Filing.filing_ref, Filing.number.desc())
    )
    rows = checking.work.session.execute(newest).all() if asked else []
    checking.newest = {
        reference: _Standing(number, action, through) for reference, number, action, through in rows
    }


def _against_the_register(checking: _Checking, row: CheckedRow, claim: Claim) -> Iterator[RowFault]:
    """What only the database knows: whose the importer number is, how the reference stands."""
    place = Place(row.raw.file_row, row.raw.line_no, row.raw.values.get("filing_ref", ""))
    importer = claim.importer
    if importer is not None and lookup_key(importer) not in checking.importers:
        yield fault_of(AUTHORITY, place, field="importer_number", value=importer.value)
    if claim.reference is None or claim.action is None:
        return
    last = checking.newest.get(claim.reference, _NEVER)
    if claim.action is Action.ADD:
        if last.stands:
            yield fault_of(REF_TAKEN, place, field="filing_ref", value=claim.reference)
    elif not _may_amend(checking.batch, last):
        yield fault_of(REF_UNKNOWN, place, field="filing_ref", value=claim.reference)


def _may_amend(batch: Batch, last: _Standing) -> bool:
    """Whether a row of this batch may replace or delete what stands under a reference.

    A trader may amend all of its own filings, a broker those alone that came through itself. What
    came through anybody else is to a broker as if it had never been filed: ADR 14.
    """
    return last.stands and batch.acting_trader_id in {None, last.through}


def _filing(
    checking: _Checking, row: CheckedRow, filing: FilingRow | DeletionRow
) -> dict[str, Any]:
    work, batch = checking.work, checking.batch
    number = checking.newest.get(filing.filing_ref, _NEVER).number + 1
    checking.newest[filing.filing_ref] = _Standing(
        number, filing.action.value, batch.acting_trader_id
    )
    content = canonical_json(content_of(filing))
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    receipt = f"{batch.reference}-{row.raw.file_row:07d}"
    entry = entry_of(receipt, filing.filing_ref, number, filing.action.value, sha256, work.now)
    checking.tree.add(leaf_hash(entry.encode()))
    return {
        "id": work.new_id(),
        "trader_id": batch.trader_id,
        "acting_trader_id": batch.acting_trader_id,
        "batch_id": batch.id,
        "file_row": row.raw.file_row,
        "line_no": row.raw.line_no,
        "filing_ref": filing.filing_ref,
        "number": number,
        "action": filing.action.value,
        "importer_shown": filing.importer_number.shown,
        "content": content,
        "sha256": sha256,
        "receipt": receipt,
        "filed_at": work.now,
    }


def content_of(filing: FilingRow | DeletionRow) -> dict[str, str]:
    """The values of a filing as JSON: canonical text, identifiers as they may be shown."""
    return {
        name: value.shown if isinstance(value, Identifier) else str(value)
        for name, value in filing
        if value is not None
    }


def canonical_json(content: dict[str, Any]) -> str:
    """The content as JSON with sorted keys and no spaces, whose SHA-256 a receipt carries."""
    return canonical(content)


def _keep_faults(work: Work, batch: Batch, start: int, faults: Sequence[RowFault]) -> None:
    rows = [
        {
            "batch_id": batch.id,
            "position": position,
            **asdict(fault),
            "severity": fault.severity.value,
        }
        for position, fault in enumerate(faults, start)
    ]
    _copy(work, FilingFault, rows)


def _copy(work: Work, model: type[Base], rows: list[dict[str, Any]]) -> None:
    """Write new rows the fastest way that PostgreSQL has; triggers, constraints and policies hold.

    PostgreSQL copies into no table with row policies, so the rows are copied beside it first.
    """
    if not rows:
        return
    beside, table = (
        sql.Identifier(f"incoming_{model.__tablename__}"),
        sql.Identifier(model.__tablename__),
    )
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in rows[0])
    connection = work.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - a checked-out connection has its driver's.
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DROP").format(
                beside, table
            )
        )
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(beside, columns)
        with cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(table, columns, columns, beside)
        )
        cursor.execute(sql.SQL("TRUNCATE {}").format(beside))
