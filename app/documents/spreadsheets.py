"""What a workbook hides from whoever parses it, found before a parser sees it.

A parser gives the last result of a formula as if somebody had typed it, and lays a sheet out up to
its last corner; both are looked for in the parts themselves.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple
from xml.parsers import expat

from app.documents.inspection import inspect
from app.kernel.errors import Problem

Watched = Literal["formula", "error"]
Place = tuple[int, int]

_ROW: Final = re.compile(rb"<(?:\w{1,20}:)?row\s[^>]{0,500}?\br\s*=\s*[\"'](\d{1,12})[\"']")
_WIDE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{2,4})\d")
_WATCHED: Final = re.compile(rb"<(?:\w{1,20}:)?f[\s/>]|\bt\s*=\s*[\"']e[\"']")
_DTD: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_BOOK: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"


class SpreadsheetRefusedError(Exception):
    """Not a workbook that is read; `code` is `format`, `parts` or `extent`."""

    def __init__(self, code: Literal["format", "parts", "extent"], told: str = "") -> None:
        super().__init__(told or code)
        self.code = code
        self.told = told


class Extent(NamedTuple):
    """How far a sheet may reach, and how many sheets there may be."""

    rows: int
    columns: int
    sheets: int


def look_through(content: bytes, extent: Extent) -> dict[str, dict[Place, Watched]]:
    """By sheet name, where formulas and failed cells stand: row and column, counted from 0.

    `SpreadsheetRefusedError` for what is no workbook, for macros, bombs and document types, and for
    one that reaches too far.
    """
    inspected = inspect(io.BytesIO(content), "workbook.xlsx")
    if isinstance(inspected, Problem):
        raise SpreadsheetRefusedError("format", inspected.message)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {}
        for entry in archive.infolist():
            if not entry.filename.lower().endswith((".xml", ".rels")):
                continue
            part = archive.read(entry)
            # Parts in UTF-16 would hide what is looked for.
            if b"\0" in part or _DTD.search(part):
                raise SpreadsheetRefusedError("parts")
            parts[entry.filename.lstrip("/")] = part
    sheets = _sheets(parts)
    if len(sheets) > extent.sheets:
        raise SpreadsheetRefusedError("extent")
    if not set(sheets.values()) <= set(parts):
        # A parser may find by other rules what is not where the book says, and nobody looked there.
        raise SpreadsheetRefusedError("parts")
    for part in parts.values():
        _measure(part, extent)
    return {name: _watched(parts[path]) for name, path in sheets.items()}


def _sheets(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The path of each sheet's part by the sheet's name."""
    targets: dict[str, str] = {}

    def link(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            targets[attributes.get("Id", "")] = path.lstrip("/")

    found: dict[str, str] = {}

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            key = next((attributes[one] for one in attributes if _local(one) == "id"), "")
            found[attributes.get("name", "")] = targets.get(key, "")

    _parse(parts.get(_LINKS, b""), link)
    _parse(parts.get(_BOOK, b""), sheet)
    if not found:
        raise SpreadsheetRefusedError("format")
    return found


def _measure(part: bytes, extent: Extent) -> None:
    """A sheet that claims to reach to its last corner would be laid out in memory up to there."""
    rows = max((int(one[1]) for one in _ROW.finditer(part)), default=0)
    wide = max((_number(one[1].decode()) for one in _WIDE.finditer(part)), default=0)
    if rows > extent.rows or wide > extent.columns:
        raise SpreadsheetRefusedError("extent")


def _watched(part: bytes) -> dict[Place, Watched]:
    found: dict[Place, Watched] = {}
    if not _WATCHED.search(part):
        return found
    row, column = 0, -1

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        match _local(name):
            case "row":
                given = attributes.get("r", "")
                row, column = (int(given) if given.isdecimal() else row + 1), -1
            case "c":
                place = _CELL.fullmatch(attributes.get("r", ""))
                if place:
                    row, column = int(place[2]), _number(place[1]) - 1
                else:
                    column += 1
                if attributes.get("t") == "e":
                    found[row - 1, column] = "error"
            case "f":
                found[row - 1, column] = "formula"
            case _:
                pass

    _parse(part, start)
    return found


def _parse(part: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(part, True)  # noqa: FBT003 - the C interface takes it by position.
    except expat.ExpatError as error:
        raise SpreadsheetRefusedError("format") from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _number(letters: str) -> int:
    number = 0
    for sign in letters.upper():
        number = number * 26 + ord(sign) - 64
    return number
