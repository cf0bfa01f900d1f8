"""One door to the rules: a row of columns and a message are checked by the rules of their format."""

from collections.abc import Iterable, Iterator

from app.advance_data.abi.checking import check_message, claim_of_message
from app.advance_data.abi.model import RawMessage
from app.advance_data.faults import Place
from app.advance_data.rows import Block, RawRow
from app.advance_data.rules import (
    NO_LISTS,
    CheckedRow,
    Claim,
    KnownCodes,
    check_row,
    claim_of,
)
from app.advance_data.screening import ReadyRow, Screen

Raw = RawRow | RawMessage
Verdict = CheckedRow | ReadyRow


def check(raw: Raw, known: KnownCodes = NO_LISTS) -> CheckedRow:
    """Return the filing or None, and all faults; `known` are the lists to warn by."""
    return check_message(raw, known) if isinstance(raw, RawMessage) else check_row(raw, known)


def check_all(given: Iterable[Raw | Block], known: KnownCodes = NO_LISTS) -> Iterator[Verdict]:
    """Check every row, in order; those of blocks by whole columns, which gives the same."""
    screen = Screen(known)
    for one in given:
        if isinstance(one, Block):
            yield from screen.check(one)
        else:
            yield check(one, known)


def claim_of_any(row: Verdict) -> Claim:
    """Return what the row or message claims of the register and of earlier filings."""
    if isinstance(row, ReadyRow):
        return Claim(row.reference, row.action, row.importer)
    raw = row.raw
    return claim_of_message(row, raw) if isinstance(raw, RawMessage) else claim_of(row)


def place_of(row: Verdict) -> Place:
    """The place of what is said of a checked row as a whole, or of its reference."""
    if isinstance(row, ReadyRow):
        return Place(row.file_row, row.line_no, row.reference)
    return head_of(row.raw)


def head_of(raw: Raw) -> Place:
    """The place of what is said of a row or message as a whole, or of its reference."""
    if isinstance(raw, RawMessage):
        spot = raw.spot("")
        return Place(raw.file_row, spot.line_no, spot.record)
    return Place(raw.file_row, raw.line_no, raw.values.get("filing_ref", ""))
