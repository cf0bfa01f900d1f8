"""What the columns, states and kinds of faults are called on pages; English texts for gettext."""

from dataclasses import dataclass
from typing import Final

from app.advance_data.abi.wording import FIELD_WORDS
from app.advance_data.lists import ListKind
from app.advance_data.queries import Standing
from app.advance_data.workflow import BatchState

AGENCY: Final = "The agency's"
TRADER: Final = "Yours"
NOBODY: Final = "Nobody's: it is done"


@dataclass(frozen=True, slots=True)
class Stage:
    """A batch's state in words: what it means, whose turn it is, in which tone.

    `waiting` says that the page looks again by itself, `running` that there is something to see.
    """

    name: str
    meaning: str
    turn: str
    tone: str
    waiting: bool = False
    running: bool = False


_QUEUED: Final = Stage(
    "Waiting to be checked",
    "The file has arrived and is safe. You can leave this page: the checking goes on without you.",
    AGENCY,
    "progress",
    waiting=True,
)
_RUNNING: Final = Stage(
    "Being checked",
    "Every row is checked now. You can leave this page: the checking goes on without you.",
    AGENCY,
    "progress",
    waiting=True,
    running=True,
)
_FILED: Final = Stage(
    "Every row is filed",
    "Each row is a filing now, with a receipt of its own.",
    NOBODY,
    "success",
)
_MENDED: Final = Stage(
    "Every row is filed",
    "Some rows were corrected after the file was sent. Each row is a filing now, with a receipt of"
    " its own.",
    NOBODY,
    "success",
)
_PARTLY: Final = Stage(
    "Some rows are not filed",
    "The good rows are filed. The others are not: correct them here, or upload them again. Leave"
    " the rows that are filed out of the new file.",
    TRADER,
    "warning",
)
_NONE: Final = Stage(
    "No row is filed",
    "Every row has at least one error. Correct them here, or upload the file again.",
    TRADER,
    "danger",
)
_FAILED: Final = Stage(
    "The file could not be read",
    "Nothing in it is filed. Put right what is said below and upload it again.",
    TRADER,
    "danger",
)
_BY_STATE: Final = {
    BatchState.QUEUED: _QUEUED,
    BatchState.RUNNING: _RUNNING,
    BatchState.FAILED: _FAILED,
}


def stage_of(state: str, *, accepted: int, rejected: int, still_open: int | None = None) -> Stage:
    """The words for a batch; `still_open` of its rejected rows were not corrected since."""
    found = _BY_STATE.get(BatchState(state))
    if found is not None:
        return found
    if not rejected:
        return _FILED
    if still_open == 0:
        return _MENDED
    return _PARTLY if accepted or (still_open or rejected) < rejected else _NONE


STANDING_WORDS: Final = {
    Standing.CURRENT: ("Current", "success"),
    Standing.REPLACED: ("Replaced", "neutral"),
    Standing.DELETED: ("Deleted", "danger"),
}
ACTION_WORDS: Final = {"A": "New", "R": "Replacement", "D": "Deletion"}
CHANNEL_WORDS: Final = {"file": "A file, uploaded on these pages", "api": "A program's call"}
SEVERITY_WORDS: Final = {"error": ("Error", "danger"), "warning": ("Warning", "warning")}

LIST_WORDS: Final = {
    ListKind.HS: "Harmonized System",
    ListKind.HTS: "US tariff (HTS)",
    ListKind.UNLOCODE: "UN/LOCODE",
    ListKind.SCHEDULE_D: "Schedule D",
    ListKind.SCHEDULE_K: "Schedule K",
    ListKind.FIRMS: "FIRMS",
}
BY_LISTS: Final = frozenset({"HS_UNKNOWN", "PORT_UNKNOWN", "FIRMS_UNKNOWN"})
"""Codes of faults that rest on a list of an age."""

COLUMN_WORDS: Final = {
    **FIELD_WORDS,
    "filing_ref": "Reference",
    "action": "Action",
    "importer_number": "Importer number",
    "consignee_number": "Consignee number",
    "bill_type": "Type of bill",
    "bill_number": "Bill of lading",
    "container_number": "Container",
    "hts": "Tariff number (HTS)",
    "country_of_origin": "Country of origin",
    "mf_name": "Manufacturer",
    "mf_address": "Manufacturer's address",
    "mf_city": "Manufacturer's city",
    "mf_country": "Manufacturer's country",
    "mf_duns": "Manufacturer's D-U-N-S number",
    "mid": "Manufacturer code (MID)",
    "seller_name": "Seller",
    "buyer_name": "Buyer",
    "ship_to_name": "Ship-to party",
    "stuffing_country": "Country of stuffing",
    "consolidator_name": "Consolidator",
    "port_lading": "Port of lading",
    "port_unlading": "Port of unlading",
    "etd": "Day of departure",
    "value_usd": "Value in US dollars",
    "quantity": "Quantity",
    "uom": "Unit of measure",
}
