"""Streaming reader for CSV files of filings: each physical record once, nothing guessed.

Memory stays near one block of the file however large it is. A file whose structure is in doubt
(encoding, header, quotation marks) is refused as a whole, with the line, because from there on
nobody could say which row is which; a doubtful cell refuses only its row.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from app.advance_data.faults import FORBIDDEN_CHARACTERS, Place, RowFault, Severity, fault_of
from app.advance_data.rows import COLUMNS, Block, RawRow
from app.kernel.codes import CodeProblem


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold; sizes in bytes, cells in characters."""

    file_bytes: int = 1_000_000_000
    rows: int = 2_000_000
    cell: int = 32_767


class FileRefusedError(ValueError):
    """The file cannot be read on; `faults` say where and why. No row of it may be kept."""

    def __init__(self, *faults: RowFault) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


_SPEC: Final = "RFC 4180"
# A record longer than a block is refused; so an unclosed quotation mark cannot swallow a file.
_BLOCK: Final = 1 << 20
# As many rows without a fault are given together, if they were read together.
BLOCK_ROWS: Final = 1000
_BOM: Final = b"\xef\xbb\xbf"
_UNKNOWN_NAMED: Final = 50
# How workbooks and archives, old workbooks, PDF and compressed files begin.
_OTHER_FORMATS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"%PDF-", b"\x1f\x8b")
_QUOTED: Final = re.compile(r'"(?:[^"]++|"")*+"')
_CELL: Final = re.compile(rf'(?:{_QUOTED.pattern}|[^",\r\n][^,\r\n]*+|)(?:,|\r*\n|\r*\Z)')

_EMPTY: Final = CodeProblem(
    "EMPTY",
    "The file holds no rows.",
    "Send a file with the column names in the first line and one filing in each line after it.",
)
_ENCODING: Final = CodeProblem(
    "ENCODING",
    "The file is not encoded in UTF-8.",
    'Save it again as "CSV UTF-8".',
)
_FORMAT: Final = CodeProblem(
    "FORMAT",
    "This is not a CSV file.",
    'Open it in the program that made it and save it as "CSV UTF-8".',
)
_SEPARATOR: Final = CodeProblem(
    "SEPARATOR",
    "The columns are not separated by commas.",
    "Save the file again with commas between the columns.",
)
_UNKNOWN_COLUMN: Final = CodeProblem(
    "UNKNOWN_COLUMN",
    "There is no such column in a file of filings.",
    "Remove the column or correct its name.",
)
_MISSING_COLUMN: Final = CodeProblem(
    "MISSING_COLUMN",
    "The file lacks this column.",
    "Add the column; its cells may stay empty where a filing does not need them.",
)
_REPEATED_COLUMN: Final = CodeProblem(
    "REPEATED_COLUMN",
    "This column stands in the header more than once.",
    "Keep one of them.",
)
_UNCLOSED_QUOTE: Final = CodeProblem(
    "QUOTE",
    "A quotation mark opens in this line and never closes.",
    "Close it, or double it where it belongs to the text.",
)
_STRAY_QUOTE: Final = CodeProblem(
    "QUOTE",
    "The cell that opens with a quotation mark in this line goes on after its closing mark.",
    "Double the quotation marks that belong to the text, and look for one left open.",
)
_LINE_END: Final = CodeProblem(
    "LINE_END",
    "A carriage return stands alone in this line.",
    "Save the file again with ordinary line ends.",
)
_LONG_RECORD: Final = CodeProblem(
    "RECORD_LENGTH",
    "The row that begins in this line is too long to be a filing.",
    "Look for a missing line end or quotation mark.",
)
_FILE_SIZE: Final = CodeProblem(
    "FILE_SIZE",
    "The file is larger than 1 GB.",
    "Split it into several files.",
)
_FILE_ROWS: Final = CodeProblem(
    "FILE_ROWS",
    "The file has more than 2,000,000 rows.",
    "Split it into several files.",
)
_WIDTH: Final = CodeProblem(
    "WIDTH",
    "The row has more or fewer cells than the header.",
    "Give each column one cell; put a cell that holds a comma in quotation marks.",
)
_CHARACTER: Final = CodeProblem(
    "CHARACTER",
    "The cell holds a line break, a tab or an invisible character.",
    "Delete the cell's text and type it again.",
)
_CELL_LENGTH: Final = CodeProblem(
    "CELL_LENGTH",
    "The cell holds more than 32,767 characters.",
    "Shorten it.",
)


def read_csv(stream: BinaryIO, limits: Limits | None = None) -> Iterator[RawRow]:
    """Yield every data row of the file in order, faulty ones included; otherwise as `read_blocks`."""
    for one in read_blocks(stream, limits):
        if isinstance(one, Block):
            yield from one.rows()
        else:
            yield one


def read_blocks(  # noqa: C901, PLR0912, PLR0915 - millions of rows pass here, so it is one loop.
    stream: BinaryIO, limits: Limits | None = None
) -> Iterator[Block | RawRow]:
    """Yield every data row of the file in order: those without a fault together, the others alone.

    Lines without any character are no records; the lines are counted all the same. Raises
    FileRefusedError, at the header or at any later row: whoever keeps rows must be able to drop
    those of this file again.
    """
    limits = limits or Limits()
    lines = _Lines(stream, limits)
    reader = csv.reader(lines, strict=True)
    file_row = end = 0
    columns: tuple[str, ...] = ()
    # The rows that were read and are not given yet, and where the next of them would stand.
    plain: list[str] = []
    first = begun = count = follows = 0
    # The first row is given at once: whoever uploads the file waits for it.
    most = 1
    refusal: FileRefusedError | None = None
    try:
        for cells in reader:
            line_no, end = end + 1, reader.line_num
            lines.record.clear()
            if not cells:
                continue
            if not columns:
                columns = columns_of(cells, line_no)
                continue
            file_row += 1
            if file_row > limits.rows:
                raise _refusal(_FILE_ROWS, file_row, line_no)
            faults: tuple[RowFault, ...] = ()
            if len(cells) != len(columns):
                place = Place(file_row, line_no, _reference_in(columns, cells))
                faults = (_fault(_WIDTH, place, value=str(len(cells))),)
            elif end > line_no or line_no <= lines.doubtful_until:
                place = Place(file_row, line_no, _reference_in(columns, cells))
                values = dict(zip(columns, cells, strict=True))
                faults = tuple(cell_faults(values, place, limits.cell))
            if count and (faults or count == most or line_no != follows or lines.reads != begun):
                yield Block(columns, first, follows - count, plain)
                plain, count, most = [], 0, BLOCK_ROWS
            if faults:
                yield RawRow(file_row, line_no, dict(zip(columns, cells, strict=False)), faults)
                continue
            if not count:
                first, begun = file_row, lines.reads
            plain += cells
            count += 1
            follows = line_no + 1
    except csv.Error:
        refusal = _structure_refusal(lines.record, file_row + 1, end + 1)
    except FileRefusedError as refused:
        refusal = refused
    if count:
        yield Block(columns, first, follows - count, plain)
    if refusal is not None:
        raise refusal from None
    if not file_row:
        raise _refusal(_EMPTY, 0, end)


def _reference_in(columns: tuple[str, ...], cells: list[str]) -> str:
    return dict(zip(columns, cells, strict=False)).get("filing_ref", "")


def first_row(stream: BinaryIO) -> RawRow:
    """Return the first data row, after reading no more than a block or two of the file.

    Raises FileRefusedError as read_csv does, for what the beginning of the file shows.
    """
    return next(read_csv(stream))


class _Lines:
    """The file's lines as text, decoded strictly, a block at a time.

    `record` holds the lines since the reader last finished a record (the reader clears it);
    `reads` counts the blocks, so that what is kept of one is not kept through many;
    `doubtful_until` is the last line of the newest block in which some cell needs a closer look.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.record: list[str] = []
        self.doubtful_until = 0
        self.reads = 0
        self._stream = stream
        self._limits = limits
        self._line_no = 0

    def __iter__(self) -> Iterator[str]:
        """Yield line after line with its line end."""
        for block in self._blocks():
            if not self._line_no and block.startswith(_OTHER_FORMATS):
                raise _refusal(_FORMAT, 0, 0)
            self.reads += 1
            text = self._decoded(block)
            lines = io.StringIO(text, newline="\n").readlines()
            if sum(map(len, self.record)) + len(lines[0]) > _BLOCK:
                raise _refusal(_LONG_RECORD, 0, self._line_no + 1 - len(self.record))
            # Every forbidden character is unprintable, and this is the fastest way to ask.
            unprintable = not text.replace("\n", "").isprintable()
            if unprintable or max(map(len, lines)) > self._limits.cell:
                self.doubtful_until = self._line_no + len(lines)
            for line in lines:
                self._line_no += 1
                self.record.append(line)
                yield line

    def _blocks(self) -> Iterator[bytes]:
        """Yield blocks of whole lines; only the last may lack its line end."""
        start = self._stream.read(len(_BOM))
        rest = start.removeprefix(_BOM)
        size = len(start)
        while data := self._stream.read(_BLOCK):
            size += len(data)
            if size > self._limits.file_bytes:
                raise _refusal(_FILE_SIZE, 0, 0)
            lines, line_end, tail = data.rpartition(b"\n")
            if line_end:
                yield b"".join((rest, lines, line_end))
                rest = tail
            else:
                rest += data
                if len(rest) > 2 * _BLOCK:
                    raise _refusal(_LONG_RECORD, 0, self._line_no + 1)
        if rest:
            yield rest

    def _decoded(self, block: bytes) -> str:
        try:
            text = block.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line_no = self._line_no + 1 + block.count(b"\n", 0, error.start)
            raise _refusal(_ENCODING, 0, line_no) from None
        return text if text.isascii() else unicodedata.normalize("NFC", text)


def columns_of(cells: list[str], line_no: int) -> tuple[str, ...]:
    """Return the header's column names, or refuse the file with all that is wrong with them."""
    if any("\0" in cell for cell in cells):
        # UTF-16 without a byte order mark reads as UTF-8 with a NUL beside each letter.
        raise _refusal(_ENCODING, 0, line_no)
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t|"):
        raise _refusal(_SEPARATOR, 0, line_no)
    header = Place(0, line_no)
    columns = tuple(cell.strip().lower() for cell in cells)
    distinct = dict.fromkeys(columns)
    unknown = [column for column in distinct if column not in COLUMNS][:_UNKNOWN_NAMED]
    repeated = [column for column in COLUMNS if columns.count(column) > 1]
    missing = [column for column in COLUMNS if column not in distinct]
    faults = [
        *(_fault(_UNKNOWN_COLUMN, header, value=column) for column in unknown),
        *(_fault(_REPEATED_COLUMN, header, field=column) for column in repeated),
        *(_fault(_MISSING_COLUMN, header, field=column) for column in missing),
    ]
    if faults:
        raise FileRefusedError(*faults)
    return columns


def cell_faults(values: Mapping[str, str], place: Place, limit: int) -> Iterator[RowFault]:
    """Yield a fault for each text that is over the limit or holds what nobody can see."""
    for column, text in values.items():
        if len(text) > limit:
            yield _fault(_CELL_LENGTH, place, field=column, value=text)
        elif FORBIDDEN_CHARACTERS.search(text):
            yield _fault(_CHARACTER, place, field=column, value=text)


def _structure_refusal(record: list[str], file_row: int, line_no: int) -> FileRefusedError:
    """Say why the lines of `record`, the first being `line_no`, are not cells of CSV."""
    text = "".join(record)
    position = 0
    while position < len(text) and (cell := _CELL.match(text, position)):
        position = cell.end()
    if position == len(text):
        problem = _LONG_RECORD
        position = 0
    elif text[position] == '"':
        problem = _STRAY_QUOTE if _QUOTED.match(text, position) else _UNCLOSED_QUOTE
    else:
        problem = _LINE_END
    return _refusal(problem, file_row, line_no + text.count("\n", 0, position))


def _refusal(problem: CodeProblem, file_row: int, line_no: int) -> FileRefusedError:
    return FileRefusedError(_fault(problem, Place(file_row, line_no)))


def _fault(problem: CodeProblem, place: Place, *, field: str = "", value: str = "") -> RowFault:
    return form_fault(problem, place, _SPEC, field=field, value=value)


def form_fault(
    problem: CodeProblem,
    place: Place,
    spec: str,
    *,
    field: str = "",
    value: str = "",
    severity: Severity = Severity.ERROR,
) -> RowFault:
    """Return a fault of the file's form, whichever column it is in; `spec` is the form's rule."""
    fault = fault_of(problem, place, field=field, value=value, severity=severity)
    return replace(fault, spec_ref=spec)
