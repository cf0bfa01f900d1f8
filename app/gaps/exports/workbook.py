"""A gap report and the whole assessment behind it as a workbook.

Every value is a text that spreadsheets are told to leave alone, so that no answer that begins like
a formula is ever taken for one.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Final

import xlsxwriter
from flask_babel import gettext

from app.assessments.rules import EMPTY, spoken
from app.gaps.pages import ReportPage
from app.gaps.queries import Reported

_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
_CELL: Final = 32_767
_HEAD_ROWS: Final = 1
SAFE: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Row = Sequence[str | int]


def write_workbook(page: ReportPage, found: Reported, company: str, into: BinaryIO) -> None:
    """Write the sheets Summary, Way, Sections, Gaps and Answers."""
    book = xlsxwriter.Workbook(into, SAFE)
    book.set_properties({"title": page.title, "author": company, "comments": page.as_of})
    formats = {
        "head": book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"}),
        "text": book.add_format(
            {"num_format": "@", "quote_prefix": True, "text_wrap": True, "valign": "top"}
        ),
        "number": book.add_format({"valign": "top"}),
    }
    _sheet(book, formats, gettext("Summary"), (24, 90), (), _summary(page, company))
    _sheet(
        book,
        formats,
        gettext("Tiers"),
        (8, 24, 24, 24, 20),
        (
            gettext("Tier"),
            gettext("By what is claimed"),
            gettext("By what the agency said"),
            gettext("By evidence"),
            gettext("Musts open"),
        ),
        (
            (one.tier, one.claimed.text, one.assessed.text, one.evidence.text, one.musts)
            for one in page.tiers
        ),
    )
    _sheet(
        book,
        formats,
        gettext("Way"),
        (12, 100, 50),
        (gettext("Criterion"), gettext("Step"), gettext("Note")),
        ((one.criterion_id, one.text, one.note) for one in page.steps),
    )
    _sheet(
        book,
        formats,
        gettext("Sections"),
        (10, 40, 10, 10, 14, 10, 12, 12, 12),
        (
            gettext("Section"),
            gettext("Title"),
            gettext("Met"),
            gettext("Not met"),
            gettext("Not known yet"),
            gettext("Criteria"),
            gettext("Musts open"),
            gettext("Reached, at least %"),
            gettext("Reached, at most %"),
        ),
        (
            (
                *(one.id, one.title, one.met, one.not_met, one.unknown),
                *(one.total, one.open_musts, one.least, one.most),
            )
            for one in page.sections
        ),
    )
    _sheet(
        book,
        formats,
        gettext("Gaps"),
        (10, 36, 10, 16, 16, 16, 16, 44, 60, 34, 34, 34),
        (
            gettext("Criterion"),
            gettext("Title"),
            gettext("Weight"),
            gettext("Claimed"),
            gettext("Assessed"),
            gettext("Evidence"),
            gettext("Files"),
            gettext("Effect"),
            gettext("Question"),
            gettext("Why"),
            gettext("Required"),
            gettext("Current"),
        ),
        _gaps(page),
    )
    _sheet(
        book,
        formats,
        gettext("Answers"),
        (10, 36, 12, 60, 34, 60, 40, 40, 60),
        (
            gettext("Criterion"),
            gettext("Title"),
            gettext("Question"),
            gettext("Text"),
            gettext("Answer"),
            gettext("How it is met"),
            gettext("Where it is written"),
            gettext("Why it does not apply"),
            gettext("Evidence"),
        ),
        _answers(found),
    )
    book.close()


def _summary(page: ReportPage, company: str) -> list[Row]:
    return [
        (gettext("Company"), company),
        (gettext("Report"), page.title),
        (gettext("Criteria"), page.catalogue),
        (gettext("As of"), page.as_of),
        (gettext("In short"), page.headline),
        ("", page.body),
        ("", page.caution),
        (page.way_title, page.way),
    ]


def _gaps(page: ReportPage) -> Iterable[Row]:
    for one in page.gaps:
        same = (one.id, one.title, one.modality, one.claimed.text, one.assessed.text)
        proof = (one.evidence.text, one.files, one.effect)
        if not one.reasons:
            yield (*same, *proof, "", "", "", "")
        for why in one.reasons:
            yield (*same, *proof, why.question, why.why, why.required, why.current)


def _answers(found: Reported) -> Iterable[Row]:
    for section in found.catalogue.sections_in(found.profile_id):
        for criterion in section.criteria:
            files = "\n".join(
                f"{one.filename} ({one.sha256})" for one in found.files.get(criterion.id, ())
            )
            for place, question in enumerate(criterion.questions):
                said = found.contents.get(question.id, EMPTY)
                yield (
                    criterion.id,
                    criterion.title,
                    question.id,
                    question.text,
                    spoken(question, said.value),
                    said.how_met,
                    said.document_reference,
                    said.not_applicable_reason,
                    "" if place else files,
                )


def _sheet(
    book: Any,  # noqa: ANN401 - the library ships no types.
    formats: dict[str, Any],
    name: str,
    widths: Sequence[int],
    head: Row,
    rows: Iterable[Row],
) -> None:
    sheet = book.add_worksheet(name)
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    start = 0
    if head:
        for at, label in enumerate(head):
            sheet.write_string(0, at, _safe(str(label)), formats["head"])
        sheet.freeze_panes(_HEAD_ROWS, 1)
        sheet.repeat_rows(0)
        start = _HEAD_ROWS
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for number, row in enumerate(rows, start):
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, at, value, formats["number"])
            else:
                sheet.write_string(number, at, _safe(value), formats["text"])


def _safe(text: str) -> str:
    """The text without what no cell may hold, and no longer than one may be."""
    return _UNWRITABLE.sub("", text)[:_CELL]
