"""How a malformed JSON body is refused: 400 problem+json with a pointer for each member."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from pydantic import ValidationError

from app.kernel.identifiers import masked
from app.web.errors import problem_json

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "at+jwt",
        "description": "An access token of POST /oauth/token.",
    }
}


def json_pointer(place: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a place, masked: a member's name is the caller's text too."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return masked("".join(f"/{part}" for part in parts))


def refuse_malformed(error: ValidationError) -> Response:
    """The answer to a body or query that the model refuses.

    The input is never echoed, since it may hold personal data.
    """
    members = [
        {
            "pointer": json_pointer(fault["loc"]),
            "code": fault["type"],
            "detail": fault["msg"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return problem_json(
        400, "Bad Request", detail="The request is not as the contract says.", errors=members
    )
