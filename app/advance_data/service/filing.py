"""What becomes of a chunk of rows: the good ones are filings with a receipt, of the others is told why not."""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, Text, any_, cast, func, literal, null, select, true
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.orm import aliased

from app.advance_data.abi.model import IsfFiling, RawMessage
from app.advance_data.abi.texts import ON_FILE
from app.advance_data.checks import Verdict, claim_of_any, place_of
from app.advance_data.content import content_of
from app.advance_data.faults import (
    AUTHORITY,
    ENDED,
    REF_TAKEN,
    REF_UNKNOWN,
    SITE,
    Place,
    RowFault,
    Severity,
    fault_of,
)
from app.advance_data.formats import ABI
from app.advance_data.models import Batch, Filing
from app.advance_data.rows import Action
from app.advance_data.rules import AnyFiling, CheckedRow, Claim
from app.advance_data.screening import ReadyRow
from app.advance_data.service.copying import keep_faults
from app.advance_data.service.filers import filer_codes, foreign_filer
from app.advance_data.service.lines import Lines
from app.advance_data.service.sites import NOT_NAMED, ship_to
from app.audit.receipts import canonical
from app.db.references import next_reference
from app.delegations.queries import limit_of, still_live
from app.kernel.identifiers import Identifier, Scheme
from app.traders.queries import verified_identifiers
from app.traders.sealing import lookup_key
from app.work import Work


class _Standing(NamedTuple):
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
class _Checking:
    """One chunk under check. `newest` maps a reference of the chunk to how it stands.

    `ended` says that the broker's delegation is over, `through` is the broker, `filers`
    are the codes that a block of messages may bear. `sites` are those to which the broker's delegation is limited, `None` for no limit. `bills` are
    those bills of lading of the chunk's messages that stand already, `ours` says of an importer
    number whether one may file for it. Nothing in here grows with the file.
    """

    work: Work
    batch: Batch
    importers: frozenset[str]
    ended: bool = False
    sites: frozenset[str] | None = None
    through: uuid.UUID | None = None
    filers: frozenset[str] = frozenset()
    newest: dict[str, _Standing] = field(default_factory=dict)
    bills: set[str] = field(default_factory=set)
    ours: dict[Identifier, bool] = field(default_factory=dict)


def file_rows(work: Work, batch: Batch, rows: Sequence[Verdict]) -> None:
    """File the next rows of a batch and move its cursor behind them, in this transaction.

    The caller holds the lock on the batch and on its trader's filings. Side effects in order: a
    filing for each good row, a message that adds one getting its number; the faults; the batch's
    counts, its faults by kind and the tree over its filings. What may change between two chunks is
    read anew for each, and the delegation stays in force until the transaction ends: what is
    filed after a revocation is refused, row by row.
    """
    ended = batch.delegation_id is not None and not still_live(work, batch.delegation_id)
    own = [] if ended else verified_identifiers(work.session, batch.trader_id)
    checking = _Checking(
        work=work,
        batch=batch,
        importers=frozenset(one.lookup_key for one in own if one.scheme in _IMPORTERS),
        ended=ended,
        through=batch.acting_trader_id,
        filers=filer_codes(work, batch) if batch.media_type == ABI else frozenset(),
        sites=limit_of(work, batch.delegation_id),
    )
    claims = [claim_of_any(row) for row in rows]
    _look_up(checking, claims)
    _look_up_bills(checking, rows)
    lines = Lines(work, batch)
    faults: list[RowFault] = []
    warned = 0
    for row, claim in zip(rows, claims, strict=True):
        if isinstance(row, ReadyRow) and _nothing_against(checking, claim):
            lines.add(row, _taken(checking, row))
            continue
        found = list(_against_the_register(checking, row, claim))
        if isinstance(row, CheckedRow):
            found = [*row.faults, *found]
        faults += found
        severities = {one.severity for one in found}
        warned += Severity.WARNING in severities
        ready = None if Severity.ERROR in severities else _ready(checking, row)
        if ready is not None:
            lines.add(ready, _taken(checking, ready))
    lines.keep()
    keep_faults(work, batch, faults)
    batch.read += len(rows)
    batch.accepted += len(lines)
    batch.rejected += len(rows) - len(lines)
    batch.warnings += warned


def _nothing_against(checking: _Checking, claim: Claim) -> bool:
    """Whether `_against_the_register` would find nothing in a row of columns: for nearly all of them."""
    if checking.ended or checking.sites is not None or claim.importer is None:
        return False
    if not _is_ours(checking, claim.importer):
        return False
    last = checking.newest.get(claim.reference or "", _NEVER)
    if claim.action is Action.ADD:
        return not last.stands
    return _may_amend(checking.batch, last)


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


def _look_up_bills(checking: _Checking, rows: Sequence[Verdict]) -> None:
    """Read which bills of the messages that add filings have one already, in one statement.

    To a broker, what came through anybody else is as if it had never been filed: ADR 14.
    """
    asked = sorted(
        {
            bill.bill_number
            for row in rows
            if isinstance(row, CheckedRow)
            and isinstance(row.filing, IsfFiling)
            and row.filing.action is Action.ADD
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


def _against_the_register(checking: _Checking, row: Verdict, claim: Claim) -> Iterator[RowFault]:
    """What only the database knows: whose the importer number is, how the reference stands."""
    place = place_of(row)
    importer = claim.importer
    yield from foreign_filer(row, checking.filers)
    if checking.ended:
        yield fault_of(ENDED, place)
    elif importer is not None and not _is_ours(checking, importer):
        yield fault_of(AUTHORITY, place, field="importer_number", value=importer.value)
    yield from _past_the_sites(checking, row, claim, place)
    yield from _on_file(checking, row)
    if claim.reference is None or claim.action is None:
        return
    last = checking.newest.get(claim.reference, _NEVER)
    if claim.action is Action.ADD:
        if last.stands:
            yield fault_of(REF_TAKEN, place, field="filing_ref", value=claim.reference)
    elif not _may_amend(checking.batch, last):
        yield fault_of(REF_UNKNOWN, place, field="filing_ref", value=claim.reference)


def _on_file(checking: _Checking, row: Verdict) -> Iterator[RowFault]:
    """The bills of a message that adds a filing of which each has one already."""
    if isinstance(row, ReadyRow):
        return
    filing, raw = row.filing, row.raw
    if not isinstance(filing, IsfFiling) or not isinstance(raw, RawMessage):
        return
    if filing.action is not Action.ADD:
        return
    for index, bill in enumerate(filing.bills):
        if bill.bill_number in checking.bills:
            at = raw.spot(f"bills/{index}")
            yield fault_of(
                ON_FILE,
                Place(raw.file_row, at.line_no, at.record),
                field="bill_number",
                value=bill.bill_number,
            )


def _is_ours(checking: _Checking, importer: Identifier) -> bool:
    found = checking.ours.get(importer)
    if found is None:
        found = checking.ours[importer] = lookup_key(importer) in checking.importers
    return found


def _past_the_sites(
    checking: _Checking, row: Verdict, claim: Claim, place: Place
) -> Iterator[RowFault]:
    """What a broker files, replaces and deletes for its client lies within the delegation's sites."""
    if checking.sites is None:
        return
    if isinstance(row, ReadyRow):
        content = json.loads(row.content)
    elif row.filing is not None:
        content = content_of(row.filing)
    else:
        return
    last = checking.newest.get(claim.reference or "", _NEVER)
    amends = claim.action is not Action.ADD and _may_amend(checking.batch, last)
    if claim.action is Action.DELETE and not amends:
        return  # That there is nothing to delete is told as such.
    named = ship_to(content) | (last.ship_to or NOT_NAMED if amends else frozenset())
    if not named or not named <= checking.sites:
        yield fault_of(SITE, place, field="ship_to_name", value=", ".join(sorted(named)))


def _may_amend(batch: Batch, last: _Standing) -> bool:
    """Whether a row of this batch may replace or delete what stands under a reference.

    A trader may amend all of its own filings, a broker those alone that came through itself. What
    came through anybody else is to a broker as if it had never been filed: ADR 14.
    """
    return last.stands and (
        batch.acting_trader_id is None or batch.acting_trader_id == last.through
    )


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


def _ready(checking: _Checking, row: Verdict) -> ReadyRow | None:
    """The row ready to be filed, or `None` when it was refused."""
    if isinstance(row, ReadyRow):
        return row
    if row.filing is None:
        return None
    filing = _numbered(checking, row, row.filing)
    assert filing.filing_ref is not None  # noqa: S101 - `_numbered` gave one.
    return ReadyRow(
        row.raw.file_row,
        row.raw.line_no,
        filing.filing_ref,
        filing.action,
        filing.importer_number,
        canonical(content_of(filing)),
    )


def _taken(checking: _Checking, row: ReadyRow) -> int:
    """The number of the row under its reference, which from here on stands as the row has it."""
    reference, sites = row.reference, checking.sites
    number = checking.newest.get(reference, _NEVER).number + 1
    named = _NO_SITES if sites is None else ship_to(json.loads(row.content))
    checking.newest[reference] = _Standing(number, row.action, checking.through, named)
    return number


_NO_SITES: Final[frozenset[str]] = frozenset()
