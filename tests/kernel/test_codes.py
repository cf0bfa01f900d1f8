"""Shape and check-digit rules for codes."""

# ruff: noqa: RUF001 (letters that look like others are the subject here)

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso6346

from app.kernel import codes


@pytest.mark.parametrize(
    "text",
    ["CSQU3054383", "TOLU4734787", "HLXU2008419", "MEDU8707688", "MSKU1234565", "MSKU0000080"],
)
def test_a_container_number_with_its_check_digit_passes(text: str) -> None:
    assert codes.container_number_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "CSQU3054384",
        "MSKU1234567",
        "MSCU6639871",
        "CSQX3054383",
        "CSQU305438",
        "CSQJ3054383",
        "A_BU0000008",
        "A1BU0000008",
        "csqu3054383",
        "CSQU3054383\n",
        "CSQU٣054383",
        "",
    ],
)
def test_any_other_container_number_is_refused(text: str) -> None:
    problem = codes.container_number_problem(text)
    assert problem is not None
    assert problem.code == "CNTR_CHECK"


@given(st.from_regex(r"[A-Z]{3}[UJZ][0-9]{7}", fullmatch=True))
def test_check_digits_of_containers_agree_with_an_independent_implementation(text: str) -> None:
    assert (codes.container_number_problem(text) is None) == iso6346.is_valid(text)


def test_shape_and_check_digit_of_a_container_are_told_apart() -> None:
    shape = codes.container_number_problem("CSQU305438")
    digit = codes.container_number_problem("CSQU3054384")
    assert shape is not None
    assert digit is not None
    assert shape.message != digit.message


@pytest.mark.parametrize("text", ["CN", "US", "VN", "TW", "XK"])
def test_countries_pass_and_more_can_be_configured(text: str) -> None:
    assert codes.country_problem(text, extra=frozenset({"XK"})) is None


@pytest.mark.parametrize("text", ["XX", "ZZ", "XK", "XA", "QM", "AA"])
def test_codes_for_private_use_are_refused_with_their_own_message(text: str) -> None:
    problem = codes.country_problem(text)
    assert problem is not None
    assert problem.code == "ISO"
    assert "no country" in problem.message


@pytest.mark.parametrize("text", ["EU", "CHN", "cn", "C", "", "156", "C\u039d"])
def test_what_is_no_country_code_is_refused(text: str) -> None:
    problem = codes.country_problem(text)
    assert problem is not None
    assert problem.code == "ISO"
    assert "not a country code" in problem.message


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("850760", "850760"),
        ("8507.60", "850760"),
        ("85076000", "85076000"),
        ("8507.60.00.20", "8507600020"),
        ("8507.60.0020", "8507600020"),
        ("0101210010", "0101210010"),
    ],
)
def test_tariff_numbers_pass_with_and_without_dots(text: str, digits: str) -> None:
    assert codes.hts_problem(text) is None
    assert codes.hts_digits(text) == digits


@pytest.mark.parametrize(
    "text",
    ["7701.00", "770750", "000000", "85076", "8507600", "850760002", "85.0760", "8507.6", "850760.",
     "8507-60", "٨٥٠٧٦٠", "850760\n", ""],
)  # fmt: skip
def test_any_other_tariff_number_is_refused(text: str) -> None:
    problem = codes.hts_problem(text)
    assert problem is not None
    assert problem.code == "HTS"


def test_chapters_98_and_99_are_only_remarked_on() -> None:
    assert codes.hts_problem("980100") is None
    assert codes.hts_warning("980100") is not None
    assert codes.hts_warning("9903.88.03") is not None
    assert codes.hts_warning("970110") is None


@pytest.mark.parametrize("text", ["MAEU123456789012", "ONEY786833016361", "MAEU1", "MAEUABC"])
def test_bill_numbers_pass(text: str) -> None:
    assert codes.bill_number_problem(text) is None
    assert codes.bill_number_warning(text) is None


@pytest.mark.parametrize(
    "text", ["MA-EU 123", "MAEU 123", "MAEU-123", "MAEU/123", "MAEU", "MAE1", "", "MAEU" + "1" * 47]
)
def test_any_other_bill_number_is_refused(text: str) -> None:
    problem = codes.bill_number_problem(text)
    assert problem is not None
    assert problem.code == "BL_FORMAT"


def test_a_long_bill_number_is_only_remarked_on() -> None:
    text = "MAEU" + "1" * 13
    assert codes.bill_number_problem(text) is None
    assert codes.bill_number_warning(text) is not None


@pytest.mark.parametrize(("text", "right"), [("CNSHA", True), ("USLA2", True), ("CN5H1", False)])
def test_shape_of_unlocode(text: str, right: bool) -> None:
    assert (codes.unlocode_problem(text) is None) is right


@pytest.mark.parametrize(
    ("text", "right"), [("2704", True), ("0401", True), ("401", False), ("57035", False)]
)
def test_shape_of_schedule_d(text: str, right: bool) -> None:
    assert (codes.schedule_d_problem(text) is None) is right


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" maeu1 ", "MAEU1"), ("\xa0cn\r\n", "CN"), ("ı", "ı"), ("ß", "ß"), ("ſ", "ſ")],
)
def test_canonical_never_turns_one_letter_into_another(text: str, expected: str) -> None:
    assert codes.canonical(text) == expected
