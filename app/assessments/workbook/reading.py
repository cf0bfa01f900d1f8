"""A workbook that was sent, as the cells that it holds; its own process reads it."""

import json
from typing import Final

from app.assessments.workbook.layout import Cell, Sheet
from app.documents.apart import TooMuchError, read_apart
from app.kernel.errors import NotReadyError, Problem

LIMIT: Final = 5 * 1024 * 1024
SECONDS: Final = 10
MOST: Final = 32 << 20
FIELD: Final = "file"

_TOLD: Final = {
    "format": "This is not a workbook that can be read. Save it again as “Excel workbook (.xlsx)”,"
    " without macros and without a password.",
    "parts": "The workbook holds parts that no spreadsheet program writes. Download a new one and"
    " copy your answers into it.",
    "extent": "The workbook has far more sheets, rows or columns than the one that was downloaded."
    " Download a new one and copy your answers into it.",
}
_TOO_LARGE: Final = "This file is larger than 5 MB. A workbook that was downloaded here is smaller."
_TOO_MUCH: Final = (
    "Reading this workbook takes more memory or time than it may. Download a new one and copy your"
    " answers into it."
)


def read_sheets(content: bytes) -> list[Sheet]:
    """The sheets of a workbook of at most `LIMIT` bytes.

    `NotReadyError` with one problem beside the file control when it is none, hides what no
    spreadsheet writes, or takes too much; `ReadingFailedError` when the process failed.
    """
    if len(content) > LIMIT:
        raise refusal(_TOO_LARGE)
    try:
        answer = json.loads(
            read_apart("app.assessments.workbook.reader", content, seconds=SECONDS, most=MOST)
        )
    except TooMuchError:
        raise refusal(_TOO_MUCH) from None
    if "refused" in answer:
        raise refusal(answer["told"] or _TOLD[answer["refused"]])
    return [Sheet(name, tuple(Cell(*cell) for cell in cells)) for name, cells in answer["sheets"]]


def refusal(message: str, **params: object) -> NotReadyError:
    """The refusal of a whole workbook, beside the control that it was chosen with."""
    return NotReadyError([Problem(message, field=FIELD, code="workbook", params=params)])
