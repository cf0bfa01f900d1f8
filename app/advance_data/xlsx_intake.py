"""Reader for workbooks of filings: one sheet, the columns of the CSV, at most 50,000 rows.

What a workbook hides from its reader is a fault, never a guess: a formula (its last result may be
stale), a failed formula, a number with more digits than a spreadsheet keeps. Zeros that a spreadsheet
has dropped are not put back. Run it in the process of `reading`, which bounds memory and time.
"""

import datetime as dt
import io
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any, BinaryIO, Final, NoReturn

from python_calamine import CalamineError, CalamineWorkbook

from app.advance_data.csv_intake import (
    FileRefusedError,
    Limits,
    cell_faults,
    columns_of,
    form_fault,
)
from app.advance_data.faults import Place, RowFault, Severity
from app.advance_data.rows import RawRow
from app.documents.spreadsheets import Extent, SpreadsheetRefusedError, Watched, look_through
from app.kernel.codes import CodeProblem

LIMITS: Final = Limits(file_bytes=25_000_000, rows=50_000)
MOST_COLUMNS: Final = 200
MOST_SHEETS: Final = 1000
_SPEC: Final = "ECMA-376"
# A number of more digits is not what was typed: spreadsheets keep fifteen.
_EXACT: Final = 10**15

_FORMAT: Final = CodeProblem(
    "FORMAT",
    "This is not a workbook that can be read.",
    'Open it in the program that made it and save it as "Excel workbook (.xlsx)", without macros '
    "and without a password.",
)
_XML: Final = CodeProblem(
    "FORMAT",
    "The workbook holds parts that no spreadsheet program writes.",
    'Copy its rows into a new workbook and save that as "Excel workbook (.xlsx)".',
)
_SHEETS: Final = CodeProblem(
    "SHEETS",
    "More than one sheet of the workbook holds data.",
    "Keep the sheet with the filings and remove the others, hidden ones too.",
)
_EXTENT: Final = CodeProblem(
    "FILE_ROWS",
    "The sheet reaches beyond 50,000 rows or 200 columns.",
    "Split it into several files, and delete stray cells far below or beside the rows.",
)
_EMPTY: Final = CodeProblem(
    "EMPTY",
    "The sheet holds no rows.",
    "Put the column names into the first row and one filing into each row after it.",
)
_WIDTH: Final = CodeProblem(
    "WIDTH",
    "The row has a cell beside the columns of the header.",
    "Delete what stands there, or give it a column.",
)
_FORMULA: Final = CodeProblem(
    "FORMULA",
    "The cell holds a formula.",
    "Copy the cell and paste it in its place as a value.",
)
_FAILED: Final = CodeProblem(
    "CELL_ERROR",
    "The cell holds an error instead of a value.",
    "Type the value into the cell.",
)
_DIGITS: Final = CodeProblem(
    "NUMBER",
    "The number has more digits than a spreadsheet keeps.",
    "Format the cell as text and type the number again.",
)
_ZEROS: Final = CodeProblem(
    "ZEROS",
    "The reference is a number in the workbook; zeros at its beginning are lost.",
    "If it began with zeros, format the cell as text and type it again.",
)

_WATCHED: Final[Mapping[Watched, CodeProblem]] = {"formula": _FORMULA, "error": _FAILED}
_REFUSED: Final = {"format": _FORMAT, "parts": _XML, "extent": _EXTENT}


def read_xlsx(stream: BinaryIO, limits: Limits = LIMITS) -> Iterator[RawRow]:
    """Yield every data row of the one sheet in order, faulty ones included.

    `line_no` is the row of the sheet. Rows without any value are no records. Raises
    FileRefusedError before the first row.
    """
    content = stream.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        _refuse(_EXTENT)
    watched = _watched(content, limits)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        filled = [
            (name, sheet)
            for name in names
            if (sheet := workbook.get_sheet_by_name(name)).start is not None
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefusedError(form_fault(_FORMAT, Place(0, 0), _SPEC)) from error
    if not filled:
        _refuse(_EMPTY)
    if len(filled) > 1:
        _refuse(_SHEETS)
    return _rows(filled[0][1].iter_rows(), watched, limits)


def _rows(
    cells_of_rows: Iterator[list[Any]],
    watched: Mapping[tuple[int, int], CodeProblem],
    limits: Limits,
) -> Iterator[RawRow]:
    columns: tuple[str, ...] = ()
    file_row = 0
    marked = {row for row, _ in watched}
    # The parser ends with the last value; a formula without one may stand below it.
    last = max(marked, default=0)
    for line_no, cells in enumerate(chain(cells_of_rows, repeat([])), 1):
        if not cells and line_no > last:
            break
        if line_no not in marked and all(cell in {"", None} for cell in cells):
            continue
        texts = [_text(cell) for cell in cells]
        if not columns:
            while texts and not texts[-1].strip():
                texts.pop()
            columns = columns_of(texts, line_no)
            continue
        file_row += 1
        if file_row > limits.rows:
            _refuse(_EXTENT)
        texts += [""] * (len(columns) - len(texts))
        values = dict(zip(columns, texts, strict=False))
        place = Place(file_row, line_no, values["filing_ref"])
        yield RawRow(
            file_row, line_no, values, _faults(cells, columns, values, place, watched, limits)
        )
    if not file_row:
        _refuse(_EMPTY)


def _faults(
    cells: list[Any],
    columns: tuple[str, ...],
    values: Mapping[str, str],
    place: Place,
    watched: Mapping[tuple[int, int], CodeProblem],
    limits: Limits,
) -> tuple[RowFault, ...]:
    beside = [cell for cell in cells[len(columns) :] if cell not in {"", None}]
    if beside or any(
        (place.line_no, at) in watched for at in range(len(columns), len(columns) + MOST_COLUMNS)
    ):
        return (form_fault(_WIDTH, place, _SPEC, value=_text(beside[0]) if beside else ""),)
    found: list[RowFault] = []
    for at, column in enumerate(columns):
        problem = watched.get((place.line_no, at))
        cell = cells[at] if at < len(cells) else ""
        severity = Severity.ERROR
        if problem is None and isinstance(cell, float) and not isinstance(cell, bool):
            if abs(cell) >= _EXACT:
                problem = _DIGITS
            elif column == "filing_ref":
                problem, severity = _ZEROS, Severity.WARNING
        if problem is not None:
            found.append(
                form_fault(
                    problem, place, _SPEC, field=column, value=values[column], severity=severity
                )
            )
    told = {fault.field for fault in found}
    rest = {column: text for column, text in values.items() if column not in told}
    return (*found, *cell_faults(rest, place, limits.cell))


def _text(cell: Any) -> str:  # noqa: ANN401 - whatever a cell may hold.
    """The cell as text: what a person would read, without what a spreadsheet adds."""
    if isinstance(cell, str):
        return unicodedata.normalize("NFC", cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _watched(content: bytes, limits: Limits) -> dict[tuple[int, int], CodeProblem]:
    """Where formulas and failed cells stand: row of the sheet, column from 0.

    One sheet alone may hold data, so whatever is watched stands in it.
    """
    # A sheet may have a title and blank rows besides.
    extent = Extent(rows=limits.rows + 1000, columns=MOST_COLUMNS, sheets=MOST_SHEETS)
    try:
        sheets = look_through(content, extent)
    except SpreadsheetRefusedError as refusal:
        problem = _REFUSED[refusal.code]
        message = refusal.told or problem.message
        raise FileRefusedError(
            form_fault(CodeProblem(problem.code, message, problem.fix), Place(0, 0), _SPEC)
        ) from refusal
    return {
        (row + 1, column): _WATCHED[kind]
        for found in sheets.values()
        for (row, column), kind in found.items()
    }


def _refuse(problem: CodeProblem) -> NoReturn:
    raise FileRefusedError(form_fault(problem, Place(0, 0), _SPEC))
