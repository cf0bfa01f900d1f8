"""The filing that a message is, with the value types of a CSV row wherever the words are the same.

A row names one bill, container, tariff number and manufacturer; a message may name many of each.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationInfo

from app.advance_data.faults import RowFault
from app.advance_data.rows import (
    Action,
    BillNumber,
    ContainerNumber,
    Country,
    KindOfAction,
    KindOfBill,
    Quantity,
    Tariff,
    Text,
    Unit,
    Value,
    identifier_of,
    refuse,
)
from app.kernel.codes import CodeProblem
from app.kernel.identifiers import Identifier, Scheme

TRANSACTION: Final = re.compile(r"[A-Z0-9]{3}-[0-9]{11}")
_FIRMS: Final = re.compile(r"[A-Z][A-Z0-9]{3}")

_NUMBER: Final = CodeProblem(
    "108",
    "This is not the number of a filing.",
    "Give the number from the answer to the filing: the filer's code, a hyphen and 11 digits.",
)
_FIRMS_SHAPE: Final = CodeProblem(
    "FIRMS",
    "This is not a FIRMS code.",
    "Give a letter and three letters or digits, for example Y123.",
)
_DUNS_LENGTH: Final = CodeProblem(
    "DUNS_FORMAT",
    "The number is not of the length that its qualifier says.",
    "Give nine digits with DUN, or 13 with DNS.",
)
_NO_PASSPORTS: Final = CodeProblem(
    "PASSPORT",
    "Passport numbers cannot be filed here.",
    "Ask the agency for an importer number for this person.",
)
_ID_QUALIFIER: Final = CodeProblem(
    "ID_QUALIFIER",
    "No identifier of this kind can stand here.",
    "Give EI, ANI or 34 for a tax, CBP-assigned or social security number, DUN or DNS for a "
    "D-U-N-S number, FR for a FIRMS code, as the chapter allows for the party.",
)
IMPORTER_QUALIFIER: Final = CodeProblem(
    "124",
    "This is not a kind of importer number.",
    "Give EI for a tax number, ANI for a number that CBP assigned, 34 for a social security "
    "number or, in an ISF-5, 2 for a carrier's code.",
)


def _number(text: str) -> str:
    value = text.strip().upper()
    if TRANSACTION.fullmatch(value) is None:
        refuse(_NUMBER)
    return value


_importer_number = identifier_of(Scheme.IOR)
_scac = identifier_of(Scheme.SCAC)
_duns = identifier_of(Scheme.DUNS)


def _importer(text: object, info: ValidationInfo) -> Identifier:
    return _scac(text) if info.data.get("importer_qualifier") == "2" else _importer_number(text)


def _party_id(text: object, info: ValidationInfo) -> Identifier | str:
    qualifier, value = info.data.get("id_qualifier"), str(text).strip()
    if qualifier in {"DUN", "DNS"}:
        if len(value) != (9 if qualifier == "DUN" else 13):
            refuse(_DUNS_LENGTH)
        return _duns(value)
    if qualifier in {"EI", "ANI", "CIN", "34"}:
        return _importer_number(value)
    if qualifier == "FR":
        if _FIRMS.fullmatch(value.upper()) is None:
            refuse(_FIRMS_SHAPE)
        return value.upper()
    if qualifier == "AEF":
        refuse(_NO_PASSPORTS)
    return refuse(_ID_QUALIFIER)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Bill(_Part):
    """A bill of lading that the goods travel under."""

    bill_type: KindOfBill
    bill_number: BillNumber


class Reference(_Part):
    """Any further number, with what kind it is."""

    reference_qualifier: str
    reference: Text


class Equipment(_Part):
    """A container with its number by ISO 6346, or anything else that holds goods."""

    equipment_type: str
    container_number: ContainerNumber | None = None
    equipment_number: str | None = None
    size_type: str | None = None


class Goods(_Part):
    """What the goods are and where they come from; an ISF-5 need not say the country."""

    hts: Tariff
    country_of_origin: Country | None = None


class SecondName(_Part):
    """Another name of a party, or more of it than the first place had room for."""

    name_type: str
    name: Text


class Party(_Part):
    """Who has to do with the goods, by identifier or by name and address, and what it made."""

    entity: str
    name: Text | None = None
    id_qualifier: str | None = None
    id: (
        Annotated[Identifier | str, PlainValidator(_party_id, json_schema_input_type=str)] | None
    ) = None
    names: tuple[SecondName, ...] = ()
    address: tuple[Text, ...] = ()
    city: Text | None = None
    subdivision: str | None = None
    postal_code: str | None = None
    country: Country | None = None
    goods: tuple[Goods, ...] = ()


class Shipment(_Part):
    """Value and quantity, which only a few types of shipment tell."""

    shipment_subtype: str | None = None
    value_usd: Value | None = None
    quantity: Quantity | None = None
    uom: Unit | None = None
    weight: Quantity | None = None
    weight_unit: str | None = None


class Route(_Part):
    """Where goods that do not stay leave the ship, and where they are delivered."""

    unlading_qualifier: str
    port_unlading: Text
    delivery_qualifier: str
    place_of_delivery: Text


class IsfDeletion(_Part):
    """A message that deletes an earlier filing; it is its header alone."""

    filing_ref: Annotated[str, AfterValidator(_number)] | None = None
    submission_type: str
    action: KindOfAction
    importer_qualifier: str
    importer_number: Annotated[Identifier, PlainValidator(_importer, json_schema_input_type=str)]


class IsfFiling(IsfDeletion):
    """A message that adds or replaces a filing."""

    shipment_type: str
    action_reason: str
    transport_mode: str | None = None
    vessel_scac: str | None = None
    bond_holder: (
        Annotated[Identifier, PlainValidator(_importer_number, json_schema_input_type=str)] | None
    ) = None
    bond_activity: str | None = None
    bond_type: str | None = None
    shipment: Shipment | None = None
    bills: tuple[Bill, ...] = ()
    references: tuple[Reference, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    parties: tuple[Party, ...] = ()
    goods: tuple[Goods, ...] = ()
    route: Route | None = None


class Spot(NamedTuple):
    """The physical line of a value, and the record that it stands in."""

    line_no: int
    record: str


class Envelope(NamedTuple):
    """What an answer repeats of the records A and B around a filing; never the password."""

    site: str = ""
    filer: str = ""
    port: str = ""
    date: str = ""


class RawMessage(NamedTuple):
    """One filing of a file before its rules are checked: the physical record of this format.

    `values` are texts in the shape of `IsfFiling`; `spots` say where a part or a value stood, by
    its path with slashes; `faults` are those of form; `lines` are the lines as they came.
    """

    file_row: int
    line_no: int
    values: Mapping[str, Any]
    spots: Mapping[str, Spot]
    faults: tuple[RowFault, ...]
    lines: tuple[tuple[int, str], ...]
    envelope: Envelope

    def spot(self, path: str) -> Spot:
        """Where the value or, if it is lacking, the part around it stood."""
        while path and path not in self.spots:
            path = path.rpartition("/")[0]
        return self.spots.get(path, Spot(self.line_no, "SF10"))


DELETE: Final = Action.DELETE
