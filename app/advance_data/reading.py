"""A file read in a process of its own, bounded in memory and time and without any of our secrets.

A file is the trader's text, and a parser that it breaks must not hold a database connection, a key
or the job of another trader. The child gets the plain bytes on its standard input and gives rows
as lines of JSON, which is all that this process takes from it.
"""

import io
import json
import resource
import subprocess
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from typing import IO, Any, BinaryIO, Final

from app.advance_data.abi.model import Envelope, RawMessage, Spot
from app.advance_data.checks import Raw
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import Place, RowFault, Severity, fault_of
from app.advance_data.rows import Block, RawRow
from app.documents.apart import MEMORY, STOPPED, ReadingFailedError, bound, start
from app.kernel.codes import CodeProblem

SECONDS: Final = 20
# A large file may take longer, at the pace of a slow machine, but only as it is read: whatever part
# of it a reader gets stuck in, it is stopped there.
BYTES_A_SECOND: Final = 1_000_000
CHUNK: Final = 1 << 16
# A line holds no more than two megabytes of text, or the one row that is longer: at most that of a
# workbook, 200 cells of 32,767 characters. Every character spelt out, that is no longer than this.
LINE: Final = 64 << 20
# Between two cells that are said in one text.
SEPARATOR: Final = "\x1f"
# Every row is left out.
NO_ROWS: Final = 1 << 40

_TOO_MUCH: Final = CodeProblem(
    "TOO_MUCH",
    "Reading the file takes more memory or time than a file may take.",
    "Save it again from the program that made it, or split it into several files.",
)


def read_apart(
    stream: BinaryIO, media_type: str, size: int, *, after: int = 0
) -> Generator[Raw, None, None]:
    """Yield every row of the file but the first `after`, each by itself; otherwise as `blocks_apart`."""
    with closing(blocks_apart(stream, media_type, size, after=after)) as given:
        for one in given:
            if isinstance(one, Block):
                yield from one.rows()
            else:
                yield one


def blocks_apart(
    stream: BinaryIO, media_type: str, size: int, *, after: int = 0
) -> Generator[Raw | Block, None, None]:
    """Yield every row of the file but the first `after`, as the reader of its format does in a child.

    Raises FileRefusedError as that reader does, and when the child reaches its limits; whatever
    the stream raises; ReadingFailedError. The child ends with the generator.
    """
    with _child(stream, media_type, size, after) as lines:
        for kind, rest in lines:
            if kind == "plain":
                yield _block(*rest)
            elif kind == "rows":
                yield from _rows(*rest)
            elif kind == "messages":
                yield from map(_message, rest[0])


def count_apart(stream: BinaryIO, media_type: str, size: int) -> int:
    """How many rows the file has, after reading all of it; raises as `read_apart` does."""
    with _child(stream, media_type, size, NO_ROWS) as lines:
        return sum(rest[0] for kind, rest in lines if kind == "skipped")


@contextmanager
def _child(
    stream: BinaryIO, media_type: str, size: int, after: int
) -> Iterator[Iterator[tuple[str, list[Any]]]]:
    """A child that reads the stream, as what it says; it ends with the context."""
    seconds = SECONDS + size // BYTES_A_SECOND
    child = start(_PROGRAM, media_type, str(seconds), str(MEMORY), str(after))
    assert child.stdin is not None  # noqa: S101 - both are pipes.
    assert child.stdout is not None  # noqa: S101
    hands = ThreadPoolExecutor(max_workers=1)
    feeding = hands.submit(_feed, stream, child.stdin)
    try:
        yield _taken(child, child.stdout, feeding)
    finally:
        child.kill()
        hands.shutdown()
        child.stdout.close()
        child.wait()


_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from app.advance_data.reader import main; main()"
)


def _feed(stream: BinaryIO, into: IO[bytes]) -> None:
    """Hand the bytes over. A child that stops listening is no trouble; a broken file is."""
    try:
        while chunk := stream.read(CHUNK):
            try:
                into.write(chunk)
            except BrokenPipeError:
                break
    finally:
        with suppress(BrokenPipeError):
            into.close()


def _taken(
    child: subprocess.Popen[bytes],
    lines: IO[bytes],
    feeding: Future[None],
) -> Iterator[tuple[str, list[Any]]]:
    """What the child says, until it says that this was all."""
    while line := lines.readline(LINE):
        if not line.endswith(b"\n"):
            if len(line) >= LINE:
                msg = "the process that reads a file says more at once than it may"
                raise ReadingFailedError(msg)
            break  # It ended in the middle of it; how, is asked below.
        kind, *rest = json.loads(line)
        if kind not in {"refused", "done"}:
            yield kind, rest
            continue
        _raise_first(feeding)
        if kind == "refused":
            raise FileRefusedError(*map(_fault, rest[0]))
        return
    code = child.wait()
    _raise_first(feeding)
    if code in STOPPED:
        raise FileRefusedError(fault_of(_TOO_MUCH, Place(0, 0)))
    msg = f"the process that reads a file ended with {code}"
    raise ReadingFailedError(msg)


def _raise_first(feeding: Future[None]) -> None:
    """A file that could not be read to its end is not what was received, whatever came of it."""
    # Not `result(timeout=1)`: the file's own time-out would look like the one of waiting.
    wait([feeding], timeout=1)
    if feeding.done():
        feeding.result()


def _fault(given: list[Any]) -> RowFault:
    fault = RowFault(*given)
    return RowFault(**{**_members(fault), "severity": Severity(fault.severity)})


def _members(fault: RowFault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in RowFault.__dataclass_fields__}


def _rows(columns: list[str], rows: list[list[Any]]) -> Iterator[RawRow]:
    """Rows whose values are a list are those of these columns; others say theirs."""
    for file_row, line_no, values, faults in rows:
        yield RawRow(
            file_row,
            line_no,
            dict(zip(columns, values, strict=True)) if isinstance(values, list) else values,
            tuple(map(_fault, faults)) if faults else (),
        )


def _block(columns: list[str], file_row: int, line_no: int, text: str) -> Block:
    cells = text.split(SEPARATOR)
    if len(cells) % len(columns):
        msg = "the process that reads a file gave no whole rows"
        raise ReadingFailedError(msg)
    return Block(tuple(columns), file_row, line_no, cells)


def _message(given: list[Any]) -> RawMessage:
    file_row, line_no, values, spots, faults, lines, envelope = given
    return RawMessage(
        file_row,
        line_no,
        values,
        {path: Spot(*spot) for path, spot in spots.items()},
        tuple(map(_fault, faults)),
        tuple((number, text) for number, text in lines),
        Envelope(*envelope),
    )


def limit(seconds: int, memory: int) -> None:
    """Bound this process; called in the child before it reads a byte of the file."""
    bound(min(seconds, SECONDS), seconds + 5, memory)


class Paced(io.RawIOBase):
    """The file as it comes; the seconds of processor that may be used grow with what was taken."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._taken = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Take the next bytes, and with each megabyte a second more."""
        taken = self._stream.readinto1(buffer)  # type: ignore[attr-defined]
        before, self._taken = self._taken, self._taken + taken
        if before // BYTES_A_SECOND != self._taken // BYTES_A_SECOND:
            _, most = resource.getrlimit(resource.RLIMIT_CPU)
            allowed = min(SECONDS + self._taken // BYTES_A_SECOND, most)
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))
        return int(taken)
