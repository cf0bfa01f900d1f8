"""The workbook of an assessment, to be filled in away from the portal.

Whatever people typed is a text in it, marked so that no spreadsheet takes it for a formula; what is
not to be filled in is locked. A workbook that comes back untouched changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any, BinaryIO, Final

import xlsxwriter

from app.assessments.models import Assessment
from app.assessments.rules import EMPTY, MAX_ROWS, Content, spoken, table_rows
from app.assessments.workbook.layout import (
    ANSWERS,
    COVER,
    FORMAT,
    HEADER_ROW,
    LISTS,
    SECTION_VERSION,
    TABLE,
    TEXTS,
)
from app.assessments.workbook.values import number_text
from app.catalogues.model import Catalogue, Criterion, Question, Section

Words = Callable[[str], str]

_PLAIN: Final = {"num_format": "@", "text_wrap": True, "valign": "top", "font_size": 10}
_SHADE: Final = "#F1F3F6"
_INPUT: Final = {"locked": False, "border": 1, "border_color": "#A9AEB1"}
_SAFE_STARTS: Final = ("=", "+", "-", "@", "\t", "\n")
_WIDTHS: Final = (18, 11, 9, 60, 34, 30, 52, 30, 34, 30)
_HEADS: Final = (
    "Question id",
    "Criterion",
    "Must or should",
    "Question",
    "Asked if",
    "Answer",
    "How you meet this",
    "Where it is written down",
    "Why it does not apply",
    "Files attached",
)
_RULES: Final = (
    "Fill in the white cells of the sheets after this one. Grey cells are locked.",
    "Upload the workbook where you downloaded it. You see every difference before it is taken.",
    "An answer that somebody changes in the portal meanwhile is shown to you beside yours.",
    "A reason why a question does not apply holds for that question alone.",
    "Files are attached in the portal, not here.",
)
# Spreadsheets count days from March 1900 on without a mistake.
_FIRST_YEAR: Final = 1901
# A drop-down shows no more of a message, and refuses to be made with more.
_MESSAGE: Final = 255


@dataclass(frozen=True, slots=True)
class Sources:
    """What a workbook is made from.

    `versions` are the sections' versions that it shows; `files` the names of evidence by criterion.
    """

    assessment: Assessment
    catalogue: Catalogue
    company: str
    contents: Mapping[str, Content]
    versions: Mapping[str, int]
    files: Mapping[str, Sequence[str]]
    at: datetime


def write_workbook(sources: Sources, words: Words, into: BinaryIO) -> None:
    """Write the whole assessment; `words` translates the texts of the workbook itself."""
    _Writer(sources, words, into).write()


class _Writer:
    def __init__(self, sources: Sources, words: Words, into: BinaryIO) -> None:
        self.sources = sources
        self.words = words
        self.book = xlsxwriter.Workbook(
            into,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.formats: dict[frozenset[tuple[str, Any]], Any] = {}
        self.lists: dict[tuple[str, ...], str] = {}
        self.tables: list[Question] = []
        self.table_numbers = count(1)

    def write(self) -> None:
        catalogue = self.sources.catalogue
        sections = catalogue.sections_in(self.sources.assessment.profile_id)
        self._cover(sections)
        sheets = [
            self.book.add_worksheet(self._section_name(number))
            for number in range(1, len(sections) + 1)
        ]
        for sheet, section in zip(sheets, sections, strict=True):
            self._section(sheet, section)
        for number, question in enumerate(self.tables, 1):
            self._table(self.book.add_worksheet(self._table_name(number)), question)
        self._lists()
        self.book.close()

    def _section_name(self, number: int) -> str:
        return f"{self.words('Section')[:24]} {number}"

    def _table_name(self, number: int) -> str:
        return f"{self.words('Table')[:24]} {number}"

    def _format(self, **settings: Any) -> Any:  # noqa: ANN401 - a format has no type of its own.
        key = frozenset(settings.items())
        if key not in self.formats:
            self.formats[key] = self.book.add_format(_PLAIN | settings)
        return self.formats[key]

    def _text(self, sheet: Any, at: tuple[int, int], text: str, **settings: Any) -> None:  # noqa: ANN401
        if text.startswith(_SAFE_STARTS):
            settings["quote_prefix"] = True
        if text:
            sheet.write_string(*at, text, self._format(**settings))
        else:
            sheet.write_blank(*at, None, self._format(**settings))

    def _frame(self, sheet: Any, mark: str, title: str) -> None:  # noqa: ANN401
        """The hidden mark, the title, and the protection without a password."""
        sheet.write_string(0, 0, mark)
        sheet.set_row(0, None, None, {"hidden": True})
        self._text(sheet, (1, 0), title, bold=True, font_size=14, text_wrap=False)
        sheet.protect(
            "",
            {"format_columns": True, "format_rows": True, "autofilter": True, "sort": False},
        )

    def _cover(self, sections: Sequence[Section]) -> None:
        sources, words = self.sources, self.words
        assessment, catalogue = sources.assessment, sources.catalogue
        sheet = self.book.add_worksheet(words("Cover")[:31])
        self._frame(sheet, COVER, f"{words('Self-assessment')}: {catalogue.title}")
        sheet.set_column(0, 0, None, None, {"hidden": True})
        sheet.set_column(1, 1, 30)
        sheet.set_column(2, 2, 80)
        self._text(
            sheet,
            (1, 1),
            f"{words('Self-assessment')}: {catalogue.title}",
            bold=True,
            font_size=14,
            text_wrap=False,
        )
        rows = [
            ("company", "Company", sources.company),
            ("assessment", "Assessment", str(assessment.id)),
            ("catalogue", "Catalogue", catalogue.id),
            ("version", "Version of the catalogue", catalogue.version),
            ("sha256", "Hash of the catalogue (SHA-256)", catalogue.sha256),
            ("profile", "Profile", assessment.profile_id),
            ("downloaded", "Downloaded (UTC)", f"{sources.at:%Y-%m-%d %H:%M}"),
            ("format", "Format of this workbook", FORMAT),
        ]
        at = 3
        for key, label, value in rows:
            self._text(sheet, (at, 0), key)
            self._text(sheet, (at, 1), words(label), bold=True)
            self._text(sheet, (at, 2), value)
            at += 1
        for text in _RULES:
            at += 1
            self._text(sheet, (at, 2), words(text))
        at += 2
        for number, section in enumerate(sections, 1):
            self._text(
                sheet, (at, 0), f"{SECTION_VERSION}{section.id}:{sources.versions[section.id]}"
            )
            sheet.write_url(
                at,
                1,
                f"internal:'{self._section_name(number)}'!A1",
                string=self._section_name(number),
            )
            self._text(sheet, (at, 2), f"{section.id}. {section.title}"[:250])
            at += 1

    def _section(self, sheet: Any, section: Section) -> None:  # noqa: ANN401
        self._frame(sheet, f"{ANSWERS}{section.id}", f"{section.id}. {section.title}")
        sheet.freeze_panes(HEADER_ROW + 1, 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEADER_ROW)
        for column, (head, width) in enumerate(zip(_HEADS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            self._text(sheet, (HEADER_ROW, column), self.words(head), bold=True, bottom=2)
        row = HEADER_ROW
        for criterion in section.criteria:
            row += 1
            self._criterion(sheet, row, criterion)
            for question in criterion.questions:
                row += 1
                self._question(sheet, row, criterion, question)

    def _criterion(self, sheet: Any, row: int, criterion: Criterion) -> None:  # noqa: ANN401
        modality = self.sources.catalogue.modality(self.sources.assessment.profile_id, criterion.id)
        grey = {"bg_color": _SHADE}
        self._text(sheet, (row, 0), "", **grey)
        self._text(sheet, (row, 1), criterion.id, bold=True, **grey)
        self._text(sheet, (row, 2), self.words(modality.capitalize()), **grey)
        told = f"{criterion.title}\n{criterion.statement}\n{self.words('Good')}: {criterion.guidance.good}"
        self._text(sheet, (row, 3), told, bold=True, **grey)
        for column in range(4, 9):
            self._text(sheet, (row, column), "", **grey)
        files = "\n".join(self.sources.files.get(criterion.id, ()))
        self._text(sheet, (row, 9), files, **grey)

    def _question(self, sheet: Any, row: int, criterion: Criterion, question: Question) -> None:  # noqa: ANN401
        content = self.sources.contents.get(question.id, EMPTY)
        grey = {"bg_color": _SHADE}
        self._text(sheet, (row, 0), question.id, font_color="#565C65", **grey)
        self._text(sheet, (row, 1), criterion.id, **grey)
        self._text(sheet, (row, 2), "", **grey)
        self._text(sheet, (row, 3), question.text, **grey)
        self._text(sheet, (row, 4), self._asked_if(question), **grey)
        for name, column in TEXTS.items():
            if name != "value":
                self._text(sheet, (row, column), getattr(content, name), **_INPUT)
        self._answer(sheet, row, question, content.value)
        self._text(sheet, (row, 9), "", **grey)

    def _asked_if(self, question: Question) -> str:
        told = []
        for other, condition in question.show_if.items():
            asked = self.sources.catalogue.question(other)
            labels = self.words(" or ").join(spoken(asked, one) for one in condition.accepted)
            told.append(f"“{asked.text}”: {labels}")
        return "\n".join(told)

    def _answer(self, sheet: Any, row: int, question: Question, value: str) -> None:  # noqa: ANN401
        at = (row, TEXTS["value"])
        if question.type == "table":
            self.tables.append(question)
            name = self._table_name(next(self.table_numbers))
            sheet.write_url(*at, f"internal:'{name}'!A1", string=name)
        elif question.type == "date":
            self._date(sheet, at, value)
        elif question.type == "number":
            self._number(sheet, at, value)
        elif question.possible is not None:
            labels = tuple(
                spoken(question, one)
                for one in ([one.value for one in question.choices] or ["yes", "no"])
            )
            self._text(sheet, at, spoken(question, value), **_INPUT)
            sheet.data_validation(
                *at,
                *at,
                {
                    "validate": "list",
                    "source": self._list(labels),
                    "error_title": self.words("Answer"),
                    "error_message": self.words("Choose one of the answers offered.")[:_MESSAGE],
                },
            )
        else:
            self._text(sheet, at, value, **_INPUT)

    def _date(self, sheet: Any, at: tuple[int, int], value: str) -> None:  # noqa: ANN401
        dated = self._format(**_INPUT | {"num_format": "yyyy-mm-dd"})
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is not None and day.year >= _FIRST_YEAR:
            sheet.write_datetime(*at, datetime(day.year, day.month, day.day), dated)  # noqa: DTZ001
        elif value:
            sheet.write_string(*at, value, dated)
        else:
            sheet.write_blank(*at, None, dated)
        hint = self.words("A date as year-month-day, for example 2026-03-31.")
        sheet.data_validation(*at, *at, {"validate": "any", "input_message": hint[:_MESSAGE]})

    def _number(self, sheet: Any, at: tuple[int, int], value: str) -> None:  # noqa: ANN401
        counted = self._format(**_INPUT | {"num_format": "General"})
        try:
            exact = bool(value) and number_text(float(value)) == value
        except ValueError:
            exact = False
        if exact:
            sheet.write_number(*at, float(value), counted)
        elif value:
            sheet.write_string(*at, value, counted)
        else:
            sheet.write_blank(*at, None, counted)

    def _list(self, labels: tuple[str, ...]) -> str:
        """The range of a drop-down, on a sheet of its own: a list in the cell holds 255 characters."""
        if labels not in self.lists:
            column = len(self.lists)
            name = xlsxwriter.utility.xl_col_to_name(column, col_abs=True)
            self.lists[labels] = f"='{self._lists_name()}'!{name}$2:{name}${len(labels) + 1}"
        return self.lists[labels]

    def _lists_name(self) -> str:
        return self.words("Lists")[:31]

    def _lists(self) -> None:
        sheet = self.book.add_worksheet(self._lists_name())
        sheet.write_string(0, 0, LISTS)
        for column, labels in enumerate(self.lists):
            for row, label in enumerate(labels, 1):
                sheet.write_string(row, column, label)
        sheet.protect()
        sheet.very_hidden()

    def _table(self, sheet: Any, question: Question) -> None:  # noqa: ANN401
        self._frame(sheet, f"{TABLE}{question.id}", question.text)
        sheet.freeze_panes(HEADER_ROW + 1, 0)
        for column, option in enumerate(question.columns):
            sheet.set_column(column, column, 30)
            self._text(sheet, (HEADER_ROW, column), option.label, bold=True, bottom=2)
        filled = table_rows(self.sources.contents.get(question.id, EMPTY).value)
        for number in range(MAX_ROWS):
            values = filled[number] if number < len(filled) else {}
            for column, option in enumerate(question.columns):
                text = values.get(option.value, "")
                self._text(sheet, (HEADER_ROW + 1 + number, column), text, **_INPUT)
