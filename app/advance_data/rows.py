"""The row model: one filing, whatever file format or call carried it.

The models take the texts of a row, a blank one left out, and hold canonical values. Each refused
value raises a pydantic error whose type is the contract's fault code, with the fix in its context.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator
from pydantic_core import PydanticCustomError

from app.advance_data.faults import NAME, RowFault
from app.kernel import codes
from app.kernel.codes import CodeProblem, canonical
from app.kernel.identifiers import Identifier, MalformedIdentifierError, Scheme, parse


class Action(StrEnum):
    """What a filing does: add a new one, replace or delete an earlier one."""

    ADD = "A"
    REPLACE = "R"
    DELETE = "D"


class BillType(StrEnum):
    """Which bill of lading is named: the carrier's regular one or a house bill."""

    REGULAR = "OB"
    HOUSE = "BM"


T = TypeVar("T")

MAX_TEXT_LENGTH: Final = 255
_KEPT: Final = 4096
_KEPT_LENGTH: Final = 64

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,49}")
_VALUE: Final = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,2})?")
_QUANTITY: Final = re.compile(r"[0-9]{1,11}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNIT: Final = re.compile(r"[A-Z0-9]{1,3}")

_BAD_REFERENCE: Final = CodeProblem(
    "FILING_REF",
    "This is not a filing reference.",
    "Give up to 50 letters and digits; dots, hyphens, slashes and underscores may stand between.",
)
_BAD_ACTION: Final = CodeProblem(
    "ACTION",
    "This is not an action.",
    "Give A to add a filing, R to replace one or D to delete one.",
)
_BAD_BILL_TYPE: Final = CodeProblem(
    "BILL_TYPE",
    "This is not a type of bill.",
    "Give OB for a regular bill or BM for a house bill.",
)
_TOO_LONG: Final = CodeProblem(
    "TOO_LONG",
    "The text is longer than 255 characters.",
    "Shorten it.",
)
_BAD_VALUE: Final = CodeProblem(
    "VALUE",
    "This is not a value in US dollars.",
    "Give an amount above zero with at most two decimals, for example 26453.09, without signs, "
    "spaces or thousands separators.",
)
_BAD_QUANTITY: Final = CodeProblem(
    "QTY",
    "This is not a quantity.",
    "Give a whole number above zero, for example 712, without signs, decimals or separators.",
)
_BAD_DATE: Final = CodeProblem(
    "DATE",
    "This is not a date.",
    "Give year, month and day with hyphens, for example 2026-06-20.",
)
_BAD_UNIT: Final = CodeProblem(
    "UOM",
    "This is not a unit of measure.",
    "Give one to three letters or digits, for example KG or PCS.",
)


def refuse(problem: CodeProblem) -> NoReturn:
    """Refuse the value under validation."""
    raise PydanticCustomError(problem.code, "{message}", _context(problem))


def _context(problem: CodeProblem) -> dict[str, str]:
    return {"message": problem.message, "fix": problem.fix}


def _remembered(validate: Callable[[str], T]) -> Callable[[str], T]:
    """The same validator, which answers at once what it has answered before: values come again.

    A value that it refuses raises each time. Long texts are not kept, so that no file fills the
    memory; personal numbers must not be given to it.
    """
    kept = functools.lru_cache(maxsize=_KEPT)(validate)

    def recall(text: str) -> T:
        return kept(text) if len(text) < _KEPT_LENGTH else validate(text)

    return recall


def _code(check: Callable[[str], CodeProblem | None], *, again: bool = True) -> AfterValidator:
    """A validator of a code; `again` says that the same one comes in many rows."""

    def validate(text: str) -> str:
        # Most texts are canonical already, and then the check is all there is to do.
        if check(text) is None:
            return text
        value = canonical(text)
        problem = check(value)
        if problem is not None:
            refuse(problem)
        return value

    return AfterValidator(_remembered(validate) if again else validate)


def identifier_of(scheme: Scheme) -> Callable[[object], Identifier]:
    """Make a validator that reads an identifier of this scheme."""

    def validate(text: str) -> Identifier:
        try:
            return parse(scheme, text)
        except MalformedIdentifierError as error:
            problem = CodeProblem(error.code, error.message, error.fix)
        # Raised outside the handler, so that no traceback carries the refused number along.
        refuse(problem)

    known = _remembered(validate)

    def recall(text: object) -> Identifier:
        value = str(text)
        # Of importer numbers only the tax number has a hyphen there: no personal one is kept.
        return known(value) if scheme is not Scheme.IOR or value[2:3] == "-" else validate(value)

    return recall


def _reference(text: str) -> str:
    value = text.strip()
    if _REFERENCE.fullmatch(value) is None:
        refuse(_BAD_REFERENCE)
    return value


@_remembered
def _text(text: str) -> str:
    value = text.strip()
    if len(value) > MAX_TEXT_LENGTH:
        refuse(_TOO_LONG)
    return value


@_remembered
def _name(text: str) -> str:
    value = _text(text)
    # A dash or a dot in place of a name is no name.
    if not any(map(str.isalnum, value)):
        refuse(NAME)
    return value


@_remembered
def _hts(text: str) -> str:
    value = canonical(text)
    problem = codes.hts_problem(value)
    if problem is not None:
        refuse(problem)
    return codes.hts_digits(value)


@_remembered
def _action(text: str) -> Action:
    try:
        return Action(canonical(text))
    except ValueError:
        pass
    refuse(_BAD_ACTION)


@_remembered
def _bill_type(text: str) -> BillType:
    try:
        return BillType(canonical(text))
    except ValueError:
        pass
    refuse(_BAD_BILL_TYPE)


def _value(text: object) -> Decimal:
    digits = str(text).strip()
    # The shape comes first: Decimal alone also reads 1e999, NaN, 1_000 and other scripts' digits.
    value = Decimal(digits) if _VALUE.fullmatch(digits) else Decimal(0)
    if value <= 0:
        refuse(_BAD_VALUE)
    return value


@_remembered
def _quantity(text: str) -> int:
    digits = str(text).strip()
    quantity = int(digits) if _QUANTITY.fullmatch(digits) else 0
    if quantity <= 0:
        refuse(_BAD_QUANTITY)
    return quantity


@_remembered
def _date(text: str) -> dt.date:
    digits = str(text).strip()
    try:
        if _DATE.fullmatch(digits):
            return dt.date.fromisoformat(digits)
    except ValueError:
        pass
    refuse(_BAD_DATE)


def _unit_problem(text: str) -> CodeProblem | None:
    return None if _UNIT.fullmatch(text) else _BAD_UNIT


ImporterNumber = Annotated[
    Identifier, PlainValidator(identifier_of(Scheme.IOR), json_schema_input_type=str)
]
Duns = Annotated[Identifier, PlainValidator(identifier_of(Scheme.DUNS), json_schema_input_type=str)]
Mid = Annotated[Identifier, PlainValidator(identifier_of(Scheme.MID), json_schema_input_type=str)]
Country = Annotated[str, _code(codes.country_problem)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, AfterValidator(_text)]
KindOfAction = Annotated[Action, PlainValidator(_action, json_schema_input_type=str)]
KindOfBill = Annotated[BillType, PlainValidator(_bill_type, json_schema_input_type=str)]
BillNumber = Annotated[str, _code(codes.bill_number_problem, again=False)]
ContainerNumber = Annotated[str, _code(codes.container_number_problem, again=False)]
Tariff = Annotated[str, AfterValidator(_hts)]
Value = Annotated[Decimal, PlainValidator(_value, json_schema_input_type=str)]
Quantity = Annotated[int, PlainValidator(_quantity, json_schema_input_type=str)]
Unit = Annotated[str, _code(_unit_problem)]


class DeletionRow(BaseModel):
    """A row that deletes an earlier filing: its reference and the importer, nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    filing_ref: Annotated[str, AfterValidator(_reference)]
    action: KindOfAction
    importer_number: ImporterNumber


class FilingRow(DeletionRow):
    """A row that adds or replaces a filing, with the contract's columns in their order.

    Optional are the container (break bulk has none), the manufacturer's D-U-N-S number, what
    stands in lieu of it (see `rules`) and the manufacturer code, which belongs to the entry.
    """

    consignee_number: ImporterNumber
    bill_type: KindOfBill
    bill_number: BillNumber
    container_number: ContainerNumber | None = None
    hts: Tariff
    country_of_origin: Country
    mf_name: Name
    mf_address: Text | None = None
    mf_city: Text | None = None
    mf_country: Country | None = None
    mf_duns: Duns | None = None
    mid: Mid | None = None
    seller_name: Name
    buyer_name: Name
    ship_to_name: Name
    stuffing_country: Country
    consolidator_name: Name
    port_lading: Annotated[str, _code(codes.unlocode_problem)]
    port_unlading: Annotated[str, _code(codes.schedule_d_problem)]
    etd: Annotated[dt.date, PlainValidator(_date, json_schema_input_type=str)]
    value_usd: Value
    quantity: Quantity
    uom: Unit


COLUMNS: Final = tuple(FilingRow.model_fields)
PERSONAL_COLUMNS: Final = frozenset({"importer_number", "consignee_number"})
"""The columns in which a number of social-security form may stand."""
NAME_COLUMNS: Final = frozenset(column for column in COLUMNS if column.endswith("_name"))


class RawRow(NamedTuple):
    """One physical record of a file before its rules are checked.

    `values` are the texts by column; `faults` are those that reading it has already found.
    """

    file_row: int
    line_no: int
    values: Mapping[str, str]
    faults: tuple[RowFault, ...] = ()


class Block(NamedTuple):
    """Rows of a file in which reading found no fault, one after the other in the file and its lines.

    `file_row` and `line_no` are those of the first; `cells` are those of all rows, row after row.
    """

    columns: tuple[str, ...]
    file_row: int
    line_no: int
    cells: list[str]

    @property
    def number(self) -> int:
        """How many rows these are."""
        return len(self.cells) // len(self.columns)

    def row(self, index: int) -> RawRow:
        """One of the rows."""
        width = len(self.columns)
        cells = self.cells[index * width : (index + 1) * width]
        return RawRow(
            self.file_row + index,
            self.line_no + index,
            dict(zip(self.columns, cells, strict=True)),
        )

    def rows(self) -> Iterator[RawRow]:
        """Every row by itself."""
        return map(self.row, range(self.number))

    def without(self, first: int) -> "Block":
        """The rows but the first ones."""
        return Block(
            self.columns,
            self.file_row + first,
            self.line_no + first,
            self.cells[first * len(self.columns) :],
        )
