"""Where what stands in the workbook of an assessment: the one place that writer and reader share.

Each sheet tells in its cell A1, which is locked and hidden, what it is; so a sheet that was renamed
or moved is still known, and a file from elsewhere is not taken for one of ours.
"""

from typing import Final, NamedTuple

FORMAT: Final = "fairway-assessment-workbook-1"
"""Counted up when older workbooks can no longer be read as they are."""

COVER: Final = "cover"
ANSWERS: Final = "answers:"
TABLE: Final = "table:"
LISTS: Final = "lists"
"""What A1 holds: a word, or one of the two that end with a colon with the id that belongs to it."""

COVER_KEY: Final = 0
COVER_VALUE: Final = 2
SECTION_VERSION: Final = "section:"

HEADER_ROW: Final = 2
"""The row of column names, counted from 0, on every sheet but the cover; its rows follow."""

QUESTION: Final = 0
TEXTS: Final = {
    "value": 5,
    "how_met": 6,
    "document_reference": 7,
    "not_applicable_reason": 8,
}
"""The columns of a section's sheet that are filled in, by the name of the text."""


class Cell(NamedTuple):
    """One filled cell as the child process gives it, its place counted from 0.

    `kind` is `text`, `number`, `date`, `bool`, or `formula` and `error`, which hold no value.
    """

    row: int
    column: int
    kind: str
    text: str


class Sheet(NamedTuple):
    """One sheet that was read: its name and its filled cells, in the order of rows."""

    name: str
    cells: tuple[Cell, ...]


def place(row: int, column: int) -> str:
    """The address of a cell as spreadsheets write it: `F12`."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"
