"""A workbook as a trader's spreadsheet program would change it, and workbooks nobody should send."""

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import xlsxwriter
from python_calamine import CalamineWorkbook

from app.assessments import queries, service
from app.assessments.models import AnswerWorkbook, Assessment
from app.assessments.rules import Content
from app.assessments.workbook.layout import TEXTS
from app.assessments.workbook.writing import Sources, write_workbook
from app.catalogues.loader import catalogues
from app.catalogues.model import Catalogue
from app.work import Work
from tests.conftest import NOON

Place = tuple[str, int, int]


def rows_of(content: bytes) -> dict[str, list[list[Any]]]:
    """Every sheet with its rows from the first cell on."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def spot(content: bytes, question_id: str, text: str = "value") -> Place:
    """Where a text of a question stands: sheet, row and column from 0."""
    for name, rows in rows_of(content).items():
        if str(rows[0][0]).startswith("answers:"):
            for number, row in enumerate(rows):
                if row and row[0] == question_id:
                    return name, number, TEXTS[text]
    raise LookupError(question_id)


def table_spot(content: bytes, question_id: str) -> str:
    """The sheet of a question of the type table."""
    return next(
        name for name, rows in rows_of(content).items() if rows[0][0] == f"table:{question_id}"
    )


def typed(content: bytes, cells: Mapping[Place, object]) -> bytes:
    """The workbook saved again, with these cells typed over; a cell that is `None` is emptied.

    What begins with `=` is a formula, as in a spreadsheet program.
    """
    sheets = rows_of(content)
    into = io.BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True, "strings_to_urls": False})
    dated = book.add_format({"num_format": "yyyy-mm-dd"})
    names = [*sheets, *dict.fromkeys(name for name, _, _ in cells if name not in sheets)]
    for name in names:
        sheet = book.add_worksheet(name)
        mine = {(row, column): one for (at, row, column), one in cells.items() if at == name}
        for row, values in enumerate(sheets.get(name, ())):
            for column, value in enumerate(values):
                if (row, column) in mine or value in {"", None}:
                    continue
                if isinstance(value, str):
                    sheet.write_string(row, column, value)
                elif isinstance(value, float | int):
                    sheet.write_number(row, column, value)
                else:
                    sheet.write_datetime(row, column, value, dated)
        for (row, column), value in mine.items():
            if value is None:
                continue
            if hasattr(value, "year"):
                sheet.write_datetime(row, column, value, dated)
            else:
                sheet.write(row, column, value)
    book.close()
    return into.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    """The parts of a workbook by path."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """A workbook of these parts."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, part in parts.items():
            archive.writestr(path, part)
    return into.getvalue()


def workbook_of(
    assessment_id: UUID,
    catalogue: Catalogue,
    profile_id: str,
    contents: Mapping[str, Content],
    versions: Mapping[str, int],
) -> bytes:
    """The workbook as it is downloaded."""
    into = io.BytesIO()
    sources = Sources(
        assessment=SimpleNamespace(id=assessment_id, profile_id=profile_id),  # type: ignore[arg-type]
        catalogue=catalogue,
        company="=Harbor & Sons",
        contents=contents,
        versions=versions,
        files={},
        at=NOON,
    )
    write_workbook(sources, str, into)
    return into.getvalue()


@cache
def first_words(assessment_id: str, text: str) -> bytes:
    """A workbook of an importer's first assessment with `text` beside its first question."""
    catalogue = catalogues().current("security", "importer", on=NOON.date())
    profile_id = catalogue.profile_for("importer", 1).id
    sections = catalogue.sections_in(profile_id)
    content = workbook_of(
        UUID(assessment_id), catalogue, profile_id, {}, {one.id: 0 for one in sections}
    )
    question = sections[0].criteria[0].questions[0]
    return typed(content, {spot(content, question.id, "how_met"): text})


def make_workbook(work: Work, assessment: Assessment, texts: Mapping[str, str]) -> AnswerWorkbook:
    """A workbook that came back with these words about how questions are met."""
    rows = queries.sections_of(work.session, assessment.id)
    content = workbook_of(
        assessment.id,
        queries.catalogue_of(assessment),
        assessment.profile_id,
        queries.contents_of(work.session, assessment.id),
        {section_id: row.version for section_id, row in rows.items()},
    )
    cells = {spot(content, one, "how_met"): text for one, text in texts.items()}
    filled = io.BytesIO(typed(content, cells))
    return service.receive_workbook(work, assessment, filename="filled.xlsx", stream=filled)
