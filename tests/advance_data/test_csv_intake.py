"""The CSV reader: each physical record once, and hostile files refused with their line."""

import csv
import io
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data import csv_intake
from app.advance_data.csv_export import formula_safe
from app.advance_data.csv_intake import FileRefusedError, Limits, read_csv
from app.advance_data.faults import RowFault
from app.advance_data.rows import COLUMNS, RawRow
from app.advance_data.rules import check_row
from tests.advance_data.sample_rows import GOOD_ROW, csv_bytes, good_row

HEADER = (",".join(COLUMNS) + "\n").encode()
LINE = csv_bytes([GOOD_ROW]).split(b"\n", 1)[1]


def read(data: bytes, **limits: int) -> list[RawRow]:
    return list(read_csv(io.BytesIO(data), Limits(**limits)))


def refusal(data: bytes, **limits: int) -> tuple[RowFault, ...]:
    with pytest.raises(FileRefusedError) as refused:
        read(data, **limits)
    return refused.value.faults


def one_refusal(data: bytes, **limits: int) -> tuple[str, int]:
    (fault,) = refusal(data, **limits)
    assert fault.message
    assert fault.fix
    return fault.code, fault.line_no


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_come_with_number_line_and_texts(line_end: str, mark: bytes) -> None:
    rows = read(mark + csv_bytes([good_row(filing_ref="A1"), good_row()], line_end=line_end))
    assert [(row.file_row, row.line_no) for row in rows] == [(1, 2), (2, 3)]
    assert rows[0].values == good_row(filing_ref="A1")
    assert all(check_row(row).filing for row in rows)


def test_the_last_line_end_may_be_missing() -> None:
    assert len(read(HEADER + LINE + LINE.rstrip(b"\n"))) == 2


def test_the_order_of_the_columns_is_free() -> None:
    (row,) = read(csv_bytes([GOOD_ROW], columns=sorted(COLUMNS)))
    assert row.values == GOOD_ROW


def test_column_names_may_have_capitals_and_blanks() -> None:
    (row,) = read(HEADER.upper().replace(b",", b" ,") + LINE)
    assert row.values == GOOD_ROW


def test_lines_without_any_character_are_counted_as_lines_only() -> None:
    rows = read(b"\n" + HEADER + b"\n" + LINE + b"\r\n\n" + LINE + b"\n")
    assert [(row.file_row, row.line_no) for row in rows] == [(1, 4), (2, 7)]


def test_all_that_is_wrong_with_the_header_is_told() -> None:
    header = HEADER.replace(b"hts,", b"tariff,").replace(b"uom", b"etd")
    faults = refusal(header + LINE)
    assert [(fault.code, fault.field, fault.value) for fault in faults] == [
        ("UNKNOWN_COLUMN", "", "tariff"),
        ("REPEATED_COLUMN", "etd", ""),
        ("MISSING_COLUMN", "hts", ""),
        ("MISSING_COLUMN", "uom", ""),
    ]
    assert {(fault.file_row, fault.line_no) for fault in faults} == {(0, 1)}


def test_a_header_of_a_million_columns_is_answered_briefly() -> None:
    header = ",".join(f"c{number}" for number in range(100_000)).encode()
    assert len(refusal(header)) < 100


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n", HEADER, HEADER.rstrip(), b"\xef"])
def test_files_without_rows_are_refused(data: bytes) -> None:
    assert one_refusal(data)[0] == ("EMPTY" if data != b"\xef" else "ENCODING")


@pytest.mark.parametrize("separator", [b";", b"\t", b"|"])
def test_other_separators_are_named(separator: bytes) -> None:
    assert one_refusal((HEADER + LINE).replace(b",", separator)) == ("SEPARATOR", 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(encoding: str) -> None:
    assert one_refusal((HEADER + LINE).decode().encode(encoding)) == ("ENCODING", 1)


def test_a_byte_that_is_not_utf8_is_refused_with_its_line() -> None:
    broken = LINE.replace(b"Hanoi Cell", "Hanoï Cell".encode("latin-1"))
    assert one_refusal(HEADER + LINE * 20_000 + broken + LINE) == ("ENCODING", 20_002)


def test_texts_beyond_ascii_are_kept_in_composed_form() -> None:
    (row,) = read(csv_bytes([good_row(mf_name="Socie\u0301te\u0301 上海")]))
    assert row.values["mf_name"] == "Soci\xe9t\xe9 上海"
    assert check_row(row).filing


@pytest.mark.parametrize("rows_after", [0, 1, 3, 5_000, 20_000])
def test_an_unclosed_quotation_mark_is_refused_in_the_line_where_it_opened(rows_after: int) -> None:
    opened = LINE.replace(b"Hanoi Cell Works", b'"Hanoi Cell Works')
    data = HEADER + LINE * 3 + opened + LINE * rows_after
    assert one_refusal(data) == ("QUOTE", 5)


def test_a_quotation_mark_opened_late_in_a_long_record_is_found() -> None:
    row = LINE.replace(b"Hanoi Cell Works", b'"two\nlines"').replace(b"Delta", b'"Delta')
    assert one_refusal(HEADER + LINE + row + LINE) == ("QUOTE", 4)


def test_text_after_a_closing_quotation_mark_is_refused() -> None:
    assert one_refusal(HEADER + LINE + LINE.replace(b"Hanoi Cell", b'"Hanoi" Cell')) == ("QUOTE", 3)


def test_a_quotation_mark_that_swallows_a_row_refuses_what_it_swallowed() -> None:
    swallowing = LINE.replace(b"Hanoi Cell Works", b'"Hanoi Cell Works')
    closing = LINE.replace(b"Hanoi Cell Works", b'Hanoi"')
    rows = read(HEADER + LINE + swallowing + closing + LINE)
    assert [check_row(row).filing is None for row in rows] == [False, True, False]
    assert [row.line_no for row in rows] == [2, 3, 5]


def test_quotation_marks_and_commas_inside_a_cell_are_kept() -> None:
    (row,) = read(csv_bytes([good_row(mf_name='The "Cell" Works, Hanoi')]))
    assert row.values["mf_name"] == 'The "Cell" Works, Hanoi'
    assert row.faults == ()


def test_a_lone_carriage_return_is_refused_with_its_line() -> None:
    assert one_refusal(HEADER + LINE + LINE.replace(b"Works,", b"Works\r,")) == ("LINE_END", 3)
    assert one_refusal((HEADER + LINE).replace(b"\n", b"\r")) == ("LINE_END", 1)


@pytest.mark.parametrize(
    "character",
    ["\0", "\t", "\x0b", "\x1b", "\x7f", "\x85", "\n", "\r", "\r\n", "\u202e", "\u2066", "\u200f",
     "\u200b", "\ufeff", "\u2028", "\xad", "\U000e0041"],
)  # fmt: skip
def test_control_and_invisible_characters_refuse_their_row_alone(character: str) -> None:
    hidden = good_row(mf_name=f"Hanoi{character}Works")
    rows = read(csv_bytes([GOOD_ROW, hidden, GOOD_ROW]))
    checked = [check_row(row) for row in rows]
    assert [row.filing is None for row in checked] == [False, True, False]
    assert [(fault.field, fault.code) for fault in checked[1].faults] == [("mf_name", "CHARACTER")]
    assert checked[1].faults[0].record == GOOD_ROW["filing_ref"]
    assert character not in checked[1].faults[0].value


def test_a_doubtful_cell_is_told_beside_the_other_errors_of_its_row() -> None:
    (row,) = read(csv_bytes([good_row(mf_name="\u202e", hts="77\0", quantity="0")]))
    faults = [(fault.field, fault.code) for fault in check_row(row).faults]
    assert faults == [("hts", "CHARACTER"), ("mf_name", "CHARACTER"), ("quantity", "QTY")]


@pytest.mark.parametrize("cells", [b"a\n", b'""\n', b"   \n", LINE.rstrip() + b",x\n", b"," * 30])
def test_a_row_of_another_width_is_refused_with_its_count(cells: bytes) -> None:
    rows = [check_row(row) for row in read(HEADER + LINE + cells + b"\n" + LINE)]
    assert [row.filing is None for row in rows] == [False, True, False]
    (fault,) = rows[1].faults
    assert (fault.code, fault.file_row, fault.line_no) == ("WIDTH", 2, 3)
    assert fault.value == str(len(next(csv.reader([cells.decode()]))))


def test_a_huge_cell_refuses_its_row_and_a_huger_one_the_file() -> None:
    rows = [check_row(row) for row in read(csv_bytes([good_row(mf_name="x" * 40_000), GOOD_ROW]))]
    assert [fault.code for fault in rows[0].faults] == ["CELL_LENGTH"]
    assert rows[1].filing
    huger = csv_bytes([GOOD_ROW, good_row(mf_name="x" * 200_000)])
    assert one_refusal(huger) == ("RECORD_LENGTH", 3)


def test_a_file_without_line_ends_is_not_read_to_its_end() -> None:
    stream = io.BytesIO(HEADER + b"x" * 20_000_000)
    with pytest.raises(FileRefusedError) as refused:
        list(read_csv(stream))
    assert refused.value.faults[0].code == "RECORD_LENGTH"
    assert stream.tell() < 5_000_000


def test_a_record_of_endless_quoted_lines_is_not_read_to_its_end() -> None:
    stream = io.BytesIO(HEADER + LINE + b'"\n",' * 5_000_000)
    with pytest.raises(FileRefusedError) as refused:
        list(read_csv(stream))
    assert refused.value.faults[0].code == "RECORD_LENGTH"
    assert refused.value.faults[0].line_no == 3
    assert stream.tell() < 5_000_000


def test_limits_of_rows_and_bytes_hold_to_the_last_one() -> None:
    data = HEADER + LINE * 3
    assert len(read(data, rows=3, file_bytes=len(data))) == 3
    assert one_refusal(data, rows=2) == ("FILE_ROWS", 4)
    assert one_refusal(data, file_bytes=len(data) - 1)[0] == "FILE_SIZE"


def test_rows_that_span_blocks_keep_number_and_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # Small blocks put their borders everywhere; the longest line must still fit one.
    monkeypatch.setattr(csv_intake, "_BLOCK", 701)
    rows = [good_row(filing_ref=f"R{number}", mf_name="Тест") for number in range(300)]
    rows[150]["buyer_name"] = "two\nlines"
    read_rows = read(csv_bytes(rows, line_end="\r\n"))
    assert [row.values["filing_ref"] for row in read_rows] == [row["filing_ref"] for row in rows]
    assert [row.line_no for row in read_rows] == [*range(2, 153), *range(154, 303)]
    assert [row.file_row for row in read_rows if row.faults] == [151]


CELLS = st.text(max_size=12) | st.sampled_from([*GOOD_ROW.values(), "1e999", "NaN", "=1+1", "\0"])


@given(
    changes=st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS), min_size=1, max_size=6),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_accepted_and_rejected_are_all_rows_that_were_written(
    changes: list[dict[str, str]], line_end: str
) -> None:
    written = [good_row(**change) for change in changes]
    rows = read(csv_bytes(written, line_end=line_end))
    accepted = [row for row in rows if check_row(row).filing]
    rejected = [row for row in rows if check_row(row).filing is None]
    assert len(accepted) + len(rejected) == len(written)
    assert [row.file_row for row in rows] == list(range(1, len(written) + 1))
    for row in accepted:
        # Not `isprintable()`: a letter that Unicode gained after this Python was built is a letter.
        assert not {category(one) for one in row.values["mf_name"]} & {"Cc", "Cs", "Zl", "Zp"}


@given(lines=st.lists(st.text(alphabet='a,"\r\n\0é', max_size=40), max_size=6))
def test_any_text_after_the_header_is_read_to_its_end_or_refused(lines: list[str]) -> None:
    data = HEADER + "\n".join(lines).encode()
    refused, rows = None, []
    try:
        rows = read(data)
    except FileRefusedError as error:
        (refused,) = error.faults
    if refused is not None:
        assert 0 <= refused.line_no <= data.count(b"\n") + 1
        assert refused.code in {"QUOTE", "LINE_END", "EMPTY"}
        return
    records = [record for record in csv.reader(io.StringIO(data.decode(), newline="")) if record]
    assert len(rows) == len(records) - 1
    assert all(check_row(row).filing is None for row in rows)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_for_a_known_reason(data: bytes) -> None:
    assert refusal(data)[0].code in {
        "ENCODING", "EMPTY", "QUOTE", "LINE_END", "SEPARATOR", "UNKNOWN_COLUMN", "MISSING_COLUMN",
        "FORMAT",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "  =1",
             "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\xa0=1"],
)  # fmt: skip
def test_formulas_are_neutralised_on_export(text: str) -> None:
    assert formula_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Hanoi", "12-345678900", "a=b", "'=1", " x", "1.5"])
def test_other_texts_are_exported_as_they_are(text: str) -> None:
    assert formula_safe(text) == text
