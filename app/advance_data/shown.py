"""The content of a filing as pages show it: sections with a heading and lines of name and text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.advance_data.abi.wording import CODE_WORDS, PART_WORDS, PARTY_WORDS
from app.advance_data.models import Filing
from app.advance_data.rows import COLUMNS
from app.advance_data.wording import COLUMN_WORDS


@dataclass(frozen=True, slots=True)
class Line:
    """One value: `name` is a text for gettext, `code` what its text is called, if it is a code."""

    name: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part; `title` is a text for gettext, `number` counts parts of the same kind from 1."""

    title: str
    number: int
    lines: tuple[Line, ...]


def sections_of(content: Mapping[str, Any]) -> list[Section]:
    """The texts first, without a title, then each part of a message in its order."""
    return list(_sections(content))


def bill_of(filing: Filing) -> str:
    """The bill of lading that a list names the filing by, the first of a message."""
    bills = filing.content.get("bills", [filing.content])
    return str(bills[0].get("bill_number", ""))


def _sections(content: Mapping[str, Any]) -> Iterator[Section]:
    texts = {name: value for name, value in content.items() if isinstance(value, str)}
    order = [column for column in COLUMNS if column in texts]
    order += [name for name in sorted(texts) if name not in COLUMNS]
    yield Section("", 0, tuple(_line(name, texts[name]) for name in order))
    for kind in PART_WORDS:
        parts = content.get(kind, ())
        for number, part in enumerate([parts] if isinstance(parts, dict) else parts, 1):
            title = PARTY_WORDS.get(part.get("entity", ""), PART_WORDS[kind])
            lines = tuple(_lines(part))
            yield Section(title, number if kind != "parties" else 0, lines)
            for count, goods in enumerate(part.get("goods", ()), 1):
                yield Section(PART_WORDS["goods"], count, tuple(_lines(goods)))


def _lines(part: Mapping[str, Any]) -> Iterator[Line]:
    for name, value in part.items():
        if isinstance(value, str):
            if name != "entity":
                yield _line(name, value)
        elif name == "address":
            yield from (_line(name, text) for text in value)
        elif name == "names":
            yield from (_line("name", one["name"]) for one in value)


def _line(name: str, text: str) -> Line:
    return Line(COLUMN_WORDS.get(name, name), text, CODE_WORDS.get(name, {}).get(text, ""))
