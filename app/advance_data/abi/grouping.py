"""The records of one filing put together: which may follow which, how often, and what they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.advance_data.abi.fields import isf_fault, party_field
from app.advance_data.abi.layout import EMPTY, FILLED, SHORT, STRANGE, WIDTH, Decoded
from app.advance_data.abi.model import Envelope, RawMessage, Spot
from app.advance_data.abi.records import FILING_RECORDS, record_of
from app.advance_data.faults import MISSING, Place, RowFault
from app.kernel.codes import CodeProblem

# What may stand directly before each record, and how often it may come: in the whole filing, or
# in its party. `HEAD` is the beginning. The order of the parties among each other is not judged.
HEAD: Final = ""
FOLLOWS: Final = {
    "SF10": (HEAD,),
    "SF13": ("SF10",),
    "SF15": ("SF10", "SF13", "SF15"),
    "SF20": ("SF15", "SF20"),
    "SF25": ("SF15", "SF20", "SF25"),
    "SF30": ("SF15", "SF20", "SF25", "SF30", "SF31", "SF36", "SF40"),
    "SF31": ("SF30", "SF31"),
    "SF35": ("SF30", "SF31", "SF35"),
    "SF36": ("SF35",),
    "SF40": ("SF30", "SF31", "SF36", "SF40"),
    "SF50": ("SF40",),
}
MOST: Final = {"SF13": 1, "SF15": 999, "SF20": 999, "SF25": 999, "SF50": 1}
MOST_IN_A_PARTY: Final = {"SF35": 3, "SF40": 999}

OF_A_PARTY: Final = frozenset({"SF31", "SF35", "SF36", "SF40"})

UNKNOWN: Final = CodeProblem(
    "X34",
    "There is no such record in a filing.",
    "Correct the first four positions of the line, or remove it.",
)
SEQUENCE: Final = CodeProblem(
    "X35",
    "This record stands in the wrong place.",
    "Put the records in the order of the chapter: SF10, SF13, SF15, SF20, SF25, then each party "
    "with SF30, SF31, SF35 and SF36, and the goods after their manufacturer.",
)
TOO_MANY: Final = CodeProblem(
    "X36",
    "There are more records of this kind than a filing may have.",
    "Remove those that are too many, or divide the filing.",
)
LENGTH: Final = CodeProblem(
    SHORT,
    "The line does not have 80 characters.",
    "Fill it with blanks up to position 80, and look for missing or added characters.",
)
_FORM: Final = {
    FILLED: CodeProblem(
        FILLED,
        "Something stands in positions that must be blank.",
        "Compare the line with the layout of its record: its fields may have shifted.",
    ),
    STRANGE: CodeProblem(
        STRANGE,
        "The field holds characters that it may not hold.",
        "Give letters, digits or signs of the keyboard, as the layout of the record says.",
    ),
    EMPTY: MISSING,
}

# Parts that a record makes one of, each time it comes.
_LISTS: Final = {"SF15": "bills", "SF20": "references"}


@dataclass
class _Building:
    """A filing as far as its records have come."""

    file_row: int
    values: dict[str, Any] = field(default_factory=dict)
    spots: dict[str, Spot] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    in_party: dict[str, int] = field(default_factory=dict)
    before: str = HEAD

    def party(self) -> tuple[str, dict[str, Any]]:
        """The party that is being described, with its path."""
        parties = self.values["parties"]
        return f"parties/{len(parties) - 1}", parties[-1]

    def add(self, into: dict[str, Any], path: str, name: str, part: object, spot: Spot) -> None:
        """Append a part to a list and remember where it stood."""
        parts = into.setdefault(name, [])
        self.spots[f"{path}{name}/{len(parts)}"] = spot
        parts.append(part)


def grouped(file_row: int, lines: Sequence[tuple[int, str]], envelope: Envelope) -> RawMessage:
    """Put the lines of one filing together; whatever is wrong with their form is among its faults.

    The first line is an SF10, or else stands there without one, which refuses them all.
    """
    building = _Building(file_row)
    for line_no, line in lines:
        _take(building, line_no, line)
    return RawMessage(
        file_row,
        lines[0][0],
        building.values,
        building.spots,
        tuple(building.faults),
        tuple(lines),
        envelope,
    )


def _take(building: _Building, line_no: int, line: str) -> None:
    kind = record_of(line)
    if kind is None or kind.id not in FILING_RECORDS:
        _fault(building, UNKNOWN, Spot(line_no, line[:4].strip()))
        return
    spot = Spot(line_no, kind.id)
    if len(line) != WIDTH:
        _fault(building, LENGTH, spot, value=str(len(line)))
    decoded = kind.decode(line)
    problem = _misplaced(building, kind.id)
    if problem is not None:
        _fault(building, problem, spot)
        return
    entity = decoded.values.get("entity", "")
    if kind.id in {"SF35", "SF36"}:
        entity = building.party()[1].get("entity", "")
    for code, name, value in decoded.flaws:
        named = party_field(entity, _PLAIN.get(name, name))
        _fault(building, _FORM[code], spot, named=named, value=value)
    _PLACED[kind.id](building, decoded, spot)


def _misplaced(building: _Building, record: str) -> CodeProblem | None:
    """Why the record may not stand here; it counts as the last one all the same.

    So one record that is missing is told once, and not again for each that follows.
    """
    if record == "SF30":
        building.in_party = {}
    counts, most = (
        (building.in_party, MOST_IN_A_PARTY)
        if record in MOST_IN_A_PARTY
        else (building.counts, MOST)
    )
    counts[record] = counts.get(record, 0) + 1
    before, building.before = building.before, record
    lonely = record in OF_A_PARTY and "parties" not in building.values
    if lonely or before not in FOLLOWS[record]:
        return SEQUENCE
    return TOO_MANY if counts[record] > most.get(record, counts[record]) else None


def _fault(
    building: _Building, problem: CodeProblem, spot: Spot, *, named: str = "", value: str = ""
) -> None:
    place = Place(building.file_row, spot.line_no, spot.record)
    building.faults.append(isf_fault(problem, place, field=named, value=value))


def _header(building: _Building, decoded: Decoded, spot: Spot) -> None:
    values = dict(decoded.values)
    number = values.pop("transaction_number", None)
    if number is not None:
        values["filing_ref"] = number
    building.values.update(values)
    building.spots[""] = spot


def _shipment(building: _Building, decoded: Decoded, spot: Spot) -> None:
    # Numbers come filled with zeros; the rules of a row want them as people write them.
    numbers = {"value_usd", "quantity", "weight"}
    building.values["shipment"] = {
        name: (text.lstrip("0") or "0") if name in numbers else text
        for name, text in decoded.values.items()
    }
    building.spots["shipment"] = spot


def _listed(building: _Building, decoded: Decoded, spot: Spot) -> None:
    building.add(building.values, "", _LISTS[decoded.record], dict(decoded.values), spot)


def _equipment(building: _Building, decoded: Decoded, spot: Spot) -> None:
    given = decoded.values
    kind = given.get("equipment_type", "")
    serial = given.get("serial", "")
    part = {"equipment_type": kind}
    if "size_type" in given:
        part["size_type"] = given["size_type"]
    if kind == CONTAINER:
        # ISO 6346 has six digits; the field has more room and zeros before them.
        digits = serial.lstrip("0").rjust(6, "0")
        part["container_number"] = (
            f"{given.get('initial', '')}{digits}{given.get('check_digit', '')}"
        )
    else:
        part["equipment_number"] = f"{given.get('initial', '')}{serial}"
    building.add(building.values, "", "equipment", part, spot)


# The code list of descriptions has not been seen; this is what samples use for a container.
CONTAINER: Final = "CN"


def _party(building: _Building, decoded: Decoded, spot: Spot) -> None:
    # Passport and birth are never kept; who is named by them is refused for its qualifier.
    part = {
        name: text
        for name, text in decoded.values.items()
        if name not in {"passport_country", "born"}
    }
    building.add(building.values, "", "parties", part, spot)


def _second_name(building: _Building, decoded: Decoded, spot: Spot) -> None:
    path, party = building.party()
    building.add(party, f"{path}/", "names", dict(decoded.values), spot)


def _address(building: _Building, decoded: Decoded, spot: Spot) -> None:
    path, party = building.party()
    for name in ("text_1", "text_2"):
        if name in decoded.values:
            building.add(party, f"{path}/", "address", decoded.values[name], spot)


def _place(building: _Building, decoded: Decoded, spot: Spot) -> None:
    path, party = building.party()
    party.update(decoded.values)
    for name in ("city", "subdivision", "postal_code", "country"):
        building.spots[f"{path}/{name}"] = spot


def _goods(building: _Building, decoded: Decoded, spot: Spot) -> None:
    path, party = building.party()
    part = dict(decoded.values)
    if party.get("entity") == "MF":
        building.add(party, f"{path}/", "goods", part, spot)
    elif building.values.get("submission_type") in ISF_5:
        building.add(building.values, "", "goods", part, spot)
    else:
        _fault(building, SEQUENCE, spot)


def _route(building: _Building, decoded: Decoded, spot: Spot) -> None:
    building.values["route"] = dict(decoded.values)
    building.spots["route"] = spot


# A filing of five elements, or one of ten that becomes one of five.
ISF_5: Final = frozenset({"2", "4"})
_PLAIN: Final = {"text_1": "address", "text_2": "address", "serial": "container_number",
                 "initial": "container_number", "check_digit": "container_number",
                 "transaction_number": "filing_ref"}  # fmt: skip
_PLACED: Final[dict[str, Callable[[_Building, Decoded, Spot], None]]] = {
    "SF10": _header,
    "SF13": _shipment,
    "SF15": _listed,
    "SF20": _listed,
    "SF25": _equipment,
    "SF30": _party,
    "SF31": _second_name,
    "SF35": _address,
    "SF36": _place,
    "SF40": _goods,
    "SF50": _route,
}
