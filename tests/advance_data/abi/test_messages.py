"""Files of messages: grouped into filings, every fault with its record and field, no line lost."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.advance_data.abi.checking import check_message
from app.advance_data.abi.model import IsfDeletion, IsfFiling, RawMessage
from app.advance_data.abi.reading import AbiLimits, read_abi
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.faults import Severity
from app.advance_data.rules import CheckedRow
from tests.advance_data.abi.messages import (
    NUMBER,
    PARTIES,
    deletion,
    header,
    isf5,
    isf10,
    line,
    message,
    party,
)

SHARED = Path(__file__).parents[4] / "shared" / "data" / "isf"


def read(data: bytes, limits: AbiLimits | None = None) -> list[RawMessage]:
    return list(read_abi(io.BytesIO(data), limits))


def checked(*filings: list[str]) -> list[CheckedRow]:
    return [check_message(one) for one in read(message(*filings))]


def told(row: CheckedRow, severity: Severity = Severity.ERROR) -> list[tuple[str, str, str]]:
    return [(one.record, one.field, one.code) for one in row.faults if one.severity is severity]


def test_a_good_filing_of_ten_elements() -> None:
    (row,) = checked(isf10())
    assert row.faults == ()
    filing = row.filing
    assert isinstance(filing, IsfFiling)
    assert filing.importer_number.value == NUMBER
    assert [one.bill_number for one in filing.bills] == ["MAEU123456789012"]
    assert [one.container_number for one in filing.equipment] == ["CSQU3054383"]
    maker = next(one for one in filing.parties if one.entity == "MF")
    assert [one.hts for one in maker.goods] == ["8507600020", "850650"]
    assert maker.address == ("12 INDUSTRIAL ROAD",)


def test_good_filings_of_five_elements_and_deletions() -> None:
    five, carrier, gone = checked(
        isf5(),
        isf5(importer_qualifier="2", importer_number="MAEU"),
        deletion("ABC-12345678901"),
    )
    assert five.faults == carrier.faults == gone.faults == ()
    assert isinstance(gone.filing, IsfDeletion)
    assert gone.filing.filing_ref == "ABC-12345678901"
    assert isinstance(carrier.filing, IsfFiling)
    assert str(carrier.filing.importer_number) == "scac:MAEU"


def replaced(old: list[str], new: list[str]) -> list[str]:
    """A good filing with some of its lines exchanged."""
    lines = isf10()
    start = lines.index(old[0])
    return [*lines[:start], *new, *lines[start + len(old):]]  # fmt: skip


def without(entity: str, **changes: str) -> list[str]:
    lines, gone = isf10(**changes), PARTIES[entity]
    start = lines.index(gone[0])
    return [*lines[:start], *lines[start + len(gone) :]]


BILL = [line("SF15", bill_type="BM", bill_number="MAEU123456789012")]
BOX = [one for one in isf10() if one.startswith("SF25")]
GOODS = [line("SF40", hts="850650", country_of_origin="VN")]


def box(**changes: str) -> str:
    values = {"equipment_type": "CN", "initial": "CSQU", "serial": "305438", "check_digit": "3"}
    return line("SF25", **{name: text for name, text in {**values, **changes}.items() if text})


CASES = {
    "type": (isf10(submission_type="5"), [("SF10", "submission_type", "105")]),
    "action": (isf10(action="X"), [("SF10", "action", "106")]),
    "mode": (isf10(transport_mode="40"), [("SF10", "transport_mode", "107")]),
    "number missing": (isf10(action="R"), [("SF10", "filing_ref", "108")]),
    "number malformed": (deletion("ABC-1"), [("SF10", "filing_ref", "108")]),
    "number of an add": (
        isf10(transaction_number="ABC-12345678901"), [("SF10", "filing_ref", "110")]),
    "shipment": (isf10(shipment_type="12"), [("SF10", "shipment_type", "120")]),
    "shipment of an ISF-5": (isf5(shipment_type="03"), [("SF10", "shipment_type", "120")]),
    "no bond": (
        isf10(bond_holder="", bond_activity="", bond_type=""),
        [("SF10", "bond_holder", "121"), ("SF10", "bond_activity", "122"),
         ("SF10", "bond_type", "123")]),
    "activity": (isf10(bond_activity="05"), [("SF10", "bond_activity", "122")]),
    "single bond": (isf10(bond_type="9"), [("SF10", "bond_type", "123")]),
    "qualifier": (isf10(importer_qualifier="XX"), [("SF10", "importer_qualifier", "124")]),
    "carrier in an ISF-10": (
        isf10(importer_qualifier="2", importer_number="MAEU"),
        [("SF10", "importer_qualifier", "124")]),
    "importer": (
        isf10(importer_number="12080110200"), [("SF10", "importer_number", "IOR_FORMAT")]),
    "reason": (isf10(action_reason="ZZ"), [("SF10", "action_reason", "ACTION_REASON")]),
    "no reason": (isf10(action_reason=""), [("SF10", "action_reason", "MISSING")]),
    "bill": (
        replaced(BILL, [line("SF15", bill_type="BM", bill_number="MA-EU 123")]),
        [("SF15", "bill_number", "BL_FORMAT")]),
    "bill type": (
        replaced(BILL, [line("SF15", bill_type="MB", bill_number="MAEU1")]),
        [("SF15", "bill_type", "BILL_TYPE")]),
    "no bill": (replaced(BILL, []), [("SF20", "", "X35")]),
    "container": (
        replaced(BOX, [box(check_digit="4")]), [("SF25", "container_number", "CNTR_CHECK")]),
    "no check digit": (
        replaced(BOX, [box(check_digit="")]), [("SF25", "container_number", "CNTR_CHECK")]),
    "tariff": (
        replaced(GOODS, [line("SF40", hts="770750", country_of_origin="VN")]),
        [("SF40", "hts", "HTS")]),
    "origin": (
        replaced(GOODS, [line("SF40", hts="850650", country_of_origin="XX")]),
        [("SF40", "country_of_origin", "ISO")]),
    "no origin": (
        replaced(GOODS, [line("SF40", hts="850650")]), [("SF40", "country_of_origin", "MISSING")]),
    "no goods": (replaced(PARTIES["MF"], party("MF", "HANOI")), [("SF40", "hts", "X37")]),
    "seller by name": (
        replaced(PARTIES["SE"], party("SE", "...")), [("SF30", "seller_name", "NAME")]),
    "seller twice": (
        replaced(PARTIES["SE"], [line("SF30", entity="SE", name="RED RIVER", id_qualifier="DUN",
                                      id="123456789")]),
        [("SF30", "seller_id", "IDENTIFIER_OR_ADDRESS")]),
    "duns too short": (
        replaced(PARTIES["SE"], [line("SF30", entity="SE", id_qualifier="DNS", id="123456789")]),
        [("SF30", "seller_id", "DUNS_FORMAT")]),
    "firms": (
        replaced(PARTIES["ST"], [line("SF30", entity="ST", id_qualifier="FR", id="1234")]),
        [("SF30", "ship_to_id", "FIRMS")]),
    "wrong kind": (
        replaced(PARTIES["ST"], [line("SF30", entity="ST", id_qualifier="EI", id=NUMBER)]),
        [("SF30", "ship_to_id", "ID_QUALIFIER")]),
    "passport": (
        replaced(PARTIES["CN"], [line("SF30", entity="CN", id_qualifier="AEF", id="P1234567")]),
        [("SF30", "consignee_number", "PASSPORT")]),
    "no address": (
        replaced(PARTIES["LG"], [line("SF30", entity="LG", name="HANOI CFS 3")]),
        [("SF35", "stuffing_address", "X37"), ("SF36", "stuffing_city", "X37")]),
    "country of stuffing": (
        replaced(PARTIES["LG"], party("LG", "HANOI CFS 3", country="XX")),
        [("SF36", "stuffing_country", "ISO")]),
    "party": (
        replaced(PARTIES["SE"], [line("SF30", entity="QQ", name="X"), *PARTIES["SE"]]),
        [("SF30", "entity", "ENTITY")]),
    "importer twice": (
        replaced(PARTIES["IM"], [*PARTIES["IM"], *PARTIES["IM"]]),
        [("SF30", "importer_of_record", "X36")]),
    "household goods": (
        isf10(shipment_type="11", bond_holder="", bond_activity="", bond_type=""),
        [("SF13", "value_usd", "X37")]),
    "route": (
        [one for one in isf5() if not one.startswith("SF50")], [("SF50", "port_unlading", "X37")]),
    "deletion with more": (
        [*deletion("ABC-12345678901"), *BILL], [("SF15", "bills", "X35")]),
    **{
        f"no {entity}": (without(entity), [("SF30", field, "X37")])
        for entity, field in {
            "IM": "importer_of_record", "CN": "consignee_number", "SE": "seller_name",
            "BY": "buyer_name", "ST": "ship_to_name", "LG": "stuffing_country",
            "CS": "consolidator_name", "MF": "mf_name",
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_faulty_message_is_refused_with_record_field_and_code(name: str) -> None:
    lines, expected = CASES[name]
    (row,) = checked(lines)
    assert row.filing is None
    found = told(row)
    assert found == expected
    assert all(fault.message and fault.fix and fault.spec_ref for fault in row.faults)
    assert all(0 < fault.line_no < 3 + len(lines) for fault in row.faults)


def test_all_errors_of_a_message_are_told_each_at_its_line() -> None:
    lines = isf10(importer_number="1", bond_activity="99")
    lines[1] = line("SF15", bill_type="BM", bill_number="MA-EU 123")
    lines[-1] = line("SF40", hts="770000", country_of_origin="ZZ")
    (row,) = checked(lines)
    end = 2 + len(lines)
    assert [(one.line_no, one.field) for one in row.faults] == [
        (3, "bond_activity"), (3, "importer_number"), (4, "bill_number"),
        (end, "hts"), (end, "country_of_origin"),
    ]  # fmt: skip


def test_a_flexible_filing_may_leave_stuffing_and_consolidator_for_later() -> None:
    for entity in ("LG", "CS"):
        for reason, fine in {"CT": False, "FR": False, "FT": True, "FX": True}.items():
            (row,) = checked(without(entity, action_reason=reason))
            assert (row.faults == ()) is fine


def test_what_looks_unusual_is_a_warning() -> None:
    lines = replaced(
        PARTIES["IM"], [line("SF30", entity="IM", id_qualifier="EI", id="20-390340200")]
    )
    lines[-1] = line("SF40", hts="980100", country_of_origin="CN")
    (row,) = checked(lines)
    assert row.filing is not None
    assert told(row, Severity.WARNING) == [
        ("SF30", "importer_of_record", "IM_MISMATCH"),
        ("SF40", "hts", "HTS_SPECIAL"),
        ("SF40", "country_of_origin", "ORIGIN_MISMATCH"),
    ]


LINES = {
    "short": (lambda one: one.rstrip(), "X42"),
    "long": (lambda one: f"{one} ", "X42"),
    "unknown": (lambda one: f"SF99{one[4:]}", "X34"),
    "filler": (lambda one: f"{one[:79]}X" if one.startswith("SF15") else f"QQ{one[2:]}", None),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_no_record_refuses_its_filing_alone(name: str) -> None:
    change, code = LINES[name]
    lines = isf10()
    lines[1] = change(lines[1])
    before, row, after = checked(isf10("MAEU1"), lines, isf10("MAEU2"))
    assert before.faults == after.faults == ()
    assert row.filing is None
    assert (code or "X39") in {fault.code for fault in row.faults}


def test_strange_bytes_are_told_and_never_kept() -> None:
    lines = isf10()
    data = message(lines).replace(b"BLUE HARBOR", b"BLUE\x00H\xc3\x84\x1bRR")
    (raw,) = read(data)
    row = check_message(raw)
    assert row.filing is None
    assert told(row) == [("SF30", "buyer_name", "X40")]
    assert "\0" not in row.faults[0].value


REFUSED = {
    "empty": (b"", "EMPTY"),
    "csv": (b"filing_ref,action\n1,2\n", "FORMAT"),
    "no A": (message(isf10())[82:], "FORMAT"),
    "no B": (b"".join(message(isf10()).splitlines(keepends=True)[:1] +
                      message(isf10()).splitlines(keepends=True)[2:]), "X03"),
    "no Y": (message(isf10())[:-164] + message(isf10())[-82:], "X05"),
    "no Z": (message(isf10())[:-82], "X06"),
    "cut": (message(isf10())[:1000], "X05"),
    "Z disagrees": (message(isf10())[:-82] + line("Z", site="9999", filer="ABC", date="112426").encode(), "X14"),
    "Y disagrees": (message(isf10()).replace(b"Y  5301", b"Y  2704"), "X32"),
    "other application": (message(isf10()).replace(b"ABCSF", b"ABCSE"), "APPLICATION"),
    "nothing": (message(), "EMPTY"),
    "two A": (message(isf10())[:82] + message(isf10()), "X06"),
    "no line end": (b"A" * 5000, "FORMAT"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_whose_envelope_is_in_doubt_is_refused_whole(name: str) -> None:
    data, code = REFUSED[name]
    with pytest.raises(FileRefusedError) as refusal:
        read(data)
    assert refusal.value.faults[0].code == code
    assert "SECRET" not in str(refusal.value.faults)


def test_limits() -> None:
    data = message(isf10(), isf10())
    assert len(read(data, AbiLimits(file_bytes=len(data)))) == 2
    with pytest.raises(FileRefusedError, match="50 MB"):
        read(data, AbiLimits(file_bytes=len(data) - 1))
    with pytest.raises(FileRefusedError, match="longer than"):
        read(data, AbiLimits(lines=len(isf10()) - 1))
    # 999 bills are the chapter's most.
    many = [
        isf10()[0],
        *(line("SF15", bill_type="OB", bill_number=f"MAEU{n}") for n in range(1000)),
    ]
    (row,) = checked([*many, *isf10()[2:]])
    assert told(row) == [("SF15", "", "X36")]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_line_of_a_block_belongs_to_exactly_one_filing(data: st.DataObject) -> None:
    lines = [*isf10("MAEU1"), *isf5(), *deletion("ABC-12345678901"), *isf10("MAEU2")]
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "noise", "swap", "blank"])):
            case "drop":
                lines.pop(at)
            case "double":
                lines.insert(at, lines[at])
            case "noise":
                noise = data.draw(st.text(st.characters(codec="latin-1", categories=["L", "N", "P"]),
                                          min_size=1, max_size=90))  # fmt: skip
                lines[at] = f"S{noise}"
            case "swap":
                lines[at], lines[-1] = lines[-1], lines[at]
            case _:
                lines[at] = " " * 80
        lines = lines or [header()]
    content = message(lines).decode().encode("latin-1")
    found = read(content)
    assert [text for one in found for _, text in one.lines] == lines
    assert [number for one in found for number, _ in one.lines] == list(range(3, 3 + len(lines)))
    assert [one.file_row for one in found] == list(range(1, len(found) + 1))
    rows = [check_message(one) for one in found]
    assert all((row.filing is None) == bool(told(row)) for row in rows)
    assert sum(row.filing is not None for row in rows) + sum(
        bool(told(row)) for row in rows
    ) == len(found)


def test_the_shared_samples_have_no_fault() -> None:
    if not SHARED.exists():
        return
    for name, kind in {"isf10_add_ct": IsfFiling, "isf10_delete": IsfDeletion}.items():
        (row,) = [check_message(one) for one in read((SHARED / f"{name}.abi").read_bytes())]
        assert row.faults == ()
        assert isinstance(row.filing, kind)
