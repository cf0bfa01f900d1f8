"""The program of the child process that `reading` starts: bytes in, rows as lines of JSON out."""

import json
import sys
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, BinaryIO

from app.advance_data.abi.model import RawMessage
from app.advance_data.checks import Raw
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import RowFault
from app.advance_data.formats import FORMATS
from app.advance_data.reading import OUT_OF_MEMORY, limit

BLOCK = 100


def main() -> None:
    """Read the file of the format that the arguments name, within their limits."""
    _, media_type, seconds, memory = sys.argv[1:]
    limit(int(seconds), int(memory))
    try:
        _give(sys.stdin.buffer, media_type)
    except MemoryError:
        # Nothing that is half said may be taken for the whole.
        sys.exit(OUT_OF_MEMORY)


def _give(stream: BinaryIO, media_type: str) -> None:
    block: list[Raw] = []
    end: list[Any] = ["done"]
    try:
        for row in FORMATS[media_type].read(stream):
            block.append(row)
            if len(block) == BLOCK:
                _say_rows(block)
                block.clear()
    except FileRefusedError as refusal:
        end = ["refused", [_fault(one) for one in refusal.faults]]
    # What stands before the place at which a file breaks off was read, and is told as such.
    _say_rows(block)
    _say(end)
    sys.stdout.flush()


def _say_rows(block: list[Raw]) -> None:
    if block:
        kind = "messages" if isinstance(block[0], RawMessage) else "rows"
        _say([kind, [_plain(row) for row in block]])


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
