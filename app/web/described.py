"""The OpenAPI 3.1 document of one API: what the application knows of the addresses under its prefix.

The library makes one document of everything that a process serves, and cannot say that refusals
are problems. Each API is described alone, so that a program is shown nothing that is not for it.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from flask import current_app
from pydantic import BaseModel

REFERENCE: Final = "#/components/schemas/"
PROBLEM_MEDIA: Final = "application/problem+json"


def part_of(whole: Mapping[str, Any], prefix: str, *, info: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the document with the addresses under `prefix` alone."""
    found = copy.deepcopy(dict(whole))
    found["info"] = dict(info)
    found["paths"] = {
        path: item for path, item in found["paths"].items() if path.startswith(f"{prefix}/")
    }
    return found


def added(
    document: dict[str, Any], model: type[BaseModel], mode: Literal["validation", "serialization"]
) -> dict[str, str]:
    """Put a model and its parts among the document's schemas, and refer to it."""
    schema = model.model_json_schema(ref_template=REFERENCE + "{model}", mode=mode)
    schemas = document["components"]["schemas"]
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": REFERENCE + model.__name__}


def finished(document: dict[str, Any], problem: type[BaseModel]) -> dict[str, Any]:
    """The document with its refusals as problems, and without schemas that nothing refers to."""
    refused = added(document, problem, "serialization")
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("tags", None)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer["content"] = {PROBLEM_MEDIA: {"schema": refused}}
    document.pop("tags", None)
    document["components"]["schemas"] = _needed(
        document["paths"], document["components"]["schemas"]
    )
    return document


def described(name: str, document: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The document of the API `name`, made at the first question and kept with the application."""
    known = current_app.extensions.setdefault("fairway_described", {})
    if name not in known:
        known[name] = document(
            current_app.api_doc,  # type: ignore[attr-defined] # Of the library's Flask.
            version=str(current_app.config["VERSION"]),
        )
    found: dict[str, Any] = known[name]
    return found


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
