"""Records of 80 characters: every position once, and what is read can be written again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data.abi.layout import Basis, Field, Kind, Record, Use, filler
from app.advance_data.abi.records import RECORDS, record_of

SHARED = Path(__file__).parents[4] / "shared" / "data" / "isf"
CHARACTERS = {
    Kind.ALPHA: "ABCXYZ",
    Kind.NUMERIC: "0123456789",
    Kind.ALPHANUMERIC: "AZ09",
    Kind.ANY: "AZ az09.,-/&#'",
}


@st.composite
def filled(draw: st.DrawFn) -> tuple[Record, dict[str, str]]:
    """A record with texts of every field's class, some of them blank."""
    record = RECORDS[draw(st.sampled_from(sorted(RECORDS)))]
    values = {}
    for one in record.fields:
        if one.kind is Kind.FILLER:
            continue
        text = draw(st.text(CHARACTERS[one.kind], max_size=one.width)).rstrip(" ")
        if text:
            values[one.name] = text
    return record, values


@given(filled())
def test_encode_decode_encode_is_the_identity(made: tuple[Record, dict[str, str]]) -> None:
    record, values = made
    line = record.encode(values)
    assert len(line) == 80
    decoded = record.decode(line)
    assert record.encode(decoded.values) == line
    assert {flaw.code for flaw in decoded.flaws} <= {"MISSING"}
    for one in record.fields:
        given_text, found = values.get(one.name, ""), decoded.values.get(one.name, "")
        if one.kind is Kind.NUMERIC and not one.left:
            assert found == (given_text.zfill(one.width) if given_text else "")
        elif one.kind is not Kind.FILLER:
            assert found == given_text


@pytest.mark.parametrize(
    "fields",
    [
        (Field("a", 5, 79, Kind.ANY),),
        (Field("a", 6, 80, Kind.ANY),),
        (Field("a", 5, 40, Kind.ANY), Field("b", 40, 80, Kind.ANY)),
        (Field("a", 5, 40, Kind.ANY), Field("b", 42, 80, Kind.ANY)),
        (Field("a", 5, 40, Kind.ANY), Field("a", 41, 80, Kind.ANY)),
        (Field("a", 5, 4, Kind.ANY), Field("b", 5, 80, Kind.ANY)),
        (Field("a", 5, 81, Kind.ANY),),
    ],
)
def test_a_declaration_that_does_not_tile_is_refused(fields: tuple[Field, ...]) -> None:
    with pytest.raises(ValueError, match="SF99"):
        Record("SF99", "", Basis.ONE, fields)


def test_what_stands_where_it_may_not_is_told_by_field() -> None:
    record = Record(
        "SF99", "", Basis.ONE,
        (Field("a", 5, 6, Kind.NUMERIC, Use.MANDATORY), Field("b", 7, 8, Kind.ALPHA), filler(9, 80)),
    )  # fmt: skip
    assert record.decode("SF99").flaws == (("MISSING", "a", ""),)
    assert record.decode("SF99 1X2").flaws == (("X40", "a", " 1"), ("X40", "b", "X2"))
    assert record.decode("SF9911XX  NO").flaws == (("X39", "", "NO"),)
    with pytest.raises(ValueError, match="fit"):
        record.encode({"a": "111"})
    with pytest.raises(ValueError, match="no"):
        record.encode({"c": "1"})
    with pytest.raises(ValueError, match="fit"):
        record.encode({"b": "é"})


def test_positions_are_those_of_the_chapter() -> None:
    """By hand, from the reference: what tiling alone cannot know."""
    line = (
        "SF10101ACTEI 12-345678900           11ABC-12345678901"
        "MAEU12-345678900   018     "
    )  # fmt: skip
    assert RECORDS["SF10"].decode(line).values == {
        "submission_type": "1", "shipment_type": "01", "action": "A", "action_reason": "CT",
        "importer_qualifier": "EI", "importer_number": "12-345678900", "transport_mode": "11",
        "transaction_number": "ABC-12345678901", "vessel_scac": "MAEU",
        "bond_holder": "12-345678900", "bond_activity": "01", "bond_type": "8",
    }  # fmt: skip
    goods = RECORDS["SF40"].decode("SF40850650    CN".ljust(80))
    assert goods.values == {"hts": "850650", "country_of_origin": "CN"}
    box = RECORDS["SF25"].decode("SF25CNMSKU00000000012345654500".ljust(80))
    assert box.values["serial"] == "000000000123456"
    assert (box.values["check_digit"], box.values["size_type"]) == ("5", "4500")
    place = RECORDS["SF36"].decode(
        "SF36" + "SHENZHEN".ljust(35) + "GD " + " " * 6 + "518000".ljust(15) + "CN"
    )
    assert place.values == {
        "city": "SHENZHEN",
        "subdivision": "GD",
        "postal_code": "518000",
        "country": "CN",
    }


def test_what_rests_on_one_transcription_is_marked() -> None:
    twice = {one.id for one in RECORDS.values() if one.basis is Basis.TWO}
    assert twice == {"SF10", "SF20", "SF25", "SF30", "SF31", "SF35", "SF36"}


def test_the_shared_samples_come_back_byte_for_byte() -> None:
    for path in sorted(SHARED.glob("*.abi")) if SHARED.exists() else ():
        for line in path.read_text(encoding="ascii").splitlines():
            kind = record_of(line)
            assert kind is not None
            assert kind.decode(line).flaws == ()
            assert kind.encode(kind.decode(line).values) == line
    printed = SHARED / "sa_examples_cbp_printed.txt"
    if printed.exists():
        # The printed examples disagree with their own layout: two characters before the SCAC.
        bills = [one for one in printed.read_text().splitlines() if one.startswith("SA30")]
        assert {RECORDS["SA30"].decode(one).values["bill"][:2] for one in bills} == {"HB", "OB"}


# Copied by hand from the reference, apart from the declarations: name and positions.
SPANS = """
A site 2-5 filer 6-8 password 9-14 date 15-20 application 26-27 office 38-39 user_data 60-80
B port 4-7 filer 8-10 application 11-12 office 45-46 preparer_port 47-50 preparer 51-53
B preparer_office 54-55 preparer_indicator 56-56 user_data 60-80
Y port 4-7 filer 8-10 application 11-12 count 13-17 office 45-46
Z site 2-5 filer 6-8 date 15-20 office 38-39
SF10 submission_type 5-5 shipment_type 6-7 action 8-8 action_reason 9-10 importer_qualifier 11-13
SF10 importer_number 14-28 importer_born 29-36 transport_mode 37-38 transaction_number 39-53
SF10 vessel_scac 54-57 bond_holder 58-72 bond_activity 73-74 bond_type 75-75
SF10 country_of_issuance 79-80
SF13 shipment_subtype 5-6 value_usd 7-17 quantity 18-28 uom 29-31 weight 32-42 weight_unit 43-43
SF15 bill_type 5-6 bill_number 7-56
SF20 reference_qualifier 5-7 reference 8-57
SF25 equipment_type 5-6 initial 7-10 serial 11-25 check_digit 26-26 size_type 27-30
SF30 entity 5-7 name 8-42 id_qualifier 43-45 id 46-65 passport_country 66-67 born 68-75
SF31 name_type 5-7 name 8-42
SF35 qualifier_1 5-6 text_1 7-41 qualifier_2 42-43 text_2 44-78
SF36 city 5-39 subdivision 40-42 postal_code 49-63 country 64-65
SF40 hts 5-14 country_of_origin 15-16
SF50 unlading_qualifier 5-7 port_unlading 8-22 delivery_qualifier 23-25 place_of_delivery 26-40
SF90 outcome 5-6 code 7-9 narrative 10-49
SA10 number 5-19
SA20 reference 8-57
SA30 bill 5-20
SA50 disposition 5-6 remarks 7-46
X0 level 4-9 occurrence 11-16 reference_label 18-24 reference 26-80
X1 rejected 3-3 final 4-4 code 5-7 reason 10-10 narrative 11-50
"""


def test_every_field_stands_where_the_reference_has_it() -> None:
    wanted: dict[str, list[tuple[str, str]]] = {}
    for row in SPANS.split("\n"):
        if row:
            record, *rest = row.split()
            wanted.setdefault(record, []).extend(zip(rest[::2], rest[1::2], strict=True))
    found = {
        record.id: [
            (one.name, f"{one.start}-{one.end}")
            for one in record.fields
            if one.kind is not Kind.FILLER
        ]
        for record in RECORDS.values()
    }
    assert found == wanted
