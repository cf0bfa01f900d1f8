"""Reader for NDJSON: one filing as a JSON object in each line, the columns of the CSV as names.

A line that is no such object refuses itself alone: unlike a CSV file, the next line begins where
it seems to.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from app.advance_data.csv_intake import FileRefusedError, Limits, form_fault
from app.advance_data.faults import Place
from app.advance_data.json_intake import ON_BEHALF_OF, UnreadableFilingError, read_filing
from app.advance_data.rows import RawRow
from app.kernel.codes import CodeProblem

LINE: Final = 1 << 20
_SPEC: Final = "RFC 8259"

_FORMAT: Final = CodeProblem(
    "FORMAT",
    "This is not a file with one JSON object in each line.",
    "Write each filing as one JSON object in one line, without a list around them.",
)
_EMPTY: Final = CodeProblem(
    "EMPTY", "The file holds no rows.", "Write each filing as one JSON object in one line."
)
_LONG: Final = CodeProblem(
    "RECORD_LENGTH",
    "The line is too long to be a filing.",
    "Look for a missing line end.",
)
_SIZE: Final = CodeProblem(
    "FILE_SIZE", "The file is larger than 1 GB.", "Split it into several files."
)
_ROWS: Final = CodeProblem(
    "FILE_ROWS", "The file has more than 2,000,000 rows.", "Split it into several files."
)
_OBJECT: Final = CodeProblem(
    "JSON",
    "The line is not one filing as a JSON object.",
    "Give an object with the columns as names, each once, and texts or numbers as values.",
)


def read_ndjson(stream: BinaryIO, limits: Limits | None = None) -> Iterator[RawRow]:
    """Yield every line's row in order, faulty ones included; blank lines are no records.

    Raises FileRefusedError, at the first line or at any later one.
    """
    limits = limits or Limits()
    file_row = line_no = size = 0
    while line := stream.readline(LINE + 1):
        line_no += 1
        size += len(line)
        if size > limits.file_bytes:
            _refuse(_SIZE, line_no)
        if len(line) > LINE:
            _refuse(_LONG, line_no)
        text = line.removeprefix(b"\xef\xbb\xbf") if line_no == 1 else line
        if not text.strip(b" \t\r\n"):
            continue
        if not file_row and not text.lstrip().startswith(b"{"):
            _refuse(_FORMAT, line_no)
        file_row += 1
        if file_row > limits.rows:
            _refuse(_ROWS, line_no)
        yield _row(text, file_row, line_no)
    if not file_row:
        _refuse(_EMPTY, line_no)


def _row(text: bytes, file_row: int, line_no: int) -> RawRow:
    try:
        given = read_filing(text, file_row, line_no)
    except UnreadableFilingError as error:
        first = error.problems[0]
        fault = form_fault(_OBJECT, Place(file_row, line_no), _SPEC, value=first.field or "")
        return RawRow(file_row, line_no, {}, (fault,))
    if given.on_behalf_of:
        place = Place(file_row, line_no, given.row.values.get("filing_ref", ""))
        fault = form_fault(_OBJECT, place, _SPEC, value=f"/{ON_BEHALF_OF}")
        return RawRow(file_row, line_no, given.row.values, (fault,))
    return given.row


def _refuse(problem: CodeProblem, line_no: int) -> None:
    raise FileRefusedError(form_fault(problem, Place(0, line_no), _SPEC))
