"""The OpenAPI 3.1 document of the internal API, and of nothing else that the process serves."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from app.status_api.bodies import JSON, NDJSON
from app.status_api.schemas import (
    AskedIdentifier,
    DecisionsBody,
    GivenMalformed,
    GivenStatus,
    Problem,
    StatusesBody,
)

PREFIX: Final = "/api/v1"
REFERENCE: Final = "#/components/schemas/"
PROBLEM_MEDIA: Final = "application/problem+json"
DESCRIPTION: Final = (
    "The internal API of the agency's release systems. Anything but a good answer that says"
    " `active` means no facilitation."
)
BODIES: Final[Mapping[str, Mapping[str, type[BaseModel]]]] = {
    f"{PREFIX}/statuses": {JSON: StatusesBody, NDJSON: AskedIdentifier},
    f"{PREFIX}/decisions": {JSON: DecisionsBody},
}
TOKENS: Final = {
    f"{PREFIX}/partners/{{scheme}}/{{value}}/status": "application/jwt",
    f"{PREFIX}/status-list": "application/statuslist+jwt",
}


def document(whole: Mapping[str, Any], *, version: str) -> dict[str, Any]:
    """Our part of the application's document, with what the library cannot say.

    Bodies are read by ourselves, so they are added here; refusals are problems; schemas that no
    path of ours needs are left out.
    """
    found = copy.deepcopy(dict(whole))
    found["info"] = {
        "title": "Fairway internal API",
        "version": version,
        "description": DESCRIPTION,
    }
    found["paths"] = {
        path: item for path, item in found["paths"].items() if path.startswith(f"{PREFIX}/")
    }
    schemas = found["components"]["schemas"]
    for path, media in BODIES.items():
        found["paths"][path]["post"]["requestBody"] = {
            "required": True,
            "content": {
                name: {"schema": _added(schemas, model, "validation")}
                for name, model in media.items()
            },
        }
    lines = [_added(schemas, model, "serialization") for model in (GivenStatus, GivenMalformed)]
    good = found["paths"][f"{PREFIX}/statuses"]["post"]["responses"]["200"]["content"]
    good[NDJSON] = {"schema": {"anyOf": [*lines, _added(schemas, Problem, "serialization")]}}
    for path, token in TOKENS.items():
        answered = found["paths"][path]["get"]["responses"]["200"]
        answered.setdefault("content", {})[token] = {"schema": {"type": "string"}}
    problem = _added(schemas, Problem, "serialization")
    for item in found["paths"].values():
        for operation in item.values():
            operation.pop("tags", None)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer["content"] = {PROBLEM_MEDIA: {"schema": problem}}
    found.pop("tags", None)
    found["components"]["schemas"] = _needed(found["paths"], schemas)
    return found


def _added(schemas: dict[str, Any], model: type[BaseModel], mode: Any) -> dict[str, str]:  # noqa: ANN401
    """Put a model and its parts among the schemas, and refer to it."""
    schema = model.model_json_schema(ref_template=REFERENCE + "{model}", mode=mode)
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": REFERENCE + model.__name__}


def _needed(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas that the paths refer to, directly or through others."""
    found: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = {key: one for key, one in schemas[name].items() if key != "$defs"}
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(part: object) -> list[str]:
    if isinstance(part, Mapping):
        here = [part["$ref"].removeprefix(REFERENCE)] if isinstance(part.get("$ref"), str) else []
        return here + [name for one in part.values() for name in _references(one)]
    if isinstance(part, list):
        return [name for one in part for name in _references(one)]
    return []
