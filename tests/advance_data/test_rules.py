"""Rules of one row: each fault in its place, all of them, and never a hidden number shown."""

# ruff: noqa: RUF001 (letters that look like others are the subject here)

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data import faults
from app.advance_data.csv_intake import read_csv
from app.advance_data.faults import RowFault, Severity, echo
from app.advance_data.rows import COLUMNS, Action, BillType, DeletionRow, FilingRow, RawRow
from app.advance_data.rules import CheckedRow, KnownCodes, check_row
from tests.advance_data.sample_rows import GOOD_ROW, good_row

SHARED_ISF = Path(__file__).parents[3] / "shared" / "data" / "isf"

CONTRACT_COLUMNS = (
    "filing_ref action importer_number consignee_number bill_type bill_number container_number "
    "hts country_of_origin mf_name mf_address mf_city mf_country mf_duns mid seller_name "
    "buyer_name ship_to_name stuffing_country consolidator_name port_lading port_unlading etd "
    "value_usd quantity uom"
)


def check(known: KnownCodes | None = None, /, **changes: str) -> CheckedRow:
    return check_row(RawRow(7, 8, good_row(**changes)), known or KnownCodes())


def found(checked: CheckedRow, severity: Severity = Severity.ERROR) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in checked.faults if fault.severity is severity]


def test_the_columns_are_those_of_the_contract() -> None:
    assert " ".join(COLUMNS) == CONTRACT_COLUMNS
    # A message says in its envelope who files it; no column of a table does.
    assert set(faults.SPEC_REFS) == {*COLUMNS, "filer"}


def test_a_good_row_becomes_a_filing_of_canonical_values() -> None:
    checked = check(mid=" vnhancel12han ", country_of_origin="vn", uom="pcs", mf_name=" Hanoi ")
    filing = checked.filing
    assert checked.faults == ()
    assert isinstance(filing, FilingRow)
    assert filing.action is Action.ADD
    assert filing.bill_type is BillType.REGULAR
    assert filing.importer_number.value == "12-345678900"
    assert filing.hts == "8507600020"
    assert filing.country_of_origin == "VN"
    assert filing.mf_name == "Hanoi"
    assert filing.mid is not None
    assert filing.mid.value == "VNHANCEL12HAN"
    assert filing.etd == dt.date(2026, 6, 20)
    assert filing.value_usd == Decimal("26453.09")
    assert filing.quantity == 712
    assert filing.uom == "PCS"


ERRORS = [
    ("filing_ref", "FILING_REF", ["-1", "a b", "x" * 51, "réf"]),
    ("action", "ACTION", ["X", "AD", "add"]),
    ("importer_number", "IOR_FORMAT", ["12080110200", "12-3456789", "000-12-3456", "١٢-345678900"]),
    ("consignee_number", "IOR_FORMAT", ["20390340200", "219-09-9999"]),
    ("bill_type", "BILL_TYPE", ["MB", "1"]),
    ("bill_number", "BL_FORMAT", ["MA-EU 123", "MAEU/1", "M1EU12", "MAEU"]),
    ("container_number", "CNTR_CHECK", ["TEMU8661209", "MAEU8559375", "CSQU305438", "A_BU0000008"]),
    ("hts", "HTS", ["770750", "7707.50", "85076", "8507600", "٨٥٠٧٦٠", "000000"]),
    ("country_of_origin", "ISO", ["XX", "EU", "CHN", "ZZ"]),
    ("mf_country", "ISO", ["XX", "1"]),
    ("stuffing_country", "ISO", ["UK"]),
    ("mf_name", "NAME", ["", "  ", "-", "..."]),
    ("seller_name", "NAME", [""]),
    ("buyer_name", "NAME", [""]),
    ("ship_to_name", "NAME", [""]),
    ("consolidator_name", "NAME", [""]),
    ("mf_name", "TOO_LONG", ["x" * 256]),
    ("mf_address", "TOO_LONG", ["x" * 256]),
    ("mf_duns", "DUNS_FORMAT", ["12345678", "12-345-6789"]),
    ("mid", "MID_FORMAT", ["VN", "VN-HAN", "VNHANCEL12HANOI1"]),
    ("port_lading", "UNLOCODE", ["CN5H1", "CNSH", "2704"]),
    ("port_unlading", "SCHEDULE_D", ["270", "27044", "USLAX"]),
    ("etd", "DATE", ["13/31/2026", "2026-02-30", "20260620", "2026-W01-1", "26-06-20", "٢٠٢٦-06-20",
                     "2026-06-20T00:00"]),
    ("value_usd", "VALUE", ["-5", "0", "0.00", "1e999", "1E5", "NaN", "inf", "1_0", "1,000.00",
                            "١٢٣", "１２", "+5", "$5", "1.234", ".5", "5.", "9" * 12]),
    ("quantity", "QTY", ["1.5", "0", "-1", "1e3", "1_0", "١٢", "NaN", "1 000", "9" * 12]),
    ("uom", "UOM", ["PIECES", "k g", "°"]),
    *[
        (column, "MISSING", ["", " \t "])
        for column in ("filing_ref", "action", "importer_number", "consignee_number", "bill_type",
                       "bill_number", "hts", "country_of_origin", "stuffing_country", "port_lading",
                       "port_unlading", "etd", "value_usd", "quantity", "uom")
    ],
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "code", "text"),
    [(field, code, text) for field, code, texts in ERRORS for text in texts],
)
def test_a_faulty_cell_refuses_the_row_with_its_code(field: str, code: str, text: str) -> None:
    checked = check(**{field: text})
    assert found(checked) == [(field, code)]
    assert checked.filing is None
    (fault,) = [fault for fault in checked.faults if fault.severity is Severity.ERROR]
    assert (fault.file_row, fault.line_no) == (7, 8)
    assert fault.record == ("PO-2026/0417" if field != "filing_ref" else echo(text))
    assert fault.message
    assert fault.fix
    assert fault.spec_ref


def test_every_column_has_a_case_that_refuses_it() -> None:
    assert {field for field, _, _ in ERRORS} | {"mf_city"} == set(COLUMNS)


def test_all_errors_of_a_row_are_told_in_the_order_of_the_columns() -> None:
    checked = check(importer_number="45979734000", hts="770750", mf_name="", value_usd="-5",
                    quantity="1.5", etd="13/31/2026")  # fmt: skip
    assert found(checked) == [
        ("importer_number", "IOR_FORMAT"),
        ("hts", "HTS"),
        ("mf_name", "NAME"),
        ("etd", "DATE"),
        ("value_usd", "VALUE"),
        ("quantity", "QTY"),
    ]


def test_an_empty_row_names_every_required_column() -> None:
    checked = check_row(RawRow(1, 2, dict.fromkeys(COLUMNS, "")))
    optional = {"container_number", "mf_duns", "mid"}
    assert {field for field, _ in found(checked)} == set(COLUMNS) - optional


def test_optional_cells_may_be_empty() -> None:
    checked = check(container_number="", mid="", mf_duns="")
    assert checked.faults == ()
    assert isinstance(checked.filing, FilingRow)
    assert checked.filing.container_number is None


def test_a_duns_number_stands_in_lieu_of_the_manufacturers_address() -> None:
    blank = {"mf_address": "", "mf_city": "", "mf_country": ""}
    assert found(check(**blank)) == []
    assert found(check(**blank, mf_duns="")) == [(column, "MISSING") for column in blank]


def test_a_deletion_needs_reference_action_and_importer_alone() -> None:
    blank = dict.fromkeys(COLUMNS, "")
    key = {"filing_ref": "R1", "action": "d", "importer_number": "12-345678900"}
    checked = check_row(RawRow(1, 2, {**blank, **key}))
    assert checked.faults == ()
    assert isinstance(checked.filing, DeletionRow)
    assert not isinstance(checked.filing, FilingRow)
    assert checked.filing.action is Action.DELETE
    assert found(check_row(RawRow(1, 2, {**blank, "action": "D"}))) == [
        ("filing_ref", "MISSING"),
        ("importer_number", "MISSING"),
    ]
    assert found(check(action="D", hts="770750", value_usd="NaN")) == []


LISTS = KnownCodes(
    hs6=frozenset({"850760"}), unlocodes=frozenset({"VNSGN"}), schedule_d=frozenset({"2704"})
)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("importer_number", "07-114444200", "EIN_PREFIX"),
        ("consignee_number", "07-114444200", "EIN_PREFIX"),
        ("bill_number", "MAEU1234567890123", "BL_LENGTH"),
        ("hts", "8507.90", "HS_UNKNOWN"),
        ("port_lading", "CNSHA", "PORT_UNKNOWN"),
        ("port_unlading", "4601", "PORT_UNKNOWN"),
        ("country_of_origin", "CN", "ORIGIN_MISMATCH"),
        ("mid", "CNHANCEL12HAN", "MID_MISMATCH"),
    ],
)
def test_what_lists_do_not_know_and_disagreements_keep_the_row(
    field: str, text: str, code: str
) -> None:
    checked = check(LISTS, **{field: text})
    assert found(checked, Severity.WARNING) == [(field, code)]
    assert found(checked) == []
    assert isinstance(checked.filing, FilingRow)


def test_lists_that_are_not_loaded_warn_of_nothing() -> None:
    assert check(hts="850790", port_lading="CNSHA", port_unlading="4601").faults == ()


def test_chapters_98_and_99_alone_are_remarked_on() -> None:
    assert found(check(hts="9801.00"), Severity.WARNING) == [("hts", "HTS_SPECIAL")]


def test_canadian_manufacturer_codes_begin_with_the_province() -> None:
    canada = {"mf_country": "CA", "country_of_origin": "CA", "mid": "XOHANCEL12TOR"}
    assert check(**canada).faults == ()


def test_a_refused_row_tells_its_warnings_too_but_none_of_a_refused_cell() -> None:
    checked = check(importer_number="07-114444200", mid="CNHANCEL12HAN", hts="98", quantity="0")
    assert found(checked) == [("hts", "HTS"), ("quantity", "QTY")]
    assert found(checked, Severity.WARNING) == [
        ("importer_number", "EIN_PREFIX"),
        ("mid", "MID_MISMATCH"),
    ]


def texts(fault: RowFault) -> str:
    return f"{fault.value} {fault.message} {fault.fix} {fault.record} {fault!r}"


@pytest.mark.parametrize("field", ["importer_number", "consignee_number", "seller_name", "hts"])
@pytest.mark.parametrize(
    "text", ["219-09-9999", "219 09 9999", "219–09–9999", "000-12-3456", "219-\u202e09-9999"]
)
def test_no_fault_repeats_a_social_security_number(field: str, text: str) -> None:
    padded = text if field != "seller_name" else text + "x" * 255
    checked = check(**{field: padded})
    assert found(checked)
    for fault in checked.faults:
        assert text[:6] not in texts(fault)
        assert "219-09" not in texts(fault)
        assert fault.value.startswith("***-**-") or fault.field != field


def test_a_social_security_number_without_hyphens_is_masked_where_importers_stand() -> None:
    (fault,) = check(importer_number="536904399").faults
    assert fault.value == "***-**-4399"


def test_a_well_formed_social_security_number_files_and_is_not_shown() -> None:
    checked = check(importer_number="536-90-4399")
    assert checked.faults == ()
    assert isinstance(checked.filing, FilingRow)
    assert checked.filing.importer_number.sensitive
    assert "536-90" not in repr(checked.filing)


def test_echoes_are_short_and_show_what_is_invisible() -> None:
    assert echo("x" * 5000) == "x" * 99 + "…"
    assert echo("a\u202eb\0") == "a<U+202E>b<U+0000>"


def test_the_database_faults_have_code_text_and_fix() -> None:
    assert faults.AUTHORITY.code == "AUTHORITY"
    assert {faults.REF_UNKNOWN.code, faults.REF_TAKEN.code} == {"REF"}


@given(
    st.dictionaries(
        st.sampled_from(COLUMNS), st.text(max_size=30) | st.sampled_from(list(GOOD_ROW.values()))
    )
)
def test_any_texts_give_a_filing_or_errors_never_both(changes: dict[str, str]) -> None:
    checked = check(**changes)
    assert (checked.filing is None) == bool(found(checked))
    assert len(found(checked)) == len({field for field, _ in found(checked)})
    assert all(fault.field in COLUMNS for fault in checked.faults)


def test_the_shared_sample_gives_exactly_its_expected_errors() -> None:
    if not (SHARED_ISF / "isf_rows_200.csv").exists():
        # Every fault of the sample also stands in ERRORS above.
        return
    with (SHARED_ISF / "isf_rows_200.expected.csv").open(encoding="utf-8", newline="") as file:
        expected = [tuple(row.values()) for row in csv.DictReader(file)]
    with (SHARED_ISF / "isf_rows_200.csv").open("rb") as stream:
        checked = [check_row(raw) for raw in read_csv(stream)]
    errors = [
        (str(fault.file_row), fault.field, fault.code, fault.value)
        for row in checked
        for fault in row.faults
        if fault.severity is Severity.ERROR
    ]
    assert sorted(errors) == sorted(expected)
    assert len(checked) == 200
