"""One door to the rules: a row of columns and a message are checked by the rules of their format."""

from app.advance_data.abi.checking import check_message, claim_of_message
from app.advance_data.abi.model import RawMessage
from app.advance_data.faults import Place
from app.advance_data.rows import RawRow
from app.advance_data.rules import (
    NO_LISTS,
    CheckedRow,
    Claim,
    KnownCodes,
    check_row,
    claim_of,
)

Raw = RawRow | RawMessage


def check(raw: Raw, known: KnownCodes = NO_LISTS) -> CheckedRow:
    """Return the filing or None, and all faults; `known` are the lists to warn by."""
    return check_message(raw, known) if isinstance(raw, RawMessage) else check_row(raw, known)


def claim_of_any(row: CheckedRow) -> Claim:
    """Return what the row or message claims of the register and of earlier filings."""
    raw = row.raw
    return claim_of_message(row, raw) if isinstance(raw, RawMessage) else claim_of(row)


def head_of(raw: Raw) -> Place:
    """The place of what is said of a row or message as a whole, or of its reference."""
    if isinstance(raw, RawMessage):
        spot = raw.spot("")
        return Place(raw.file_row, spot.line_no, spot.record)
    return Place(raw.file_row, raw.line_no, raw.values.get("filing_ref", ""))
