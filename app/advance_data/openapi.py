"""The OpenAPI 3.1 document of the traders' API, and of nothing else that the process serves."""

from collections.abc import Mapping
from typing import Any, Final

from app.advance_data.formats import ABI, CSV, XLSX
from app.advance_data.schemas import KEY_HEADER, TraderProblem
from app.web.described import finished, part_of

PREFIX: Final = "/trader/v1"
DESCRIPTION: Final = (
    "The API of importers and brokers: file one row or a whole file, see what became of each, and"
    " read what release systems are told about you."
)


def document(whole: Mapping[str, Any], *, version: str) -> dict[str, Any]:
    """Our part of the application's document, with what the library cannot say.

    It drops a header beside a query, and knows one form of an answer alone.
    """
    info = {"title": "Fairway traders' API", "version": version, "description": DESCRIPTION}
    found = part_of(whole, PREFIX, info=info)
    for path in ("filings", "batches"):
        found["paths"][f"{PREFIX}/{path}"]["post"].setdefault("parameters", []).append(KEY_HEADER)
    errors = found["paths"][f"{PREFIX}/batches/{{batch_id}}/errors"]["get"]
    for media, schema in (
        (CSV, {"type": "string"}),
        (XLSX, {"type": "string", "format": "binary"}),
        (ABI, {"type": "string"}),
    ):
        errors["responses"]["200"]["content"][media] = {"schema": schema}
    return finished(found, TraderProblem)
