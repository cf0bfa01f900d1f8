"""The workbook of an assessment: untouched it changes nothing, and what it hides is told by cell."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.assessments.rules import AnswerInput, Content, shape_problems, table_text
from app.assessments.workbook import values
from app.assessments.workbook.judging import (
    NO_QUESTION,
    STRANGE_ROW,
    STRANGE_SHEET,
    TWICE,
    cover_of,
    judge,
    versions_of,
)
from app.assessments.workbook.layout import Cell, place
from app.assessments.workbook.reading import LIMIT, read_sheets
from app.catalogues.loader import catalogues
from app.kernel.errors import NotReadyError
from app.kernel.ids import new_id
from tests.factories.workbooks import (
    parts_of,
    rows_of,
    spot,
    table_spot,
    typed,
    workbook_of,
    zipped,
)

CATALOGUE = catalogues().current("security", "importer", on=date(2026, 11, 24))
PROFILE = CATALOGUE.profile_for("importer", 1)
QUESTIONS = {
    question.id: question
    for section in CATALOGUE.sections_in(PROFILE.id)
    for criterion in section.criteria
    for question in criterion.questions
}


def of_type(kind: str) -> str:
    return next(one.id for one in QUESTIONS.values() if one.type == kind)


def made(contents=None, *, version: int = 3) -> bytes:
    versions = {one.id: version for one in CATALOGUE.sections_in(PROFILE.id)}
    return workbook_of(new_id(), CATALOGUE, PROFILE.id, contents or {}, versions)


def read(content: bytes):
    return judge(read_sheets(content), CATALOGUE, PROFILE.id)


BLANK = made()
TOO_LONG = (
    "This is %(length)s characters long; at most %(limit)s are kept. Shorten it, or put it into a"
    " file."
)

# What people type, and what spreadsheets, parsers and terminals stumble over.
TEXTS = st.one_of(
    st.sampled_from(
        (
            '=HYPERLINK("http://x")',
            "+1 555 0100",
            "-2",
            "@SUM(A1)",
            "_x0041_ and _x000D_",
            "first\nsecond\n\n third",
            "a\tb",
            "0012",
            "1/2",
            "TRUE",
            "2026-03-04",
            "<b>&amp;</b>",
            "\u201cquoted\u201d \u2019 \u2013 \u2026",
            "\u4e2d\u6587 \U0001f6a2",
            "http://example.test/a b",
            "file:///etc/passwd",
        )
    ),
    st.text(max_size=60),
)


def value_for(question):
    match question.type:
        case "number":
            return st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,4})?\Z")
        case "date":
            return st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(date.isoformat)
        case "table":
            # A list of cells and not a dictionary, whose order the generator changes: the page
            # writes the columns in their own.
            names = [one.value for one in question.columns]
            row = st.tuples(*(TEXTS for _ in names)).map(
                lambda cells: dict(zip(names, cells, strict=True))
            )
            return st.lists(row, max_size=4).map(table_text)
        case "text" | "doc_ref":
            return TEXTS
        case _:
            return st.sampled_from(sorted(question.possible))


@st.composite
def contents(draw):
    chosen = draw(st.lists(st.sampled_from(sorted(QUESTIONS)), max_size=12, unique=True))
    found = {}
    for one in chosen:
        answer = AnswerInput(
            value=draw(st.one_of(st.just(""), value_for(QUESTIONS[one]))),
            how_met=draw(TEXTS),
            document_reference=draw(TEXTS),
            not_applicable_reason=draw(TEXTS),
        ).cleaned()
        found[one] = answer.onto(Content())
    return found


@settings(max_examples=25)
@given(contents())
def test_an_untouched_workbook_gives_back_what_stood_in_it(kept):
    judged = read(made(kept))
    assert judged.faults == []
    assert judged.given.keys() == QUESTIONS.keys()
    for question_id, answer in judged.given.items():
        assert answer.onto(Content()) == kept.get(question_id, Content())


def test_the_cover_names_assessment_criteria_and_versions():
    cover = cover_of(read_sheets(made(version=7)))
    assert cover["sha256"] == CATALOGUE.sha256
    assert (cover["catalogue"], cover["version"]) == (CATALOGUE.id, CATALOGUE.version)
    assert cover["company"] == "=Harbor & Sons"
    assert versions_of(cover) == {one.id: 7 for one in CATALOGUE.sections_in(PROFILE.id)}


def test_only_what_is_to_be_filled_in_is_unlocked_and_choices_are_offered():
    parts = parts_of(BLANK)
    sheet = parts["xl/worksheets/sheet2.xml"].decode()
    assert "<sheetProtection" in sheet
    assert 'type="list"' in sheet
    styles = parts["xl/styles.xml"].decode()
    assert 'locked="0"' in styles
    # No formula anywhere: what was typed is text, whatever it begins with.
    evil = parts_of(made({of_type("text"): Content(value="=1+1", how_met="@cmd")}))
    for path, part in evil.items():
        assert b"<f>" not in part, path
    assert b'quotePrefix="1"' in evil["xl/styles.xml"]


@pytest.mark.parametrize(
    ("kind", "cell", "wanted"),
    [
        ("yes_no", "YES", "yes"),
        ("yes_no", True, "yes"),
        ("number", 1200.0, "1200"),
        ("number", 12.5, "12.5"),
        ("number", " 007 ", "007"),
        ("date", datetime(2026, 3, 4), "2026-03-04"),  # noqa: DTZ001 - cells have no zone.
        ("date", "2026-03-04", "2026-03-04"),
        ("text", 12.0, "12"),
        ("text", "sa\u202ele", "sale"),
    ],
)
def test_cells_are_read_as_people_and_spreadsheets_write_them(kind, cell, wanted):
    question_id = of_type(kind)
    judged = read(typed(BLANK, {spot(BLANK, question_id): cell}))
    assert judged.faults == []
    assert judged.given[question_id].value == wanted


@pytest.mark.parametrize(
    ("kind", "cell", "wanted"),
    [
        ("yes_no", "maybe", values.CHOICE),
        ("yes_no", 1.0, values.CHOICE),
        ("level", "nearly", values.CHOICE),
        ("number", "twelve", "Write a number in digits alone, for example 1200 or 12.5."),
        ("number", True, values.NUMBER),
        ("number", 1e15, values.DIGITS),
        ("number", -3.0, "Write a number in digits alone, for example 1200 or 12.5."),
        ("date", 46000.0, values.DATE),
        ("date", "03/04/2026", values.DATE),
        ("date", "2026-02-30", values.DATE),
        ("date", datetime(2155, 1, 1), "Check the year of this date."),  # noqa: DTZ001
        ("text", datetime(2026, 3, 4), values.TURNED),  # noqa: DTZ001
        ("text", "=1+1", values.FORMULA),
        (
            "text",
            "x" * 4001,
            TOO_LONG,
        ),
    ],
)
def test_a_wrong_cell_is_told_by_sheet_and_cell_and_its_row_still_counts(kind, cell, wanted):
    question_id = of_type(kind)
    at = spot(BLANK, question_id)
    beside = spot(BLANK, question_id, "how_met")
    judged = read(typed(BLANK, {at: cell, beside: "By hand."}))
    assert [(one.sheet, one.cell, one.message) for one in judged.faults] == [
        (at[0], place(*at[1:]), wanted)
    ]
    assert judged.given[question_id] == AnswerInput(
        value=None, how_met="By hand.", document_reference="", not_applicable_reason=""
    )


def test_a_failed_formula_is_told_as_such():
    question_id = of_type("text")
    at = spot(BLANK, question_id)
    parts = parts_of(typed(BLANK, {at: "marker"}))
    name = place(*at[1:])
    path = f"xl/worksheets/sheet{list(rows_of(BLANK)).index(at[0]) + 1}.xml"
    sheet = parts[path].decode()
    start = sheet.index(f'<c r="{name}"')
    end = sheet.index("</c>", start) + 4
    broken = sheet[:start] + f'<c r="{name}" t="e"><v>#REF!</v></c>' + sheet[end:]
    judged = read(zipped(parts | {path: broken.encode()}))
    assert [(one.cell, one.message) for one in judged.faults] == [(name, values.FAILED)]


def test_tables_have_sheets_of_their_own():
    question_id = of_type("table")
    sheet = table_spot(BLANK, question_id)
    columns = QUESTIONS[question_id].columns
    judged = read(
        typed(BLANK, {(sheet, 3, 0): "First", (sheet, 5, 0): 12.0, (sheet, 5, 1): "Third"})
    )
    assert judged.faults == []
    blank = {one.value: "" for one in columns}
    wanted = [
        blank | {columns[0].value: "First"},
        blank | {columns[0].value: "12", columns[1].value: "Third"},
    ]
    assert judged.given[question_id].value == table_text(wanted)
    judged = read(typed(BLANK, {(sheet, 3, 0): "x" * 501, (sheet, 4, len(columns)): "beside"}))
    assert judged.given[question_id].value is None
    assert (sheet, place(4, len(columns)), NO_QUESTION) in [
        (one.sheet, one.cell, one.message) for one in judged.faults
    ]


def test_nothing_that_was_typed_is_dropped_without_a_word():
    sheet, _, _ = spot(BLANK, of_type("text"))
    last = len(rows_of(BLANK)[sheet])
    extra = {
        (sheet, last + 2, 5): "An answer to nothing",
        (sheet, last + 3, 0): "q.not.there",
        (sheet, last + 4, 0): of_type("text"),
        ("My notes", 0, 0): "hello",
    }
    judged = read(typed(BLANK, extra))
    assert {(one.sheet, one.cell, one.message) for one in judged.faults} == {
        (sheet, place(last + 2, 5), NO_QUESTION),
        (sheet, place(last + 3, 0), STRANGE_ROW),
        (sheet, place(last + 4, 0), TWICE),
        ("My notes", "A1", STRANGE_SHEET),
    }
    assert of_type("text") not in judged.given


def entity(content: bytes) -> bytes:
    parts = parts_of(content)
    book = parts["xl/workbook.xml"]
    return zipped(parts | {"xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + book})


def far_corner(content: bytes) -> bytes:
    parts = parts_of(content)
    path = "xl/worksheets/sheet2.xml"
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return zipped(parts | {path: parts[path].replace(b"</sheetData>", corner)})


def deep_nest(content: bytes) -> bytes:
    parts = parts_of(content)
    return zipped(parts | {"xl/sharedStrings.xml": b"<a>" * 3_000_000})


HOSTILE = {
    "nothing": b"",
    "text": b"question,answer\n",
    "no workbook": zipped({"a.txt": b"b"}),
    "cut off": BLANK[: len(BLANK) // 2],
    "bomb": zipped(parts_of(BLANK) | {"xl/media/a.xml": b" " * 120_000_000}),
    "entity": entity(BLANK),
    "utf-16": zipped(
        parts_of(BLANK)
        | {"xl/workbook.xml": parts_of(BLANK)["xl/workbook.xml"].decode().encode("utf-16")}
    ),
    "nul": zipped(
        parts_of(BLANK)
        | {"xl/sharedStrings.xml": parts_of(BLANK)["xl/sharedStrings.xml"].replace(b"q.", b"q\0")}
    ),
    "far corner": far_corner(BLANK),
    "macros": zipped(parts_of(BLANK) | {"xl/vbaProject.bin": b"x"}),
    "broken xml": deep_nest(BLANK),
    "too large": b"PK\x03\x04" + b"0" * LIMIT,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_workbooks_are_refused_beside_the_file(name):
    with pytest.raises(NotReadyError) as refused:
        read_sheets(HOSTILE[name])
    assert [one.field for one in refused.value.problems] == ["file"]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(3.0, "3"), (12.5, "12.5"), (1200.0, "1200"), (0.1, "0.1"), (999999999999.0, "999999999999")],
)
def test_numbers_are_kept_without_exponents_and_idle_zeros(number, wanted):
    question = QUESTIONS[of_type("number")]
    assert values.answer_of(question, Cell(0, 0, "number", repr(number))) == (wanted, "")
    assert not shape_problems(question, AnswerInput(value=wanted))
