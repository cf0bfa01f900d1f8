"""What a filing says, as values of JSON."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from app.advance_data.rules import AnyFiling
from app.kernel.identifiers import Identifier


def content_of(filing: AnyFiling) -> dict[str, Any]:
    """The values of a filing as JSON: canonical text, identifiers as they may be shown.

    The parts of a message that may come often are lists; a row has texts alone.
    """
    # Not by iterating over the model, which asks for more than its fields: there are millions.
    return {
        name: value if type(value) is str else plain(value)
        for name, value in filing.__dict__.items()
        if value is not None and value != ()
    }


def plain(value: object) -> Any:  # noqa: ANN401 - JSON.
    """One value of a filing as JSON."""
    # The simple ones first: asking whether something is a model takes longer than all the rest.
    if isinstance(value, Identifier):
        return value.shown
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, str | int | Decimal | date):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: plain(one) for name, one in value if one is not None and one != ()}
    return str(value)
