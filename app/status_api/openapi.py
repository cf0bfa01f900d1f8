"""The OpenAPI 3.1 document of the internal API, and of nothing else that the process serves."""

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
from app.web.described import added, finished, part_of

PREFIX: Final = "/api/v1"
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

    Bodies are read by ourselves, so they are added here, and so are tokens and lines.
    """
    info = {"title": "Fairway internal API", "version": version, "description": DESCRIPTION}
    found = part_of(whole, PREFIX, info=info)
    for path, media in BODIES.items():
        found["paths"][path]["post"]["requestBody"] = {
            "required": True,
            "content": {
                name: {"schema": added(found, model, "validation")} for name, model in media.items()
            },
        }
    lines = [added(found, one, "serialization") for one in (GivenStatus, GivenMalformed, Problem)]
    good = found["paths"][f"{PREFIX}/statuses"]["post"]["responses"]["200"]["content"]
    good[NDJSON] = {"schema": {"anyOf": lines}}
    for path, token in TOKENS.items():
        answered = found["paths"][path]["get"]["responses"]["200"]
        answered.setdefault("content", {})[token] = {"schema": {"type": "string"}}
    return finished(found, Problem)
