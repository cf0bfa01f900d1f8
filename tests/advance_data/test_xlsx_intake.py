"""Workbooks: the same rows as a CSV file gives, and nothing that a spreadsheet hides."""

import datetime as dt
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.advance_data.csv_intake import FileRefusedError, Limits, read_csv
from app.advance_data.faults import Severity
from app.advance_data.rows import COLUMNS
from app.advance_data.rules import check_row
from app.advance_data.xlsx_intake import read_xlsx
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.advance_data.workbooks import SHEET, altered, by_hand, parts_of, workbook, zipped


def read(content: bytes, limits: Limits | None = None):
    return list(read_xlsx(io.BytesIO(content), *([limits] if limits else [])))


def told(row, severity=Severity.ERROR):
    return [(one.field, one.code) for one in check_row(row).faults if one.severity is severity]


def test_a_workbook_gives_the_rows_of_the_same_csv_file():
    rows = [good_row(filing_ref=f"PO-{n}", mf_name="Café Hà Nội") for n in range(250)]
    rows[7]["hts"] = "7701"
    assert read(workbook(rows)) == list(read_csv(io.BytesIO(csv_bytes(rows))))


def test_typed_cells_are_read_as_a_person_reads_them():
    typed = good_row()
    typed |= {"hts": 8507600020, "value_usd": 26453.09, "quantity": 712, "mf_duns": 123456789,
              "port_unlading": 2704, "etd": dt.date(2026, 6, 20)}  # fmt: skip
    (row,) = read(workbook([typed]))
    assert row.values == good_row(hts="8507600020")
    assert check_row(row).faults == ()


TYPED = {
    "day without a date format": ({"etd": 46193}, [("etd", "DATE")]),
    "day with a time": ({"etd": dt.datetime(2026, 6, 20, 10, 30)}, [("etd", "DATE")]),  # noqa: DTZ001
    "port without its zero": ({"port_unlading": 401}, [("port_unlading", "SCHEDULE_D")]),
    "tariff without its zero": ({"hts": 101210010}, [("hts", "HTS")]),
    "too many digits": ({"value_usd": 1e20}, [("value_usd", "NUMBER")]),
    "fraction": ({"quantity": 1.5}, [("quantity", "QTY")]),
    "three decimals": ({"value_usd": 0.1 + 0.2 + 1e-9}, [("value_usd", "VALUE")]),
    "truth": ({"quantity": True}, [("quantity", "QTY")]),
    "Arabic digits": ({"quantity": "١٢"}, [("quantity", "QTY")]),
    "scientific text": ({"value_usd": "1e999"}, [("value_usd", "VALUE")]),
    "bidi": ({"mf_name": "Hanoi\u202e Works"}, [("mf_name", "CHARACTER")]),
    "line break": ({"mf_name": "Hanoi\nWorks"}, [("mf_name", "CHARACTER")]),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_a_spreadsheet_has_altered_is_told(name):
    changes, expected = TYPED[name]
    (row,) = read(workbook([good_row() | changes]))
    assert told(row) == expected


def test_a_reference_that_is_a_number_is_a_warning():
    (row,) = read(workbook([good_row() | {"filing_ref": 123}]))
    assert told(row) == []
    assert told(row, Severity.WARNING) == [("filing_ref", "ZEROS")]


def test_formulas_and_failed_cells_are_faults_of_their_cells():
    hts, name, quantity = (COLUMNS.index(one) for one in ("hts", "mf_name", "quantity"))

    def more(_book, sheet):
        sheet.write_formula(1, hts, '="8507"&"600020"', None, "8507600020")
        sheet.write_formula(2, quantity, "=1/0", None, "#DIV/0!")
        sheet.write_formula(3, name, '=HYPERLINK("http://x")', None, "")

    first, second, third, fourth = read(workbook([good_row()] * 4, more))
    assert told(first) == [("hts", "FORMULA")]
    assert told(second) == [("quantity", "FORMULA")]
    assert told(third) == [("mf_name", "FORMULA")]
    assert told(fourth) == []
    failed = altered(
        workbook([good_row() | {"quantity": 712}]), SHEET,
        lambda part: part.replace(b"><v>712</v>", b' t="e"><v>#REF!</v>'),
    )  # fmt: skip
    (row,) = read(failed)
    assert told(row) == [("quantity", "CELL_ERROR")]


def test_a_row_that_is_nothing_but_a_formula_is_not_lost():
    def more(_book, sheet):
        sheet.write_formula(3, 2, "=A1", None, "")

    rows = read(workbook([good_row()], more))
    assert [(one.file_row, one.line_no) for one in rows] == [(1, 2), (2, 4)]


def test_blank_rows_are_no_records_and_rows_keep_their_number():
    def more(_book, sheet):
        sheet.write_string(5, 0, "PO-LATER")

    rows = read(workbook([good_row()], more))
    assert [(one.file_row, one.line_no) for one in rows] == [(1, 2), (2, 6)]


def test_a_cell_beside_the_header_refuses_its_row():
    def more(_book, sheet):
        sheet.write_string(1, len(COLUMNS) + 2, "beside")

    (row,) = read(workbook([good_row()], more))
    assert [(one.field, one.code) for one in row.faults] == [("", "WIDTH")]


def second_sheet(book, _sheet):
    book.add_worksheet("more").write_string(0, 0, "x")


def hidden_sheet(book, _sheet):
    sheet = book.add_worksheet("more")
    sheet.write_string(0, 0, "x")
    sheet.hide()


def far(row, column):
    def more(_book, sheet):
        sheet.write_string(row, column, "x")

    return more


GOOD = workbook([good_row()])
DOCTYPE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LINKS = "xl/_rels/workbook.xml.rels"
REFUSED = {
    "nothing": (workbook([]), "EMPTY"),
    "no sheet data": (by_hand(""), "EMPTY"),
    "columns": (workbook([good_row()], columns=COLUMNS[:-1]), "MISSING_COLUMN"),
    "two sheets": (workbook([good_row()], second_sheet), "SHEETS"),
    "a hidden sheet": (workbook([good_row()], hidden_sheet), "SHEETS"),
    "the last corner": (workbook([good_row()], far(1_048_575, 16_383)), "FILE_ROWS"),
    "far below": (workbook([good_row()], far(1_048_575, 0)), "FILE_ROWS"),
    "far beside": (workbook([good_row()], far(1, 16_383)), "FILE_ROWS"),
    "csv": (csv_bytes([good_row()]), "FORMAT"),
    "damaged": (GOOD[:-100], "FORMAT"),
    "entity": (altered(GOOD, SHEET, lambda part: part.replace(b"<worksheet", DOCTYPE + b"<worksheet", 1)), "FORMAT"),
    "utf-16": (altered(GOOD, SHEET, lambda part: part.decode().encode("utf-16")), "FORMAT"),
    "macros": (zipped(parts_of(GOOD) | {"xl/vbaProject.bin": b"x"}), "FORMAT"),
    "not XML": (altered(GOOD, SHEET, lambda _: b"<worksheet><sheetData><f></sheetData>"), "FORMAT"),
    "sheet elsewhere": (altered(GOOD, LINKS, lambda part: part.replace(b"sheet1.xml", b"Sheet1.xml")), "FORMAT"),
    "bomb": (zipped(parts_of(GOOD) | {"xl/media/a.xml": b" " * 120_000_000}), "FORMAT"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_workbook_in_doubt_is_refused_whole(name):
    content, code = REFUSED[name]
    with pytest.raises(FileRefusedError) as refusal:
        read(content)
    assert refusal.value.faults[0].code == code
    assert refusal.value.faults[0].fix


def test_limits_of_rows():
    rows = [good_row(filing_ref=f"PO-{n}") for n in range(4)]
    assert len(read(workbook(rows), Limits(file_bytes=100_000, rows=4))) == 4
    with pytest.raises(FileRefusedError, match="50,000 rows"):
        read(workbook(rows), Limits(file_bytes=100_000, rows=3))
    with pytest.raises(FileRefusedError):
        read(workbook(rows), Limits(file_bytes=1000, rows=4))


CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=26), max_size=6))
def test_no_row_with_a_value_is_lost(rows):
    full = [row for row in rows if any(str(cell).strip() for cell in row.values())]
    blank = [
        row for row in rows if all(isinstance(cell, str) and not cell for cell in row.values())
    ]
    try:
        found = read(workbook(rows))
    except FileRefusedError:
        assert not full
        return
    assert len(full) <= len(found) <= len(rows) - len(blank)
    for row in map(check_row, found):
        assert (row.filing is None) == any(one.severity is Severity.ERROR for one in row.faults)
