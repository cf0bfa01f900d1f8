"""Rules of one row: every error and every warning it has, not the first.

An error is a fault of form that nobody can dispute; it refuses the row. A warning is what only
ageing lists know, or two fields that disagree; the row is kept. Rules: 19 CFR 149.3, the ISF
chapter of CBP's message specification, contract of the traders' API.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from app.advance_data.abi.model import IsfDeletion, IsfFiling, RawMessage
from app.advance_data.faults import MISSING, NAME, Place, RowFault, Severity, fault_of
from app.advance_data.rows import (
    COLUMNS,
    NAME_COLUMNS,
    Action,
    DeletionRow,
    FilingRow,
    RawRow,
)
from app.kernel import codes
from app.kernel.codes import CodeProblem, canonical
from app.kernel.identifiers import CANADIAN_PROVINCES, Identifier, Scheme, warnings

# What `model_validate` calls, without what it looks at first for each of millions of rows.
_FILING: Final[Callable[[Any], FilingRow]] = FilingRow.__pydantic_validator__.validate_python
_DELETION: Final[Callable[[Any], DeletionRow]] = DeletionRow.__pydantic_validator__.validate_python


@dataclass(frozen=True, slots=True)
class KnownCodes:
    """Dated code lists to warn by; a list that is not loaded (None) warns of nothing."""

    hs6: Container[str] | None = None
    unlocodes: Container[str] | None = None
    schedule_d: Container[str] | None = None
    schedule_k: Container[str] | None = None
    firms: Container[str] | None = None


AnyFiling = FilingRow | DeletionRow | IsfFiling | IsfDeletion


class CheckedRow(NamedTuple):
    """A row with its verdict: `filing` is None when an error refused it."""

    raw: RawRow | RawMessage
    filing: AnyFiling | None
    faults: tuple[RowFault, ...]


class Claim(NamedTuple):
    """What the database has to say about: those of the three values that have no error themselves.

    A row that is refused for another column is asked about as well, so that its owner learns
    everything at once.
    """

    reference: str | None
    action: Action | None
    importer: Identifier | None


# What looks unusual, with its column.
_Remark = tuple[str, CodeProblem]

NO_LISTS: Final = KnownCodes()

HS_UNKNOWN: Final = CodeProblem(
    "HS_UNKNOWN",
    "The first six digits are not in the tariff list that we hold.",
    "Check the number. If it is right, leave it: our list may be out of date.",
)
PORT_UNKNOWN: Final = CodeProblem(
    "PORT_UNKNOWN",
    "This port is not in the list that we hold.",
    "Check the code. If it is right, leave it: our list may be out of date.",
)
ORIGIN_MISMATCH: Final = CodeProblem(
    "ORIGIN_MISMATCH",
    "The goods come from another country than their manufacturer.",
    "Check both countries. If both are right, leave them.",
)
_MID_MISMATCH: Final = CodeProblem(
    "MID_MISMATCH",
    "The manufacturer code begins with another country than the manufacturer's.",
    "Check both. The code begins with the country where the goods were made.",
)
# A manufacturer is named by address or by D-U-N-S number (19 CFR 149.3(a)(5)).
_IN_LIEU_OF_DUNS: Final = ("mf_address", "mf_city", "mf_country")
_IDENTIFIERS: Final = (
    ("importer_number", Scheme.IOR),
    ("consignee_number", Scheme.IOR),
    ("mid", Scheme.MID),
)
# The columns that warnings look at.
_REMARKED: Final = (
    *(column for column, _ in _IDENTIFIERS),
    *("bill_number", "hts", "country_of_origin", "mf_country", "port_lading", "port_unlading"),
)


def check_row(raw: RawRow, known: KnownCodes = NO_LISTS) -> CheckedRow:
    """Return the row's filing or None, and all its faults in the order of the columns.

    Of a row that deletes (action D) only reference, action and importer number are read; the rest
    of it is neither checked nor kept. Of a row with too many or too few cells only that is said,
    since its values may stand in the wrong columns.
    """
    if raw.faults and any(not fault.field for fault in raw.faults):
        return CheckedRow(raw, None, raw.faults)
    # Those that are not blank, found without a step of Python for each of millions of cells.
    given = dict(compress(raw.values.items(), map(str.strip, raw.values.values())))
    deletes = canonical(given.get("action", "")) == Action.DELETE
    if deletes:
        given = {column: given[column] for column in DeletionRow.model_fields if column in given}
    filing: FilingRow | DeletionRow | None = None
    problems: dict[str, CodeProblem] = {}
    try:
        filing = (_DELETION if deletes else _FILING)(given)
    except ValidationError as error:
        problems = _problems(error)
    if not deletes and "mf_duns" not in given:
        problems.update((column, MISSING) for column in _IN_LIEU_OF_DUNS if column not in given)
    values = _canonical_values(filing, given, problems)
    remarks = list(remarks_of(values, known))
    if not (problems or remarks or raw.faults):
        return CheckedRow(raw, filing, ())
    faults = _faults(raw, problems, remarks)
    refused = any(fault.severity is Severity.ERROR for fault in faults)
    return CheckedRow(raw, None if refused else filing, faults)


def remarks_of(values: Mapping[str, Any], known: KnownCodes) -> Iterator[_Remark]:
    """What looks unusual about these well-formed values of a row, with its column."""
    for remarks in _REMARKS:
        yield from remarks(values, known)


def claim_of(row: CheckedRow) -> Claim:
    """Return what a row of columns claims of the register and of earlier filings."""
    filing = row.filing
    if filing is not None:
        return Claim(filing.filing_ref, filing.action, filing.importer_number)
    wrong = {fault.field for fault in row.faults if fault.severity is Severity.ERROR}
    if "" in wrong:
        return Claim(None, None, None)
    given = row.raw.values
    return Claim(
        None if "filing_ref" in wrong else given["filing_ref"].strip(),
        None if "action" in wrong else Action(canonical(given["action"])),
        None
        if "importer_number" in wrong
        else Identifier(Scheme.IOR, canonical(given["importer_number"])),
    )


def _problems(error: ValidationError) -> dict[str, CodeProblem]:
    problems = {}
    for detail in error.errors(include_url=False, include_input=False):
        column = str(detail["loc"][0])
        if detail["type"] == "missing":
            problems[column] = NAME if column in NAME_COLUMNS else MISSING
        else:
            problems[column] = CodeProblem(detail["type"], detail["msg"], detail["ctx"]["fix"])
    return problems


def _canonical_values(
    filing: FilingRow | DeletionRow | None, given: Mapping[str, str], problems: Container[str]
) -> Mapping[str, Any]:
    """Return the well-formed values that warnings look at, also those of a refused row."""
    if filing is not None:
        return filing.__dict__
    values: dict[str, Any] = {
        column: canonical(given[column])
        for column in _REMARKED
        if column in given and column not in problems
    }
    for column, scheme in _IDENTIFIERS:
        if column in values:
            values[column] = Identifier(scheme, values[column])
    return values


def _identifier_remarks(values: Mapping[str, Any], _known: KnownCodes) -> Iterator[_Remark]:
    for column, _ in _IDENTIFIERS:
        identifier = values.get(column)
        if identifier is not None:
            for problem in warnings(identifier):
                yield column, problem


def _code_remarks(values: Mapping[str, Any], known: KnownCodes) -> Iterator[_Remark]:
    bill = values.get("bill_number")
    if bill and (long := codes.bill_number_warning(bill)):
        yield "bill_number", long
    hts = values.get("hts")
    if hts and (special := codes.hts_warning(hts)):
        yield "hts", special
    if hts and known.hs6 is not None and codes.hts_digits(hts)[:6] not in known.hs6:
        yield "hts", HS_UNKNOWN
    for column, ports in (("port_lading", known.unlocodes), ("port_unlading", known.schedule_d)):
        if ports is not None and column in values and values[column] not in ports:
            yield column, PORT_UNKNOWN


def _disagreements(values: Mapping[str, Any], _known: KnownCodes) -> Iterator[_Remark]:
    made_in = values.get("mf_country")
    if made_in is None:
        return
    origin = values.get("country_of_origin")
    if origin is not None and origin != made_in:
        yield "country_of_origin", ORIGIN_MISMATCH
    mid = values.get("mid")
    if mid is not None:
        country = mid.value[:2]
        if ("CA" if country in CANADIAN_PROVINCES else country) != made_in:
            yield "mid", _MID_MISMATCH


_REMARKS: Final = (_identifier_remarks, _code_remarks, _disagreements)


def _faults(
    raw: RawRow, problems: Mapping[str, CodeProblem], remarks: list[_Remark]
) -> tuple[RowFault, ...]:
    found = [
        *((column, problem, Severity.ERROR) for column, problem in problems.items()),
        *((column, problem, Severity.WARNING) for column, problem in remarks),
    ]
    # What reading found already explains a cell better than the rules that it then breaks.
    read = {fault.field for fault in raw.faults}
    place = Place(raw.file_row, raw.line_no, raw.values.get("filing_ref", ""))
    faults = [
        fault_of(problem, place, field=column, value=raw.values.get(column, ""), severity=severity)
        for column, problem, severity in found
        if column not in read
    ]
    return tuple(sorted((*raw.faults, *faults), key=lambda fault: COLUMNS.index(fault.field)))
