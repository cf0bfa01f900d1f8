"""What a workbook says: of which assessment it is, its answers, and what is wrong in which cell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from app.assessments.rules import AnswerInput, shape_problems, table_text
from app.assessments.workbook.layout import (
    ANSWERS,
    COVER,
    COVER_KEY,
    COVER_VALUE,
    HEADER_ROW,
    LISTS,
    QUESTION,
    SECTION_VERSION,
    TABLE,
    TEXTS,
    Cell,
    Sheet,
    place,
)
from app.assessments.workbook.values import answer_of, offered, text_of
from app.catalogues.model import Catalogue, Option, Question

STRANGE_SHEET: Final = (
    "This sheet was not part of the workbook that was downloaded; nothing in it was read."
)
STRANGE_ROW: Final = (
    "The question of this row is not known. Download a new workbook if the id was changed."
)
NO_QUESTION: Final = "This row has no question, so what stands here belongs to none."
TWICE: Final = "This question stands twice in the workbook; neither was taken."

_VERSION: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with one cell, by the sheet's name and the cell's address."""

    sheet: str
    cell: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was read: texts by question and name, and what is wrong; `None` of a text is unread."""

    given: Mapping[str, AnswerInput]
    faults: Sequence[CellFault]


def cover_of(sheets: Sequence[Sheet]) -> dict[str, str] | None:
    """What the cover says about itself, by key; `None` when no sheet is a cover of ours."""
    for sheet in sheets:
        if _mark(sheet) == COVER:
            rows: dict[int, dict[int, str]] = {}
            for cell in sheet.cells:
                rows.setdefault(cell.row, {})[cell.column] = cell.text
            return {
                row[COVER_KEY]: row.get(COVER_VALUE, "")
                for row in rows.values()
                if COVER_KEY in row
            }
    return None


def versions_of(cover: Mapping[str, str]) -> dict[str, int]:
    """The version of each section that the workbook shows; 0, before everything, when altered."""
    found = {}
    for key in cover:
        if key.startswith(SECTION_VERSION):
            section_id, _, number = key.removeprefix(SECTION_VERSION).rpartition(":")
            found[section_id] = int(number) if _VERSION.fullmatch(number) else 0
    return found


def judge(sheets: Sequence[Sheet], catalogue: Catalogue, profile_id: str) -> Judged:
    """Read every answer of a workbook of this catalogue version and profile."""
    reading = _Reading(
        {
            question.id: question
            for section in catalogue.sections_in(profile_id)
            for criterion in section.criteria
            for question in criterion.questions
        }
    )
    for sheet in sheets:
        mark = _mark(sheet)
        if mark.startswith(ANSWERS):
            reading.section(sheet)
        elif mark.startswith(TABLE):
            reading.table(sheet, mark.removeprefix(TABLE))
        elif mark not in {COVER, LISTS} and sheet.cells:
            reading.fault(sheet, 0, 0, STRANGE_SHEET)
    return reading.judged()


def _mark(sheet: Sheet) -> str:
    first = sheet.cells[0] if sheet.cells else None
    return first.text if first and (first.row, first.column) == (0, 0) else ""


def _by_row(sheet: Sheet) -> Iterator[tuple[int, dict[int, Cell]]]:
    rows: dict[int, dict[int, Cell]] = {}
    for cell in sheet.cells:
        if cell.row > HEADER_ROW:
            rows.setdefault(cell.row, {})[cell.column] = cell
    yield from rows.items()


class _Reading:
    def __init__(self, questions: Mapping[str, Question]) -> None:
        self.questions = questions
        self.texts: dict[str, dict[str, str | None]] = {}
        self.places: dict[tuple[str, str], tuple[Sheet, int, int]] = {}
        self.seen: set[tuple[str, str]] = set()
        self.twice: set[str] = set()
        self.faults: list[CellFault] = []

    def fault(
        self,
        sheet: Sheet,
        row: int,
        column: int,
        message: str,
        params: Mapping[str, object] | None = None,
    ) -> None:
        self.faults.append(CellFault(sheet.name, place(row, column), message, params or {}))

    def section(self, sheet: Sheet) -> None:
        for row, cells in _by_row(sheet):
            named = cells.get(QUESTION)
            if named is None:
                for column in TEXTS.values():
                    if column in cells:
                        self.fault(sheet, row, column, NO_QUESTION)
                continue
            question = self.questions.get(named.text.strip())
            if question is None:
                self.fault(sheet, row, QUESTION, STRANGE_ROW)
            elif self._first(sheet, row, question, ANSWERS):
                self._row(sheet, row, cells, question)

    def _first(self, sheet: Sheet, row: int, question: Question, kind: str) -> bool:
        if (question.id, kind) in self.seen:
            self.twice.add(question.id)
            self.fault(sheet, row, QUESTION, TWICE)
            return False
        self.seen.add((question.id, kind))
        return True

    def _row(self, sheet: Sheet, row: int, cells: Mapping[int, Cell], question: Question) -> None:
        for name, column in TEXTS.items():
            if name == "value" and question.type == "table":
                continue
            cell = cells.get(column, Cell(row, column, "text", ""))
            read, wrong = answer_of(question, cell) if name == "value" else text_of(cell)
            if wrong:
                labels = "; ".join(label for _, label in offered(question))
                self.fault(sheet, row, column, wrong, {"given": cell.text[:80], "offered": labels})
            self._take(question, name, None if wrong else read, (sheet, row, column))

    def table(self, sheet: Sheet, question_id: str) -> None:
        question = self.questions.get(question_id)
        if question is None or question.type != "table":
            self.fault(sheet, 0, 0, STRANGE_ROW)
            return
        if not self._first(sheet, 0, question, TABLE):
            return
        rows, wrong = [], False
        for row, cells in _by_row(sheet):
            values, faulty = self._table_row(sheet, row, cells, question.columns)
            rows.append(values)
            wrong = wrong or faulty
        text = None if wrong else table_text(rows)
        self._take(question, "value", text, (sheet, HEADER_ROW + 1, 0))

    def _table_row(
        self, sheet: Sheet, row: int, cells: Mapping[int, Cell], columns: Sequence[Option]
    ) -> tuple[dict[str, str], bool]:
        values = {option.value: "" for option in columns}
        faulty = False
        for column, cell in cells.items():
            if column >= len(columns):
                self.fault(sheet, row, column, NO_QUESTION)
                faulty = True
                continue
            values[columns[column].value], wrong = text_of(cell)
            if wrong:
                self.fault(sheet, row, column, wrong)
                faulty = True
        return values, faulty

    def _take(
        self, question: Question, name: str, text: str | None, at: tuple[Sheet, int, int]
    ) -> None:
        self.texts.setdefault(question.id, {})[name] = text
        self.places[question.id, name] = at

    def judged(self) -> Judged:
        """The answers whose form is right; one whose form is wrong is a fault of its cell."""
        given: dict[str, AnswerInput] = {}
        for question_id, texts in self.texts.items():
            if question_id in self.twice:
                continue
            answer = AnswerInput(**texts).cleaned()
            wrong: dict[str, None] = {}
            for problem in shape_problems(self.questions[question_id], answer):
                name = (problem.field or "").removeprefix(question_id).removeprefix(".") or "value"
                wrong[name] = None
                self.fault(*self.places[question_id, name], problem.message, problem.params)
            kept: dict[str, Any] = asdict(answer) | wrong
            given[question_id] = AnswerInput(**kept)
        return Judged(given, self.faults)
