"""Faults: what is wrong or unusual in one place of a file, told so that its owner can mend it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from app.kernel.codes import CodeProblem
from app.kernel.identifiers import masked


class Severity(StrEnum):
    """An error refuses the row; a warning is kept with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class RowFault:
    """One fault of one row.

    `file_row` counts data rows from 1 and is 0 for the header or the file as a whole; `line_no` is
    the physical line, the first being 1, and 0 when no line can be named; `record` is the row's
    filing reference as given; `field` is the column, or empty when the whole row is meant; `value`
    is what stood there, masked and shortened by `echo`. `message` and `fix` are constant English
    texts for gettext; `spec_ref` names the rule.
    """

    file_row: int
    line_no: int
    record: str
    field: str
    code: str
    severity: Severity
    value: str
    message: str
    fix: str
    spec_ref: str


class Place(NamedTuple):
    """Where in a file a fault is: row, line and filing reference as in `RowFault`."""

    file_row: int
    line_no: int
    record: str = ""


# Control characters and the marks that reorder or hide text. None has a place in a filing: they
# make a person read something else than what a release system compares.
FORBIDDEN_CHARACTERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)

MISSING: Final = CodeProblem(
    "MISSING",
    "This field is empty.",
    "Fill it in: a filing is not complete without it.",
)
NAME: Final = CodeProblem(
    "NAME",
    "The name is missing.",
    "Give the full name of the business or person.",
)
# These need the database: the service that stores filings raises them, here are code and text.
AUTHORITY: Final = CodeProblem(
    "AUTHORITY",
    "You may not file for this importer number.",
    "Use an importer number that the agency has verified for you or for a trader that has "
    "delegated filing to you.",
)
ENDED: Final = CodeProblem(
    "AUTHORITY",
    "The client's delegation ended before this row was filed.",
    "Ask the client. What was filed before stays filed; file the rest under a new delegation.",
)
FILER: Final = CodeProblem(
    "FILER",
    "The block does not bear a filer code of yours.",
    "Put the filer code that the agency has verified for your company into records A, B, Y and Z, "
    "or claim the code under “Identifiers” first.",
)
SITE: Final = CodeProblem(
    "AUTHORITY",
    "The delegation does not reach this ship-to party.",
    "File for the sites that the delegation names, and write the ship-to party as it does.",
)
REF_UNKNOWN: Final = CodeProblem(
    "REF",
    "There is no filing with this reference to replace or delete.",
    "Check the reference, or file it with action A.",
)
REF_TAKEN: Final = CodeProblem(
    "REF",
    "There is already a filing with this reference.",
    "Give the new filing its own reference, or send it with action R to replace the earlier one.",
)

_IDENTIFIER_FIELDS: Final = frozenset(
    {
        *("importer_number", "consignee_number", "importer_of_record", "bond_holder"),
        *("seller_id", "buyer_id", "ship_to_id"),
    }
)
_ECHO_LENGTH: Final = 100

SPEC_REFS: Final = {
    "filing_ref": "ISF chapter, SF20 CR",
    "action": "ISF chapter, SF10 position 8",
    "importer_number": "19 CFR 149.3(a)(3)",
    "consignee_number": "19 CFR 149.3(a)(4)",
    "bill_type": "ISF chapter, SF15 positions 5-6",
    "bill_number": "ISF chapter, SF15 positions 7-56",
    "container_number": "ISO 6346",
    "hts": "19 CFR 149.3(a)(8)",
    "country_of_origin": "19 CFR 149.3(a)(7)",
    "mf_name": "19 CFR 149.3(a)(5)",
    "mf_address": "19 CFR 149.3(a)(5)",
    "mf_city": "19 CFR 149.3(a)(5)",
    "mf_country": "19 CFR 149.3(a)(5)",
    "mf_duns": "19 CFR 149.3(a)(5)",
    "mid": "19 CFR part 102, appendix",
    "seller_name": "19 CFR 149.3(a)(1)",
    "buyer_name": "19 CFR 149.3(a)(2)",
    "ship_to_name": "19 CFR 149.3(a)(6)",
    "stuffing_country": "19 CFR 149.3(a)(9)",
    "consolidator_name": "19 CFR 149.3(a)(10)",
    "port_lading": "UN/LOCODE",
    "port_unlading": "Schedule D",
    "etd": "19 CFR 149.2(b)",
    "value_usd": "ISF chapter, SF13 positions 7-17",
    "quantity": "ISF chapter, SF13 positions 18-28",
    "uom": "ISF chapter, SF13 positions 29-31",
    "filer": "Batch and block chapter, record B positions 8-10",
}


def fault_of(
    problem: CodeProblem,
    place: Place,
    *,
    field: str = "",
    value: str = "",
    severity: Severity = Severity.ERROR,
) -> RowFault:
    """Return the fault that `problem` is at this place; `value` as it was given."""
    return RowFault(
        file_row=place.file_row,
        line_no=place.line_no,
        record=echo(place.record),
        field=field,
        code=problem.code,
        severity=severity,
        value=echo(value, identifier=field in _IDENTIFIER_FIELDS),
        message=problem.message,
        fix=problem.fix,
        spec_ref=SPEC_REFS.get(field, ""),
    )


def echo(text: str, *, identifier: bool = False) -> str:
    """Return `text` as a fault may repeat it: no social security number, nothing invisible, short.

    `identifier` says that the text stood where an importer number belongs.
    """
    readable = FORBIDDEN_CHARACTERS.sub("", text)
    safe = masked(readable, identifier=identifier)
    if safe == readable:
        # Nothing had to be hidden, so the invisible characters can be spelt out.
        safe = FORBIDDEN_CHARACTERS.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
    return safe if len(safe) <= _ECHO_LENGTH else f"{safe[: _ECHO_LENGTH - 1]}…"
