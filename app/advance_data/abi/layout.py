"""What a record of 80 characters is made of, and how its text is read and written.

A record's fields cover the positions 1 to 80 without gap or overlap; a declaration that does not
is refused when the program starts, not when a trader's filing is cut at the wrong place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple

WIDTH: Final = 80
PRINTABLE: Final = re.compile(r"[ -~]*")


class Kind(Enum):
    """A class of characters, as the chapter names it."""

    ALPHA = "A"
    NUMERIC = "N"
    ALPHANUMERIC = "AN"
    ANY = "X"
    FILLER = "S"


class Use(StrEnum):
    """Whether a field must be filled: always, under some condition, as the sender likes."""

    MANDATORY = "M"
    CONDITIONAL = "C"
    OPTIONAL = "O"


class Basis(StrEnum):
    """What a layout rests on: the chapter's two public transcriptions agree, or there is but one.

    The chapters themselves have not been read.
    """

    TWO = "two transcriptions that agree"
    ONE = "one transcription"


_SHAPES: Final = {
    Kind.ALPHA: re.compile(r"[A-Za-z ]*"),
    Kind.NUMERIC: re.compile(r"[0-9]*"),
    Kind.ALPHANUMERIC: re.compile(r"[A-Za-z0-9 ]*"),
    Kind.ANY: PRINTABLE,
    Kind.FILLER: re.compile(""),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: where it stands, first position 1, both ends included, and what may be in it.

    A numeric field is filled with zeros on its left, unless it is `left` (the tariff number);
    any other with blanks on its right.
    """

    name: str
    start: int
    end: int
    kind: Kind
    use: Use = Use.OPTIONAL
    left: bool = False

    @property
    def width(self) -> int:
        return self.end - self.start + 1

    def read(self, line: str) -> str:
        """The field's text without the blanks that fill it."""
        text = line[self.start - 1 : self.end]
        if self.kind is Kind.NUMERIC and not self.left:
            # Blanks beside the digits are a fault, so they stay, but an empty field is empty.
            return text if text.strip(" ") else ""
        return text.rstrip(" ")

    def write(self, text: str) -> str:
        """The text at the field's full width; `ValueError` when it does not fit."""
        if len(text) > self.width or PRINTABLE.fullmatch(text) is None:
            msg = f"{self.name} does not fit into {self.width} positions"
            raise ValueError(msg)
        if self.kind is Kind.NUMERIC and not self.left and text:
            return text.zfill(self.width)
        return text.ljust(self.width)

    def fits(self, text: str) -> bool:
        """Whether the text holds only characters of the field's class."""
        return _SHAPES[self.kind].fullmatch(text) is not None


class Flaw(NamedTuple):
    """What is wrong with one field of a line: its code of the chapter on errors, and its text."""

    code: str
    field: str
    value: str


class Decoded(NamedTuple):
    """A line cut into its fields; blank fields are left out."""

    record: str
    values: Mapping[str, str]
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True)
class Record:
    """A kind of record: its identifier, its fields, and what the layout rests on."""

    id: str
    title: str
    basis: Basis
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        position = len(self.id) + 1
        names = [one.name for one in self.fields if one.kind is not Kind.FILLER]
        for one in self.fields:
            if one.start != position or one.end < one.start:
                msg = f"{self.id}: {one.name} begins at {one.start}, not at {position}"
                raise ValueError(msg)
            position = one.end + 1
        if position != WIDTH + 1 or len(set(names)) != len(names):
            msg = f"{self.id} does not fill its {WIDTH} positions once each"
            raise ValueError(msg)

    def decode(self, line: str) -> Decoded:
        """Cut a line, padded to its width if it is short, and say what is wrong with its form."""
        line = line.ljust(WIDTH)[:WIDTH]
        values: dict[str, str] = {}
        flaws: list[Flaw] = []
        for one in self.fields:
            text = one.read(line)
            if one.kind is Kind.FILLER:
                if text:
                    flaws.append(Flaw(FILLED, "", text.strip()))
            elif text:
                values[one.name] = text
                if not one.fits(text):
                    flaws.append(Flaw(STRANGE, one.name, text))
            elif one.use is Use.MANDATORY:
                flaws.append(Flaw(EMPTY, one.name, ""))
        return Decoded(self.id, values, tuple(flaws))

    def encode(self, values: Mapping[str, str]) -> str:
        """The line of 80 characters; `ValueError` for an unknown field or one that is too long."""
        unknown = values.keys() - {one.name for one in self.fields}
        if unknown:
            msg = f"{self.id} has no {sorted(unknown)}"
            raise ValueError(msg)
        return self.id + "".join(one.write(values.get(one.name, "")) for one in self.fields)


# Codes of the chapter on batch and block control (one transcription).
FILLED: Final = "X39"
STRANGE: Final = "X40"
SHORT: Final = "X42"
# A mandatory field that is blank has no code there that we know; ours is that of a CSV row.
EMPTY: Final = "MISSING"


def filler(start: int, end: int) -> Field:
    """Positions that stay blank."""
    return Field("", start, end, Kind.FILLER)


def spaced(*fields: Field, start: int) -> tuple[Field, ...]:
    """The fields in their order, with fillers in the gaps between and behind them."""
    return tuple(_spaced(fields, start))


def _spaced(fields: tuple[Field, ...], position: int) -> Iterator[Field]:
    for one in fields:
        if one.start > position:
            yield filler(position, one.start - 1)
        yield one
        position = one.end + 1
    if position <= WIDTH:
        yield filler(position, WIDTH)
