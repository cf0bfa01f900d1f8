"""The rows of a file that were not filed, as a workbook to correct and to send again.

Every value is a text in it, so that no spreadsheet takes one for a formula or drops its zeros; each
faulty cell is coloured and has a note that says what is wrong and what to do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO, Final

import xlsxwriter

from app.advance_data.faults import FORBIDDEN_CHARACTERS
from app.advance_data.models import FilingFault
from app.advance_data.rows import COLUMNS
from app.kernel.identifiers import masked

SHEET: Final = "Filings"
MOST_ROWS: Final = 50_000
_CELL: Final = 32_767
_NOTE: Final = 1_000
_IDENTIFIERS: Final = frozenset({"importer_number", "consignee_number"})
_WIDTH: Final = 18

Marked = tuple[Mapping[str, str], Sequence[FilingFault]]


def write_workbook(rows: Iterable[Marked], words: Callable[[str], str], into: BinaryIO) -> None:
    """Write each row with its faults; `words` translates the faults' texts.

    Numbers of social-security form are masked and must be typed again.
    """
    book = xlsxwriter.Workbook(
        into,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    head = book.add_format({"bold": True, "num_format": "@"})
    plain = book.add_format({"num_format": "@"})
    tones = {
        "error": book.add_format({"num_format": "@", "bg_color": "#F8DFE2", "border": 1}),
        "warning": book.add_format({"num_format": "@", "bg_color": "#FAF3D1", "border": 1}),
    }
    sheet = book.add_worksheet(SHEET)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(COLUMNS) - 1, _WIDTH, plain)
    for at, column in enumerate(COLUMNS):
        sheet.write_string(0, at, column, head)
    for number, (values, faults) in enumerate(rows, 1):
        of: dict[str, list[FilingFault]] = {}
        for fault in faults:
            of.setdefault(fault.field if fault.field in COLUMNS else COLUMNS[0], []).append(fault)
        for at, column in enumerate(COLUMNS):
            found = of.get(column, [])
            severity = min((fault.severity for fault in found), default="")
            sheet.write_string(
                number, at, _safe(values.get(column, ""), column), tones.get(severity, plain)
            )
            if found:
                note = "\n".join(f"{words(one.message)} {words(one.fix)}" for one in found)
                sheet.write_comment(number, at, note[:_NOTE], {"x_scale": 2, "y_scale": 1.5})
    book.close()


def _safe(text: str, column: str) -> str:
    """The value as it was, but for what no cell may hold and for personal numbers."""
    readable = FORBIDDEN_CHARACTERS.sub("", text)[:_CELL]
    return masked(readable, identifier=column in _IDENTIFIERS)
