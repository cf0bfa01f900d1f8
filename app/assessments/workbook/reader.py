"""The program of the child process that `reading` starts: bytes of a workbook in, its cells out."""

import datetime as dt
import io
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook

from app.documents.apart import OUT_OF_MEMORY
from app.documents.spreadsheets import (
    Extent,
    Place,
    SpreadsheetRefusedError,
    Watched,
    look_through,
)

EXTENT: Final = Extent(rows=3000, columns=60, sheets=200)
CELLS: Final = 200_000


def main() -> None:
    """Give one line of JSON: `{"sheets": [[name, [[row, column, kind, text], ...]], ...]}`.

    Or `{"refused": code, "told": message}`; see `SpreadsheetRefusedError`.
    """
    try:
        answer = _read(sys.stdin.buffer.read())
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def _read(content: bytes) -> dict[str, Any]:
    try:
        watched = look_through(content, EXTENT)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [
            [name, list(_cells(book.get_sheet_by_name(name).to_python(), watched.get(name, {})))]
            for name in book.sheet_names
        ]
    except SpreadsheetRefusedError as refusal:
        return {"refused": refusal.code, "told": refusal.told}
    except (CalamineError, OSError, ValueError):
        return {"refused": "format", "told": ""}
    if sum(len(cells) for _, cells in sheets) > CELLS:
        return {"refused": "extent", "told": ""}
    return {"sheets": sheets}


def _cells(rows: list[list[Any]], watched: Mapping[Place, Watched]) -> Iterator[list[Any]]:
    reached = max((row for row, _ in watched), default=-1)
    for row in range(max(len(rows), reached + 1)):
        values = rows[row] if row < len(rows) else []
        wide = max((column for at, column in watched if at == row), default=-1)
        for column in range(max(len(values), wide + 1)):
            if trouble := watched.get((row, column)):
                yield [row, column, trouble, ""]
            elif column < len(values) and values[column] not in {"", None}:
                yield [row, column, *_plain(values[column])]


def _plain(value: Any) -> tuple[str, str]:  # noqa: ANN401 - whatever a cell may hold.
    if isinstance(value, str):
        return "text", value
    if isinstance(value, bool):
        return "bool", "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return "number", repr(float(value))
    if isinstance(value, dt.date):
        return "date", value.isoformat()
    return "text", str(value)
