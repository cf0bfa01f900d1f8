"""Reader for one filing as a JSON object: JSON of one meaning, the columns of the CSV as names.

A number counts as the text in which it is written, so that no digit is lost and none is gained;
null counts as a name that is left out.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from app.advance_data.csv_intake import Limits, cell_faults
from app.advance_data.faults import Place
from app.advance_data.rows import COLUMNS, RawRow
from app.kernel.errors import Problem
from app.kernel.identifiers import masked
from app.kernel.strict_json import (
    NoNumberError,
    RepeatedMemberError,
    StrictJsonError,
    strict_json,
)

ON_BEHALF_OF: Final = "on_behalf_of"
_NAMED: Final = 100
_NAME_LENGTH: Final = 100


class UnreadableFilingError(ValueError):
    """The bytes are no filing at all; each problem's `field` is a JSON pointer."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class GivenFiling:
    """One filing as it was sent; `on_behalf_of` is empty when the sender speaks for itself."""

    row: RawRow
    on_behalf_of: str


def read_filing(raw: bytes, file_row: int = 1, line_no: int = 0) -> GivenFiling:
    """Read the object; its values are still unchecked texts. Raises UnreadableFilingError."""
    data = _object(raw)
    problems = [
        _problem(f"/{_escaped(name)}", "unknown", "There is no such field in a filing.")
        for name in data
        if name not in COLUMNS and name != ON_BEHALF_OF
    ]
    problems += [
        _problem(f"/{name}", "type", "Give a text or a number.")
        for name, value in data.items()
        if isinstance(value, bool | dict | list) and (name in COLUMNS or name == ON_BEHALF_OF)
    ]
    if problems:
        raise UnreadableFilingError(problems[:_NAMED])
    texts = {
        name: unicodedata.normalize("NFC", value)
        for name, value in data.items()
        if value is not None
    }
    on_behalf_of = texts.pop(ON_BEHALF_OF, "")
    values = {column: texts[column] for column in COLUMNS if column in texts}
    place = Place(file_row, line_no, values.get("filing_ref", ""))
    faults = tuple(cell_faults(values, place, Limits().cell))
    return GivenFiling(RawRow(file_row, line_no, values, faults), on_behalf_of)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        data = strict_json(raw, numbers_as_text=True)
    except RepeatedMemberError as error:
        problem = _problem(f"/{_escaped(error.name)}", "repeated", "This name stands twice.")
        raise UnreadableFilingError([problem]) from None
    except NoNumberError:
        _refuse("json", "NaN and infinity are no numbers in JSON.")
    except StrictJsonError as error:
        _refuse("json", str(error))
    if not isinstance(data, dict):
        _refuse("json", "Send one JSON object.")
    return data


def _refuse(code: str, message: str) -> NoReturn:
    raise UnreadableFilingError([_problem("", code, message)])


def _problem(pointer: str, code: str, message: str) -> Problem:
    return Problem(message, pointer, code)


def _escaped(name: str) -> str:
    """The name as a JSON pointer's part, masked and shortened: it is the sender's own text."""
    return masked(name[:_NAME_LENGTH].replace("~", "~0").replace("/", "~1"))
