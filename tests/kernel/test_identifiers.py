"""Identifiers: what is accepted, refused, remarked on and never shown."""

# ruff: noqa: RUF001 (letters that look like others are the subject here)

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.identifiers import (
    Identifier,
    MalformedIdentifierError,
    Scheme,
    masked,
    parse,
    warnings,
)

SHARED_VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vectors" / "identifiers.json"

# The tax office's prefixes are a list, and lists age. The shared vectors call these invalid; the
# portal accepts them and says that the prefix is unknown to it.
UNKNOWN_PREFIX = {"07-1144442", "89-1234567", "00-0000000", "07-114444200"}

VALID = {
    Scheme.IOR: ["12-345678900", "91-114444201", "91-11444420A", "261234-00001", "536-90-4399"],
    Scheme.EIN: ["91-1144442", "04-2103594"],
    Scheme.CBP: ["261234-00001"],
    Scheme.FILER: ["WKV", "406", "DM4", "001"],
    Scheme.LICENCE: ["04321"],
    Scheme.LEI: ["213800KUD8LAJWSQ9D15", "5493001KJTIIGC8Y1R12"],
    Scheme.GLN: ["9501101530003", "0614141000005"],
    Scheme.DUNS: ["123456789", "1234567890001"],
    Scheme.MID: ["AUOZR92MEL", "XOABCCOM12TOR"],
    Scheme.SCAC: ["UPS", "AA", "MAEU"],
    Scheme.EORI: ["DE1234567", "GB123456789000", "XI123456789000"],
}
INVALID = {
    Scheme.IOR: [
        "12-3456789-00",
        "1234567890",
        "26-1234-0001",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "219-09-9999",
        "078-05-1120",
        "12-3456789",
        "12-34567890é",
        "١٢-345678900",
        "12-345678900\x00",
        "12‐345678900",
        "",
    ],
    Scheme.EIN: ["12-345678", "911-14-4442", "911144442", "91-11444420"],
    Scheme.CBP: ["26-1234-0001", "26123400001"],
    Scheme.FILER: ["000", "WK", "WKVA", "W-V"],
    Scheme.LICENCE: ["4321", "043210", "0432A"],
    Scheme.LEI: ["213800KUD8LAJWSQ9D25", "98", "213800KUD8LAJWSQ9D1", "2138 00KUD8LAJWSQ9D15"],
    Scheme.GLN: ["9501101530004", "96385074", "10012345678902", "036000291452"],
    Scheme.DUNS: ["12-345-6789", "12345678", "1234567890", "１２３４５６７８９"],
    Scheme.MID: ["AU", "AUOZR92MELBOURNE", "AU-OZR", "A1OZR92MEL", "ﬁOZR92MEL"],
    Scheme.SCAC: ["M", "MAEUX", "MA1U", "MAſU"],
    Scheme.EORI: ["DE", "DE1234567890123456", "1E1234567"],
}


def cases(table: dict[Scheme, list[str]]) -> list[tuple[Scheme, str]]:
    return [(scheme, text) for scheme, texts in table.items() for text in texts]


def test_every_scheme_has_cases_label_and_example() -> None:
    assert set(VALID) == set(INVALID) == set(Scheme)
    for scheme in Scheme:
        assert scheme.label
        assert "example" in scheme.hint


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_example_in_the_hint_is_accepted(scheme: Scheme) -> None:
    examples = [part.split(";")[0] for part in scheme.hint.rstrip(".").split("for example ")[1:]]
    for example in examples:
        words = example.replace(" or ", " ").split()
        assert parse(scheme, words[0].rstrip(".,")).value == words[0].rstrip(".,")


@pytest.mark.parametrize(("scheme", "text"), cases(VALID))
def test_well_formed_identifiers_keep_their_value(scheme: Scheme, text: str) -> None:
    identifier = parse(scheme, text)
    assert identifier == Identifier(scheme, text)
    assert parse(scheme, f"  {text.lower()}\r\n") == identifier
    assert warnings(identifier) == ()


@pytest.mark.parametrize(("scheme", "text"), cases(INVALID))
def test_malformed_identifiers_are_refused_with_a_fix(scheme: Scheme, text: str) -> None:
    with pytest.raises(MalformedIdentifierError) as refusal:
        parse(scheme, text)
    assert refusal.value.scheme is scheme
    assert refusal.value.code.startswith(scheme.upper())
    assert refusal.value.message
    assert refusal.value.fix


@pytest.mark.parametrize("text", ["000-12-3456", "219-09-9999", "536-90-439", "536904399"])
def test_a_refusal_never_repeats_the_value(text: str) -> None:
    with pytest.raises(MalformedIdentifierError) as refusal:
        parse(Scheme.IOR, text)
    error = refusal.value
    assert text not in f"{error} {error!r} {error.code} {error.message} {error.fix}"


@pytest.mark.parametrize("text", sorted(UNKNOWN_PREFIX))
def test_an_unknown_tax_prefix_is_a_warning_not_an_error(text: str) -> None:
    scheme = Scheme.EIN if len(text) == len("07-1144442") else Scheme.IOR
    assert [warning.code for warning in warnings(parse(scheme, text))] == ["EIN_PREFIX"]


@pytest.mark.parametrize(
    ("scheme", "text", "code"),
    [
        (Scheme.MID, "ZZOZR92MEL", "MID_COUNTRY"),
        (Scheme.EORI, "US1234567", "EORI_COUNTRY"),
        (Scheme.EORI, "GB1234567", "EORI_LENGTH"),
    ],
)
def test_what_only_lists_know_is_a_warning(scheme: Scheme, text: str, code: str) -> None:
    assert [warning.code for warning in warnings(parse(scheme, text))] == [code]


def test_cbp_and_social_security_forms_have_no_tax_prefix() -> None:
    assert warnings(parse(Scheme.IOR, "071234-00001")) == ()
    assert warnings(parse(Scheme.IOR, "536-90-4399")) == ()


def test_a_social_security_number_is_never_shown() -> None:
    identifier = parse(Scheme.IOR, "536-90-4399")
    assert identifier.sensitive
    assert identifier.shown == "***-**-4399"
    for text in (str(identifier), repr(identifier), f"{identifier}", f"{[identifier]}"):
        assert "536" not in text
        assert "4399" in text


@pytest.mark.parametrize("text", ["12-345678900", "261234-00001"])
def test_other_importer_numbers_are_shown(text: str) -> None:
    identifier = parse(Scheme.IOR, text)
    assert not identifier.sensitive
    assert identifier.shown == text
    assert str(identifier) == f"ior:{text}"


@pytest.mark.parametrize(
    "text",
    ["536-90-4399", "a 536-90-4399 b", "536 90 4399", "536–90–4399", "536.90.4399", "536-90-43991",
     "٥٣٦-٩٠-٤٣٩٩", "536 - 90 - 4399"],
)  # fmt: skip
def test_masking_hides_social_security_numbers_in_any_text(text: str) -> None:
    assert "***-**-" in masked(text)
    assert "536" not in masked(text)
    assert "٥٣٦" not in masked(text)


def test_nine_bare_digits_are_masked_only_where_an_importer_number_belongs() -> None:
    assert masked(" 536904399", identifier=True) == "***-**-4399"
    assert masked("536904399") == "536904399"


@pytest.mark.parametrize("text", ["12-345678900", "12080110200", "261234-00001", "91-1144442", ""])
def test_masking_leaves_other_numbers_alone(text: str) -> None:
    assert masked(text, identifier=True) == text


@given(scheme=st.sampled_from(Scheme), text=st.text(max_size=40))
def test_any_text_is_an_identifier_or_malformed(scheme: Scheme, text: str) -> None:
    try:
        identifier = parse(scheme, text)
    except MalformedIdentifierError:
        return
    assert parse(scheme, identifier.value) == identifier


@given(
    scheme=st.sampled_from(Scheme),
    text=st.text(alphabet=string.ascii_letters + string.digits + "- ", max_size=21)
    | st.sampled_from([text for texts in VALID.values() for text in texts]),
)
def test_parsing_is_idempotent(scheme: Scheme, text: str) -> None:
    try:
        identifier = parse(scheme, text)
    except MalformedIdentifierError:
        return
    assert identifier.value.isascii()
    assert identifier.value == identifier.value.strip().upper()
    assert parse(scheme, identifier.value) == identifier
    assert identifier.sensitive or parse(scheme, identifier.shown) == identifier


@pytest.mark.parametrize("scheme", [Scheme.IOR, Scheme.EIN, Scheme.LEI, Scheme.GLN])
def test_shared_vectors_when_they_are_at_hand(scheme: Scheme) -> None:
    if not SHARED_VECTORS.exists():
        # The same values stand in the tables above, so that nothing goes untested without them.
        return
    vectors = json.loads(SHARED_VECTORS.read_text(encoding="utf-8"))[scheme.value]
    for text in vectors["valid"]:
        assert parse(scheme, text).value == text
        assert warnings(parse(scheme, text)) == ()
    for text in vectors["invalid"]:
        if text in UNKNOWN_PREFIX:
            assert warnings(parse(scheme, text)) != ()
        else:
            with pytest.raises(MalformedIdentifierError):
                parse(scheme, text)
