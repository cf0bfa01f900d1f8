"""CSV files that people open in a spreadsheet: faults, and the template of a batch."""

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO, Final

from app.advance_data.models import FilingFault
from app.advance_data.rows import COLUMNS

# A spreadsheet takes a cell that begins so for a formula, some of them in full width too
# (OWASP ASVS 5.0, 1.2.10).
_FORMULA_STARTS: Final = frozenset(
    "=+-@\t\r\n\0\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
FAULT_COLUMNS: Final = (
    *("file_row", "line_no", "record", "field", "code", "severity"),
    *("value", "message", "fix", "spec_ref"),
)
# Complete and well-formed; its importer number is nobody's, so that nobody files it by mistake.
EXAMPLE: Final = {
    "filing_ref": "EXAMPLE-0001",
    "action": "A",
    "importer_number": "98-765432100",
    "consignee_number": "98-765432100",
    "bill_type": "OB",
    "bill_number": "MAEU123456789012",
    "container_number": "CSQU3054383",
    "hts": "8507600020",
    "country_of_origin": "VN",
    "mf_name": "Hanoi Cell Works",
    "mf_address": "12 Industrial Road",
    "mf_city": "Hanoi",
    "mf_country": "VN",
    "mf_duns": "",
    "mid": "VNHANCEL12HAN",
    "seller_name": "Red River Trading",
    "buyer_name": "Blue Harbor Imports",
    "ship_to_name": "Blue Harbor Warehouse 2",
    "stuffing_country": "VN",
    "consolidator_name": "Delta Freight",
    "port_lading": "VNSGN",
    "port_unlading": "2704",
    "etd": "2026-06-20",
    "value_usd": "26453.09",
    "quantity": "712",
    "uom": "PCS",
}


def formula_safe(text: str) -> str:
    """Return `text` with an apostrophe before it if a spreadsheet could take it for a formula."""
    # Some programs drop leading blanks before they look, so the first visible character counts.
    starts = {text[:1], text.lstrip()[:1]}
    return f"'{text}" if starts & _FORMULA_STARTS else text


def template_csv() -> str:
    """Return the header and one example row."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows((COLUMNS, [EXAMPLE[column] for column in COLUMNS]))
    return text.getvalue()


def write_faults(faults: Iterable[FilingFault], into: BinaryIO) -> None:
    """Write the contract's columns of each fault, in UTF-8 with the mark that spreadsheets want."""
    text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(FAULT_COLUMNS)
    writer.writerows(
        [formula_safe(str(getattr(fault, column))) for column in FAULT_COLUMNS] for fault in faults
    )
    text.detach()
