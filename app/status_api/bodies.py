"""Reading what a program sends, strictly: one media type, one meaning, within a limit.

JSON of two meanings is refused (see `app.kernel.strict_json`). No refusal repeats a value: it may
hold a person's number.
"""

from collections.abc import Sequence
from typing import NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from app.kernel.strict_json import StrictJsonError, strict_json
from app.web.errors import problem_json
from app.web.validation import json_pointer

JSON = "application/json"
NDJSON = "application/x-ndjson"
MOST_FAULTS = 100
MALFORMED = "The request is not as the contract says."

Model = TypeVar("Model", bound=BaseModel)


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
    except StrictJsonError as error:
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


def faults(error: ValidationError) -> list[dict[str, str]]:
    """The members of a problem for what a model refuses, the first hundred."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {"pointer": json_pointer(one["loc"]), "code": one["type"], "detail": one["msg"]}
        for one in found[:MOST_FAULTS]
    ]
