"""Reader for a file of ABI messages: the envelope is checked, each filing is handed out once.

A physical record of this format is one filing: an SF10 with everything up to the next one or to
the end of its block. Lines of a block before its first SF10 are one physical record too, a refused
one, so that every line between B and Y belongs to exactly one. Where the envelope is in doubt the
file is refused as a whole, as a batch is in the chapter on batch and block control.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NoReturn

from app.advance_data.abi.fields import isf_fault
from app.advance_data.abi.grouping import LENGTH, grouped
from app.advance_data.abi.layout import FILLED, PRINTABLE, STRANGE, WIDTH, Decoded
from app.advance_data.abi.model import Envelope, RawMessage
from app.advance_data.abi.records import ENVELOPE_RECORDS, RECORDS, record_of
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import Place, RowFault
from app.kernel.codes import CodeProblem

APPLICATION: Final = "SF"


@dataclass(frozen=True, slots=True)
class AbiLimits:
    """What one file and one filing may hold; a filing of the chapter has some 4,000 records."""

    file_bytes: int = 50_000_000
    lines: int = 8_000


FORMAT: Final = CodeProblem(
    "FORMAT",
    "This is not a file of ABI messages.",
    "Begin it with record A; every line has 80 characters of plain text.",
)
NO_BLOCK: Final = CodeProblem(
    "X03", "Record B is missing before this line.", "Begin each block with record B."
)
NO_BLOCK_END: Final = CodeProblem(
    "X05",
    "Record Y is missing: the block does not end.",
    "End each block with record Y. If the file was cut off, send it again.",
)
NO_END: Final = CodeProblem(
    "X06",
    "Record Z is missing: the transmission does not end.",
    "End the transmission with record Z. If the file was cut off, send it again.",
)
OTHER_END: Final = CodeProblem(
    "X14",
    "Record Z does not agree with record A.",
    "Repeat site, filer, date and office of record A in record Z.",
)
OTHER_BLOCK_END: Final = CodeProblem(
    "X32",
    "Record Y does not agree with record B.",
    "Repeat port, filer, application and office of record B in record Y.",
)
ENVELOPE: Final = CodeProblem(
    STRANGE,
    "The record of the envelope is not as its layout says.",
    "Compare the line with the layout of its record.",
)
APPLICATION_ID: Final = CodeProblem(
    "APPLICATION",
    "This is not a message of filings.",
    "Send application SF here, in records A, B and Y.",
)
_NOTHING: Final = CodeProblem(
    "EMPTY",
    "The file holds no filings.",
    "Put at least one filing between the records B and Y.",
)
_SIZE: Final = CodeProblem(
    "FILE_SIZE", "The file is larger than 50 MB.", "Split it into several files."
)
_LONG: Final = CodeProblem(
    "RECORD_LENGTH",
    "The filing that begins in this line is longer than a filing can be.",
    "Look for a missing record SF10 or Y, or for a missing line end.",
)

# Which members of the second record repeat those of the first.
_REPEATED: Final = {
    "Z": ("site", "filer", "date", "office"),
    "Y": ("port", "filer", "application", "office"),
}


def read_abi(stream: BinaryIO, limits: AbiLimits | None = None) -> Iterator[RawMessage]:
    """Yield every filing of the file in order, faulty ones included.

    Lines without any character are no records; they are counted all the same. Raises
    FileRefusedError, at the first line or at any later one: whoever keeps filings must be able to
    drop those of this file again.
    """
    limits = limits or AbiLimits()
    envelope = _Envelope()
    pending: list[tuple[int, str]] = []
    file_row = line_no = 0
    around = Envelope()
    for line_no, line in _lines(stream, limits):
        if not line:
            continue
        kind = record_of(line)
        if kind is not None and kind.id in ENVELOPE_RECORDS:
            if pending:
                file_row += 1
                yield grouped(file_row, pending, around)
                pending = []
            envelope.take(line_no, line)
            around = envelope.repeated
            continue
        if not envelope.in_block:
            envelope.refuse_filing(line_no)
        if kind is not None and kind.id == "SF10" and pending:
            file_row += 1
            yield grouped(file_row, pending, around)
            pending = []
        pending.append((line_no, line))
        if len(pending) > limits.lines:
            _refuse(_LONG, pending[0][0], line[:4])
    envelope.end(line_no)
    if not file_row:
        _refuse(_NOTHING, line_no)


@dataclass
class _Envelope:
    """How far the records A, B, Y and Z have come; any that is out of turn refuses the file."""

    open: list[Decoded] = field(default_factory=list)
    blocks: int = 0

    @property
    def in_block(self) -> bool:
        return len(self.open) == 2  # noqa: PLR2004 - A and B.

    @property
    def repeated(self) -> Envelope:
        """What an answer repeats of the records that are open."""
        values = {name: text for one in self.open for name, text in one.values.items()}
        return Envelope(*(values.get(name, "") for name in Envelope._fields))

    def take(self, line_no: int, line: str) -> None:
        """Take the next record of the envelope."""
        record = line[0]
        expected = _TURNS[len(self.open)]
        if record not in expected:
            _refuse(_OUT_OF_TURN[len(self.open)], line_no, record)
        decoded = RECORDS[record].decode(line)
        if len(line) != WIDTH:
            _refuse(LENGTH, line_no, record, value=str(len(line)))
        if decoded.flaws:
            flaw = decoded.flaws[0]
            # The first record holds a password: of it nothing is repeated.
            shown = "" if record == "A" or flaw.code == FILLED else flaw.value
            _refuse(ENVELOPE, line_no, record, name=flaw.field, value=shown)
        if _FILER.fullmatch(decoded.values["filer"]) is None:
            _refuse(ENVELOPE, line_no, record, name="filer", value=decoded.values["filer"])
        if decoded.values.get("application", APPLICATION) != APPLICATION:
            _refuse(APPLICATION_ID, line_no, record, name="application")
        if record in {"A", "B"}:
            self.open.append(decoded)
            return
        first = self.open.pop()
        for name in _REPEATED[record]:
            if first.values.get(name) != decoded.values.get(name):
                problem = OTHER_END if record == "Z" else OTHER_BLOCK_END
                _refuse(problem, line_no, record, name=name)

    def refuse_filing(self, line_no: int) -> NoReturn:
        """A line of a filing stands where none may be."""
        _refuse(NO_BLOCK if self.open else FORMAT, line_no, "B" if self.open else "A")

    def end(self, line_no: int) -> None:
        """The file is over."""
        if self.open:
            _refuse(NO_BLOCK_END if self.in_block else NO_END, line_no, "YZ"[2 - len(self.open)])


# Which records may come, and what is wrong when another does, by how many are open.
_TURNS: Final = ({"A"}, {"B", "Z"}, {"Y"})
_OUT_OF_TURN: Final = (FORMAT, NO_END, NO_BLOCK_END)


def envelope_of(stream: BinaryIO) -> Envelope:
    """What can be repeated of the first line of a file, also of one that was refused."""
    first = stream.readline(_LINE).decode("latin-1").rstrip("\r\n")
    if record_of(first) is not RECORDS["A"]:
        return Envelope()
    values = RECORDS["A"].decode(first).values
    return Envelope(
        *(
            text if PRINTABLE.fullmatch(text := values.get(name, "")) else ""
            for name in Envelope._fields
        )
    )


def _lines(stream: BinaryIO, limits: AbiLimits) -> Iterator[tuple[int, str]]:
    """Each line without its end, with its number; whatever a byte is, it is one character."""
    size = line_no = 0
    while data := stream.readline(_LINE):
        line_no += 1
        size += len(data)
        if size > limits.file_bytes:
            _refuse(_SIZE, line_no)
        if len(data) == _LINE and not data.endswith(b"\n"):
            _refuse(FORMAT if line_no == 1 else _LONG, line_no)
        yield line_no, data.decode("latin-1").removesuffix("\n").removesuffix("\r")


_LINE: Final = 1_000
_FILER: Final = re.compile(r"[A-Z0-9]{3}")


def _refuse(
    problem: CodeProblem, line_no: int, record: str = "", *, name: str = "", value: str = ""
) -> NoReturn:
    fault: RowFault = isf_fault(problem, Place(0, line_no, record), field=name, value=value)
    raise FileRefusedError(fault)
