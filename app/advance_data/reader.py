"""The program of the child process that `reading` starts: bytes in, rows as lines of JSON out."""

import json
import sys
from collections.abc import Iterator
from dataclasses import astuple
from io import BufferedReader
from typing import Any, BinaryIO

from app.advance_data.abi.model import RawMessage
from app.advance_data.checks import Raw
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import RowFault
from app.advance_data.formats import FORMATS
from app.advance_data.reading import CHUNK, SEPARATOR, Paced, limit
from app.advance_data.rows import Block
from app.documents.apart import OUT_OF_MEMORY

BLOCK = 100
# Of a file of long rows fewer of them are said at once.
TEXT = 2_000_000


def main() -> None:
    """Read the file of the format that the arguments name, within their limits."""
    _, media_type, seconds, memory, after = sys.argv[1:]
    limit(int(seconds), int(memory))
    try:
        _give(BufferedReader(Paced(sys.stdin.buffer), CHUNK), media_type, int(after))
    except MemoryError:
        # Nothing that is half said may be taken for the whole.
        sys.exit(OUT_OF_MEMORY)


def _give(stream: BinaryIO, media_type: str, after: int) -> None:
    block: list[Raw] = []
    end: list[Any] = ["done"]
    skipped = length = 0
    # The first row is said at once: whoever uploads the file waits for it.
    most = 1
    try:
        for one in FORMATS[media_type].read(stream):
            if skipped < after:
                number = one.number if isinstance(one, Block) else 1
                left_out = min(number, after - skipped)
                skipped += left_out
                if left_out == number:
                    continue
                assert isinstance(one, Block)  # noqa: S101 - a single row is left out whole.
                one = one.without(left_out)  # noqa: PLW2901 - the rest of it.
            if isinstance(one, Block):
                _say_rows(block)
                block.clear()
                length = 0
                _say_block(one)
                sys.stdout.flush()
                continue
            block.append(one)
            length += _length(one)
            if len(block) == most or length > TEXT:
                _say_rows(block)
                sys.stdout.flush()
                block.clear()
                length, most = 0, BLOCK
    except FileRefusedError as refusal:
        end = ["refused", [_fault(one) for one in refusal.faults]]
    # What stands before the place at which a file breaks off was read, and is told as such.
    _say_rows(block)
    _say(["skipped", skipped])
    _say(end)
    sys.stdout.flush()


def _say_block(block: Block) -> None:
    # One text is said and understood much faster than a list of many. No cell without a fault
    # holds a control character.
    text = SEPARATOR.join(block.cells)
    _say(["plain", block.columns, block.file_row, block.line_no, text])


def _length(row: Raw) -> int:
    if isinstance(row, RawMessage):
        return 80 * len(row.lines)
    return sum(map(len, row.values.values()))


def _say_rows(block: list[Raw]) -> None:
    if not block:
        return
    if isinstance(block[0], RawMessage):
        _say(["messages", [_plain(row) for row in block]])
        return
    columns = list(block[0].values)
    _say(
        [
            "rows",
            columns,
            [
                [
                    row.file_row,
                    row.line_no,
                    list(row.values.values()) if list(row.values) == columns else row.values,
                    [_fault(one) for one in row.faults],
                ]
                for row in block
            ],
        ]
    )


def _say(line: list[Any]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")


def _plain(row: Raw) -> list[Any]:
    members: Iterator[Any] = iter(row)
    return [
        [_fault(one) for one in member] if name == "faults" else member
        for name, member in zip(row._fields, members, strict=True)
    ]


def _fault(fault: RowFault) -> list[Any]:
    return list(astuple(fault))
