"""Reader for workbooks of filings: one sheet, the columns of the CSV, at most 50,000 rows.

What a workbook hides from its reader is a fault, never a guess: a formula (its last result may be
stale), a failed formula, a number with more digits than a spreadsheet keeps. Zeros that a spreadsheet
has dropped are not put back. Run it in the process of `reading`, which bounds memory and time.
"""

import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any, BinaryIO, Final, NoReturn
from xml.parsers import expat

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
from app.documents.inspection import inspect
from app.kernel.codes import CodeProblem
from app.kernel.errors import Problem

LIMITS: Final = Limits(file_bytes=25_000_000, rows=50_000)
MOST_COLUMNS: Final = 200
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

_ROW: Final = re.compile(rb"<(?:\w{1,20}:)?row\s[^>]{0,500}?\br\s*=\s*[\"'](\d{1,12})[\"']")
_WIDE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{2,4})\d")
_WATCHED: Final = re.compile(rb"<(?:\w{1,20}:)?f[\s/>]|\bt\s*=\s*[\"']e[\"']")
_DTD: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def read_xlsx(stream: BinaryIO, limits: Limits = LIMITS) -> Iterator[RawRow]:
    """Yield every data row of the one sheet in order, faulty ones included.

    `line_no` is the row of the sheet. Rows without any value are no records. Raises
    FileRefusedError before the first row.
    """
    content = stream.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        _refuse(_EXTENT)
    inspected = inspect(io.BytesIO(content), "filings.xlsx")
    if isinstance(inspected, Problem):
        _refuse(CodeProblem(_FORMAT.code, inspected.message, _FORMAT.fix))
    sheets = _sheets(content, limits)
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
    # Which file belongs to which sheet is for the parser to say; with one sheet that holds data,
    # whatever is watched stands in it.
    watched = {place: problem for found in sheets for place, problem in found.items()}
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


def _sheets(content: bytes, limits: Limits) -> list[dict[tuple[int, int], CodeProblem]]:
    """Look at the parts as text before a parser sees them; what to watch in each sheet.

    A sheet that claims to reach to its last corner would be laid out in memory up to there.
    """
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.filename.lower().endswith((".xml", ".rels")):
                continue
            part = archive.read(entry)
            # Parts in UTF-16 would hide what is looked for.
            if b"\0" in part or _DTD.search(part):
                _refuse(_XML)
            if "/worksheets/" not in entry.filename.lower():
                continue
            rows = max((int(one[1]) for one in _ROW.finditer(part)), default=0)
            wide = max((_number(one[1]) for one in _WIDE.finditer(part)), default=0)
            if rows > limits.rows + 1000 or wide > MOST_COLUMNS:
                _refuse(_EXTENT)
            if _WATCHED.search(part):
                found.append(_watch(part))
    return found


def _number(letters: bytes) -> int:
    number = 0
    for sign in letters.upper():
        number = number * 26 + sign - 64
    return number


def _watch(part: bytes) -> dict[tuple[int, int], CodeProblem]:
    """Where formulas and failed cells stand: row of the sheet, column from 0."""
    found: dict[tuple[int, int], CodeProblem] = {}
    at = [(0, 0)]

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            given = attributes.get("r", "")
            at[0] = (int(given) if given.isdecimal() else at[0][0] + 1, -1)
        elif local == "c":
            row, column = at[0]
            place = _CELL.fullmatch(attributes.get("r", ""))
            at[0] = (int(place[2]), _number(place[1].encode()) - 1) if place else (row, column + 1)
            if attributes.get("t") == "e":
                found[at[0]] = _FAILED
        elif local == "f":
            found[at[0]] = _FORMULA

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(part, True)  # noqa: FBT003 - the C interface takes it by position.
    except expat.ExpatError:
        _refuse(_FORMAT)
    return found


def _refuse(problem: CodeProblem) -> NoReturn:
    raise FileRefusedError(form_fault(problem, Place(0, 0), _SPEC))
