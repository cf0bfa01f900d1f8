"""What a filing says, as values of JSON."""

from typing import Any

from pydantic import BaseModel

from app.advance_data.rules import AnyFiling
from app.kernel.identifiers import Identifier


def content_of(filing: AnyFiling) -> dict[str, Any]:
    """The values of a filing as JSON: canonical text, identifiers as they may be shown.

    The parts of a message that may come often are lists; a row has texts alone.
    """
    return {name: _plain(value) for name, value in filing if value is not None and value != ()}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON.
    if isinstance(value, BaseModel):
        return {name: _plain(one) for name, one in value if one is not None and one != ()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.shown if isinstance(value, Identifier) else str(value)
