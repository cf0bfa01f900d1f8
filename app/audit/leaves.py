"""What is sealed of an event: its row as canonical JSON (RFC 8785), names replaced by commitments.

A member that is null is left out. So a column that a later release adds changes no leaf of before.
"""

import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import rfc8785
from sqlalchemy import text
from sqlalchemy.orm import Session

FORMAT: Final = "fairway-event/1"
NAMING: Final[Mapping[str, str | None]] = {
    "audit_event": "actor_name",
    "security_event": "address",
    "access_record": None,
}
"""The tables that are sealed, each with the column that may name a human."""

# One statement a table, each a constant: the name of a table cannot be a parameter.
ROWS: Final = {
    # house: sql-from-parts - constants of ours.
    kind: text(f"SELECT id, to_jsonb(t)::text AS row FROM {kind} t WHERE id = ANY(:ids)")  # nosec B608  # noqa: S608
    for kind in NAMING
}


def rows_of(
    session: Session, kind: str, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Any]]:
    """The rows of one table as JSON objects, by id; an absent one is absent."""
    found = session.execute(ROWS[kind], {"ids": list(ids)})
    return {one.id: json.loads(one.row) for one in found}


def commit_to(salt: bytes, name: str) -> bytes:
    """The commitment to a name: without the salt it tells nothing, with it only this name fits."""
    return hmac.digest(salt, name.encode(), "sha256")


def name_in(kind: str, row: Mapping[str, Any]) -> str | None:
    """What may name a human in the row, `None` where the table knows no such thing."""
    column = NAMING[kind]
    return None if column is None else str(row[column])


def leaf_body(kind: str, row: Mapping[str, Any], commitment: bytes | None) -> bytes:
    """The bytes of the leaf."""
    body = {name: value for name, value in row.items() if value is not None}
    column = NAMING[kind]
    if column is not None:
        body[column] = {"commitment": (commitment or b"").hex()}
    return rfc8785.dumps({"format": FORMAT, "kind": kind, "event": body})
