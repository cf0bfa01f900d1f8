"""Two requests at once: the double click, the second tab, the colleague who was faster.

How a form that creates a row is made safe against being sent twice: the page is rendered with a
hidden field `key`, a fresh UUID (`app.web.once.OnceForm`). The service asks `first_with` for a
row with that id before it creates one, and gives the new row that very id. The first request
inserts; the second waits for it, finds its row and answers as if it had made it. Nothing else is
stored, and the primary key is the last line of defence.

How a form that changes a row is made safe against overwriting what somebody else wrote: the row
has a `version` (an integer that SQLAlchemy counts up), the form carries the version that it was
filled from (`app.web.once.VersionForm`), and the service calls `lock_row` and
`require_version` before it writes. The view catches `StaleError` and shows the same page again
with both values.
"""

import hashlib
import uuid
from typing import Any, Protocol, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.base import Base
from app.kernel.errors import ConflictError

Row = TypeVar("Row", bound=Base)


class HasVersion(Protocol):
    """A row that counts its changes."""

    version: Any


class StaleError(ConflictError):
    """The row was changed after the form was filled from it; nothing was written (409)."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this while you were working on it. Nothing was saved yet:"
            " compare both versions below and save again."
        )


def lock_words(session: Session, *words: str) -> None:
    """Wait for every other transaction that locked the same words; kept until this one ends."""
    digest = hashlib.blake2b("\x00".join(words).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, signed=True)
    session.execute(select(func.pg_advisory_xact_lock(number)))


def first_with(session: Session, model: type[Row], key: uuid.UUID) -> Row | None:
    """The row that an earlier request with the same key made, after waiting for that request.

    The caller checks that the row is its own before it answers with it.
    """
    lock_words(session, model.__tablename__, str(key))
    return session.get(model, key)


def lock_row(session: Session, row: Base) -> None:
    """Read the row again and keep it from changing until this transaction ends."""
    # Reading a row again drops what was set on it and not yet written.
    session.flush()
    session.refresh(row, with_for_update={"key_share": True})


def require_version(row: HasVersion, expected: int) -> None:
    """`StaleError` when the locked row is no longer at the version that the form showed."""
    if row.version != expected:
        raise StaleError
