"""What a cell says as an answer of its question's type, or what is wrong with it: pure decisions."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from app.assessments.workbook.layout import Cell
from app.catalogues.model import Question

# A number of more digits is not what was typed: spreadsheets keep fifteen.
EXACT: Final = 10**15
PLACES: Final = 4

FORMULA: Final = "The cell holds a formula. Copy it and paste it in its place as a value."
FAILED: Final = "The cell holds an error instead of a value. Type the answer."
CHOICE: Final = "“%(given)s” is none of the answers offered: %(offered)s."
NUMBER: Final = "“%(given)s” is not a number. Type digits alone, with a point before decimals."
DIGITS: Final = "The number has more digits than a spreadsheet keeps. Type it as text."
DATE: Final = "“%(given)s” is not a date. Type it as year-month-day, for example 2026-03-31."
TURNED: Final = (
    "A spreadsheet turned this text into a date. Format the cell as text and type it again."
)

Read = tuple[str, str]
"""The text that was read and what is wrong with it, of which one is empty."""


def number_text(number: float) -> str:
    """A number as it is kept: no exponent, no zeros after the point, at most four places."""
    if number.is_integer():
        return str(int(number))
    return f"{number:.{PLACES}f}".rstrip("0").rstrip(".")


def answer_of(question: Question, cell: Cell) -> Read:
    """The value that the cell gives to the question."""
    if trouble := _trouble(cell):
        return "", trouble
    if question.possible is not None:
        return _choice(question, cell)
    if question.type == "number":
        return _number(cell)
    if question.type == "date":
        return _date(cell)
    return text_of(cell)


def text_of(cell: Cell) -> Read:
    """The text of a cell that may hold any."""
    if trouble := _trouble(cell):
        return "", trouble
    if cell.kind == "date":
        return "", TURNED
    if cell.kind == "number":
        number = float(cell.text)
        return ("", DIGITS) if abs(number) >= EXACT else (_typed_number(number), "")
    return cell.text, ""


def offered(question: Question) -> Sequence[tuple[str, str]]:
    """The answers offered, as pairs of value and label."""
    if question.choices:
        return [(one.value, one.label) for one in question.choices]
    return [("yes", "Yes"), ("no", "No")]


def _trouble(cell: Cell) -> str:
    return {"formula": FORMULA, "error": FAILED}.get(cell.kind, "")


def _typed_number(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _choice(question: Question, cell: Cell) -> Read:
    given = {"TRUE": "yes", "FALSE": "no"}[cell.text] if cell.kind == "bool" else cell.text
    wanted = given.strip().casefold()
    if not wanted:
        return "", ""
    for value, label in offered(question):
        if wanted in {value.casefold(), label.casefold()}:
            return value, ""
    return "", CHOICE


def _number(cell: Cell) -> Read:
    if cell.kind == "number":
        number = float(cell.text)
        if abs(number) >= EXACT:
            return "", DIGITS
        return number_text(number), ""
    if cell.kind != "text":
        return "", NUMBER
    return cell.text.strip(), ""


def _date(cell: Cell) -> Read:
    if cell.kind == "date":
        return cell.text[:10], ""
    text = cell.text.strip()
    try:
        if text and (cell.kind != "text" or date.fromisoformat(text).isoformat() != text):
            return "", DATE
    except ValueError:
        return "", DATE
    return text, ""
