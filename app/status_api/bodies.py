"""Reading what a program sends, strictly: one media type, one meaning, within a limit.

JSON of two meanings (a member that stands twice) is refused, since two programs would read it
differently. No refusal repeats a value: it may hold a person's number.
"""

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from app.web.errors import problem_json
from app.web.validation import json_pointer

JSON = "application/json"
NDJSON = "application/x-ndjson"
MOST_FAULTS = 100
MALFORMED = "The request is not as the contract says."

Model = TypeVar("Model", bound=BaseModel)


class UnreadableJsonError(ValueError):
    """Bytes that are not JSON of one meaning; the message is a sentence for the caller."""


def refuse(
    status: int,
    title: str,
    detail: str,
    *,
    errors: Sequence[dict[str, str]] = (),
    kind: str = "about:blank",
) -> NoReturn:
    """Answer with a problem and go no further."""
    raise HTTPException(
        response=problem_json(status, title, detail=detail, errors=errors, kind=kind)
    )


def media_type(*accepted: str) -> str:
    """The body's media type, one of `accepted`; 415 otherwise."""
    if request.mimetype not in accepted:
        wanted = " or ".join(accepted)
        refuse(UnsupportedMediaType.code, "Unsupported Media Type", f"Send {wanted}.")
    return request.mimetype


def raw_body(limit: int) -> bytes:
    """The body, of at most `limit` bytes; 413 otherwise."""
    request.max_content_length = limit
    return request.get_data(cache=False)


def read_body(model: type[Model], *, limit: int) -> Model:
    """The JSON body as `model`; 413, 415, or 400 with a pointer to each fault."""
    media_type(JSON)
    try:
        data = strict_json(raw_body(limit))
    except UnreadableJsonError as error:
        refuse(
            400,
            "Bad Request",
            MALFORMED,
            errors=[{"pointer": "", "code": "json", "detail": str(error)}],
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        refuse(400, "Bad Request", MALFORMED, errors=faults(error))


def strict_json(raw: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds.
    """One JSON value in UTF-8, without repeated members, NaN or halves of characters."""
    try:
        text = raw.decode()
        data = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(data, ensure_ascii=False).encode()
    except UnreadableJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError("This is not JSON in UTF-8.") from error
    return data


def faults(error: ValidationError) -> list[dict[str, str]]:
    """The members of a problem for what a model refuses, the first hundred."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {"pointer": json_pointer(one["loc"]), "code": one["type"], "detail": one["msg"]}
        for one in found[:MOST_FAULTS]
    ]


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableJsonError("A member stands twice in one object.")
    return found


def _no_number(name: str) -> NoReturn:
    raise UnreadableJsonError(f"{name} is no number in JSON.")
