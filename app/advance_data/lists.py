"""Lists of codes that age: how a file of one is read, and what a check asks of it. Pure.

What a list does not know is a warning and never an error, because the list may be out of date.
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.advance_data.rules import KnownCodes


class ListKind(StrEnum):
    """A kind of list; `fairway reference load` takes it by this name."""

    HS = "hs"
    HTS = "hts"
    UNLOCODE = "unlocode"
    SCHEDULE_D = "schedule-d"
    SCHEDULE_K = "schedule-k"
    FIRMS = "firms"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a kind look: the columns that may hold the code, and the code itself.

    Files as their publishers give them and files of one kind's codes alone are both understood.
    """

    columns: tuple[str, ...]
    code: re.Pattern[str]


LAYOUTS: Final[Mapping[ListKind, Layout]] = {
    ListKind.HS: Layout(("hscode", "hs", "code"), re.compile(r"[0-9]{6}")),
    ListKind.HTS: Layout(
        ("hts number", "hts_code", "htsno", "hts", "code"), re.compile(r"[0-9]{8}(?:[0-9]{2})?")
    ),
    ListKind.UNLOCODE: Layout(
        ("locode", "unlocode", "code", "location"), re.compile(r"[A-Z]{2}[A-Z0-9]{3}")
    ),
    ListKind.SCHEDULE_D: Layout(
        ("schedule d", "schedule_d", "cbp_code", "port code", "code"), re.compile(r"[0-9]{4}")
    ),
    ListKind.SCHEDULE_K: Layout(
        ("schedule k", "schedule_k", "cbp_code", "port code", "code"), re.compile(r"[0-9]{5}")
    ),
    ListKind.FIRMS: Layout(("firms", "firms code", "code"), re.compile(r"[A-Z][A-Z0-9]{3}")),
}
# Numbers of fewer digits are headings, which a file of a tariff has among its numbers.
_HEADING: Final = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|TOTAL")
_HEADED: Final = frozenset({ListKind.HS, ListKind.HTS})
_NAMED: Final = 10


class ListRefusedError(ValueError):
    """The file is no such list; `reasons` say why, with their lines."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(reasons[0])
        self.reasons = reasons


def read_list(kind: ListKind, lines: Iterable[str]) -> list[str]:
    """The codes of a CSV file with a header, sorted, each once.

    A tariff's headings are left out; of a file with a column `schedule` only this kind's rows
    count, and of UN/LOCODE's own file country and location are put together. Raises
    ListRefusedError with the first lines that hold no code of the kind, or when there is none.
    """
    layout = LAYOUTS[kind]
    reader = csv.reader(lines, strict=True)
    header = [name.strip().lower().removeprefix("\ufeff") for name in next(reader, [])]
    column = next((header.index(name) for name in layout.columns if name in header), None)
    if column is None:
        raise ListRefusedError(f"The first line names none of {', '.join(layout.columns)}.")
    country = header.index("country") if header[column] == "location" else None
    schedule = header.index("schedule") if "schedule" in header else None
    found: set[str] = set()
    wrong: list[str] = []
    try:
        for cells in reader:
            if schedule is not None and cells[schedule].strip().upper() != kind.value[-1].upper():
                continue
            code = cells[column].strip().upper().replace(".", "")
            if country is not None:
                code = cells[country].strip().upper() + code if code else ""
            if layout.code.fullmatch(code):
                found.add(code)
            elif code and not (kind in _HEADED and _HEADING.fullmatch(code)):
                wrong.append(f"Line {reader.line_num}: {code[:40]!r} is no code of this kind.")
    except (csv.Error, IndexError):
        raise ListRefusedError(f"Line {reader.line_num} is not a row of the table.") from None
    if wrong:
        more = len(wrong) - _NAMED
        raise ListRefusedError(*wrong[:_NAMED], *([f"And {more} more."] if more > 0 else []))
    if not found:
        raise ListRefusedError("The file holds no code of this kind.")
    return sorted(found)


class CodeList(Container[str]):
    """Sorted codes in one text, since a set of a hundred thousand takes fifteen times the memory."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._width = max(map(len, codes), default=1)
        self._text = "".join(code.ljust(self._width) for code in codes)
        self._asked: dict[object, bool] = {}

    def __len__(self) -> int:
        return len(self._text) // self._width

    def __getitem__(self, index: int) -> str:
        return self._text[index * self._width : (index + 1) * self._width]

    def __contains__(self, code: object) -> bool:
        found = self._asked.get(code)
        if found is None:
            wanted = str(code).ljust(self._width)
            index = bisect_left(self, wanted)
            found = index < len(self) and self[index] == wanted
            if len(self._asked) < _ASKED:
                self._asked[code] = bool(found)
        return bool(found)


_ASKED: Final = 4096


def known_codes(lists: Mapping[ListKind, Sequence[str]]) -> KnownCodes:
    """What rows are held against: six digits are known by either tariff."""
    tariff = {code[:6] for kind in _HEADED for code in lists.get(kind, ())}
    return KnownCodes(
        hs6=CodeList(sorted(tariff)) if tariff else None,
        unlocodes=_list_of(lists, ListKind.UNLOCODE),
        schedule_d=_list_of(lists, ListKind.SCHEDULE_D),
        schedule_k=_list_of(lists, ListKind.SCHEDULE_K),
        firms=_list_of(lists, ListKind.FIRMS),
    )


def _list_of(lists: Mapping[ListKind, Sequence[str]], kind: ListKind) -> CodeList | None:
    return CodeList(lists[kind]) if kind in lists else None


@dataclass(frozen=True, slots=True)
class Pin:
    """The version of a list by which a batch was judged."""

    kind: ListKind
    sha256: str
    as_of: date

    def days(self, today: date) -> int:
        """How old the list is, by its own date."""
        return (today - self.as_of).days


def pins_of(kept: Iterable[list[str]]) -> Iterator[Pin]:
    """The pins that a batch keeps as JSON."""
    for kind, sha256, as_of in kept:
        yield Pin(ListKind(kind), sha256, date.fromisoformat(as_of))
