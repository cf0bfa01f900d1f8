"""Check a batch row by row: what is good becomes a filing with a receipt, what is not is told."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import ARRAY, Text, any_, cast, func, literal, null, select, true
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.orm import aliased

from app.advance_data.abi.model import IsfFiling, RawMessage
from app.advance_data.abi.texts import ON_FILE
from app.advance_data.checks import Raw, check, claim_of_any, head_of
from app.advance_data.content import content_of
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import (
    AUTHORITY,
    REF_TAKEN,
    REF_UNKNOWN,
    SITE,
    Place,
    RowFault,
    Severity,
    fault_of,
)
from app.advance_data.models import Batch, Filing
from app.advance_data.receipts import ROOT, entry_of
from app.advance_data.rows import Action
from app.advance_data.rules import AnyFiling, CheckedRow, Claim
from app.advance_data.service.copying import copy, keep_faults
from app.advance_data.service.sites import NOT_NAMED, ship_to
from app.audit.merkle import Frontier, leaf_hash
from app.audit.receipts import canonical
from app.db.concurrency import lock_row, lock_words
from app.db.references import next_reference
from app.delegations.queries import limit_of, still_live
from app.kernel.identifiers import Scheme
from app.traders.queries import verified_identifiers
from app.traders.sealing import lookup_key
from app.work import Work, move

CHUNK_ROWS = 1000


@dataclass(frozen=True, slots=True)
class _Standing:
    """The newest filing under a reference: its number, its action, the broker it came through.

    `ship_to` is read where the delegation is limited to sites.
    """

    number: int
    action: str
    through: uuid.UUID | None
    ship_to: frozenset[str] = frozenset()

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

    `sites` are those to which the broker's delegation is limited, `None` for no limit. `bills` are
    those bills of lading of the present chunk's messages that stand already. Nothing in here grows
    with the file.
    """

    work: Work
    batch: Batch
    importers: frozenset[str]
    sites: frozenset[str] | None = None
    tally: Tally = field(default_factory=Tally)
    tree: Frontier = field(default_factory=Frontier)
    newest: dict[str, _Standing] = field(default_factory=dict)
    bills: set[str] = field(default_factory=set)
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


def check_batch(work: Work, batch: Batch, rows: Iterable[Raw]) -> Tally:
    """Check every row of a batch that was started, in one transaction.

    Side effects in order: a filing for each good row, a message that adds one getting its number;
    the faults; the counts; one event with them and with the root over the filings. Two batches of
    a trader are checked one after the other, so that two rows never take the same reference. A
    worker that is killed leaves nothing, and the job begins anew; a batch that another worker has
    finished meanwhile is left alone.

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
        importers=frozenset(one.lookup_key for one in own if one.scheme in _IMPORTERS),
        sites=limit_of(work, batch.delegation_id),
    )
    for chunk in _chunks(map(check, rows)):
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
    keep_faults(work, batch, 0, refusal.faults)
    batch.refusal = refusal.faults[0].message
    batch.finished_at = work.now
    move(work, batch, "fail", reference=batch.reference, code=refusal.faults[0].code)


def _chunks(rows: Iterator[CheckedRow]) -> Iterator[list[CheckedRow]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _file(checking: _Checking, rows: list[CheckedRow]) -> None:
    claims = [claim_of_any(row) for row in rows]
    _look_up(checking, claims)
    _look_up_bills(checking, rows)
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
            filings.append(_filing(checking, row, _numbered(checking, row, row.filing)))
    copy(checking.work, Filing, filings)
    keep_faults(checking.work, checking.batch, checking.faults, faults)
    checking.faults += len(faults)


def _look_up(checking: _Checking, claims: list[Claim]) -> None:
    """Read, in one statement, how the references of these rows stand."""
    asked = sorted({claim.reference for claim in claims if claim.reference})
    newest = (
        select(
            Filing.filing_ref,
            Filing.number,
            Filing.action,
            Filing.acting_trader_id,
            null() if checking.sites is None else Filing.content,
        )
        .where(
            Filing.trader_id == checking.batch.trader_id,
            Filing.filing_ref == any_(literal(asked, ARRAY(Text))),
        )
        .ext(distinct_on(Filing.filing_ref))
        .order_by(Filing.filing_ref, Filing.number.desc())
    )
    rows = checking.work.session.execute(newest).all() if asked else []
    checking.newest = {
        reference: _Standing(number, action, through, ship_to(content or {}))
        for reference, number, action, through, content in rows
    }


_IMPORTERS = frozenset({Scheme.IOR, Scheme.SCAC})


def _look_up_bills(checking: _Checking, rows: list[CheckedRow]) -> None:
    """Read which bills of the messages that add filings have one already, in one statement.

    To a broker, what came through anybody else is as if it had never been filed: ADR 14.
    """
    asked = sorted(
        {
            bill.bill_number
            for row in rows
            if isinstance(row.filing, IsfFiling) and row.filing.action is Action.ADD
            for bill in row.filing.bills
        }
    )
    if not asked:
        checking.bills = set()
        return
    batch, later = checking.batch, aliased(Filing)
    bill = func.jsonb_array_elements(Filing.content["bills"]).table_valued("value").lateral("bill")
    number = cast(bill.c.value, JSONB)["bill_number"].astext
    standing = (
        select(number)
        .select_from(Filing)
        .join(bill, onclause=true())
        .where(
            Filing.trader_id == batch.trader_id,
            Filing.content.has_key("bills"),
            number == any_(literal(asked, ARRAY(Text))),
            ~select(later.id)
            .where(
                later.trader_id == Filing.trader_id,
                later.filing_ref == Filing.filing_ref,
                later.number > Filing.number,
            )
            .exists(),
        )
    )
    if batch.acting_trader_id is not None:
        standing = standing.where(Filing.acting_trader_id == batch.acting_trader_id)
    checking.bills = set(checking.work.session.scalars(standing))


def _against_the_register(checking: _Checking, row: CheckedRow, claim: Claim) -> Iterator[RowFault]:
    """What only the database knows: whose the importer number is, how the reference stands."""
    place = head_of(row.raw)
    importer = claim.importer
    if importer is not None and lookup_key(importer) not in checking.importers:
        yield fault_of(AUTHORITY, place, field="importer_number", value=importer.value)
    yield from _past_the_sites(checking, row, claim, place)
    filing, raw = row.filing, row.raw
    if isinstance(filing, IsfFiling) and isinstance(raw, RawMessage) and claim.action is Action.ADD:
        for index, bill in enumerate(filing.bills):
            if bill.bill_number in checking.bills:
                at = raw.spot(f"bills/{index}")
                yield fault_of(
                    ON_FILE,
                    Place(raw.file_row, at.line_no, at.record),
                    field="bill_number",
                    value=bill.bill_number,
                )
    if claim.reference is None or claim.action is None:
        return
    last = checking.newest.get(claim.reference, _NEVER)
    if claim.action is Action.ADD:
        if last.stands:
            yield fault_of(REF_TAKEN, place, field="filing_ref", value=claim.reference)
    elif not _may_amend(checking.batch, last):
        yield fault_of(REF_UNKNOWN, place, field="filing_ref", value=claim.reference)


def _past_the_sites(
    checking: _Checking, row: CheckedRow, claim: Claim, place: Place
) -> Iterator[RowFault]:
    """What a broker files, replaces and deletes for its client lies within the delegation's sites."""
    if checking.sites is None or row.filing is None:
        return
    last = checking.newest.get(claim.reference or "", _NEVER)
    amends = claim.action is not Action.ADD and _may_amend(checking.batch, last)
    if claim.action is Action.DELETE and not amends:
        return  # That there is nothing to delete is told as such.
    named = ship_to(content_of(row.filing)) | (last.ship_to or NOT_NAMED if amends else frozenset())
    if not named or not named <= checking.sites:
        yield fault_of(SITE, place, field="ship_to_name", value=", ".join(sorted(named)))


def _may_amend(batch: Batch, last: _Standing) -> bool:
    """Whether a row of this batch may replace or delete what stands under a reference.

    A trader may amend all of its own filings, a broker those alone that came through itself. What
    came through anybody else is to a broker as if it had never been filed: ADR 14.
    """
    return last.stands and batch.acting_trader_id in {None, last.through}


def _numbered(checking: _Checking, row: CheckedRow, filing: AnyFiling) -> AnyFiling:
    """The filing with a reference: a message that adds one brings none, and gets its number here.

    The number begins with the filer's code of the block, as the chapter has it.
    """
    if isinstance(filing, IsfFiling):
        checking.bills.update(bill.bill_number for bill in filing.bills)
    if filing.filing_ref is not None or not isinstance(row.raw, RawMessage):
        return filing
    work = checking.work
    _, year, serial = next_reference(work.session, "ISF", work.now.year).split("-")
    number = f"{row.raw.envelope.filer}-{year[-2:]}{int(serial):09d}"
    return filing.model_copy(update={"filing_ref": number})


def _filing(checking: _Checking, row: CheckedRow, filing: AnyFiling) -> dict[str, Any]:
    work, batch = checking.work, checking.batch
    reference = filing.filing_ref
    assert reference is not None  # noqa: S101 - `_numbered` gave one.
    number = checking.newest.get(reference, _NEVER).number + 1
    given = content_of(filing)
    named = frozenset[str]() if checking.sites is None else ship_to(given)
    checking.newest[reference] = _Standing(
        number, filing.action.value, batch.acting_trader_id, named
    )
    content = canonical(given)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    receipt = f"{batch.reference}-{row.raw.file_row:07d}"
    entry = entry_of(receipt, reference, number, filing.action.value, sha256, work.now)
    checking.tree.add(leaf_hash(entry.encode()))
    return {
        "id": work.new_id(),
        "trader_id": batch.trader_id,
        "acting_trader_id": batch.acting_trader_id,
        "batch_id": batch.id,
        "file_row": row.raw.file_row,
        "line_no": row.raw.line_no,
        "filing_ref": reference,
        "number": number,
        "action": filing.action.value,
        "importer_shown": filing.importer_number.shown,
        "content": content,
        "sha256": sha256,
        "receipt": receipt,
        "filed_at": work.now,
    }
