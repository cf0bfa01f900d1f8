"""The formats in which a batch may come, and which of them a file is by its first bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from app.advance_data.abi.reading import AbiLimits, read_abi
from app.advance_data.checks import Raw
from app.advance_data.csv_intake import Limits, read_blocks
from app.advance_data.ndjson_intake import read_ndjson
from app.advance_data.rows import Block
from app.advance_data.xlsx_intake import LIMITS as XLSX_LIMITS
from app.advance_data.xlsx_intake import read_xlsx

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NDJSON: Final = "application/x-ndjson"
ABI: Final = "application/vnd.cbp.abi"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its media type, the ending of its files, its largest file, its reader.

    The reader is for the process that `reading` makes; nothing else may open a trader's file.
    """

    media_type: str
    ending: str
    file_bytes: int
    read: Callable[[BinaryIO], Iterator[Raw | Block]]


FORMATS: Final = {
    one.media_type: one
    for one in (
        Format(CSV, ".csv", Limits().file_bytes, read_blocks),
        Format(XLSX, ".xlsx", XLSX_LIMITS.file_bytes, read_xlsx),
        Format(NDJSON, ".ndjson", Limits().file_bytes, read_ndjson),
        Format(ABI, ".abi", AbiLimits().file_bytes, read_abi),
    )
}


def media_type_of(beginning: bytes) -> str:
    """The format of a file by its first bytes, whatever its name says.

    A record A is 80 characters without a comma that mean nothing else; all that is not something
    else is read as CSV, which says what is wrong with it.
    """
    if beginning.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return XLSX
    if beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return NDJSON
    first = beginning.partition(b"\n")[0]
    if first.startswith(b"A") and b"," not in first:
        return ABI
    return CSV
