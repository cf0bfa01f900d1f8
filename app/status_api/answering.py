"""One look-up in the map: the pure function behind the lane and behind the ordinary view."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Identifier
from app.status_api.register_map import (
    DamagedMapError,
    MapReader,
    Meta,
    StaleMapError,
    identifier_key,
)
from app.status_api.rendering import (
    FOR_EVER,
    NOBODY,
    OutOfTimeError,
    chosen,
    finished,
    microseconds,
    opening,
    partner_of,
    text_of,
    verdict_of,
)
from app.traders.sealing import lookup_key


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with what is kept of it: `until` is when it ends, in microseconds of the epoch."""

    body: bytes
    said: bytes
    seq: int
    until: int

    @property
    def answer(self) -> str:
        return verdict_of(self.said)

    @property
    def partner_id(self) -> uuid.UUID | None:
        return partner_of(self.said)


def key_of(identifier: Identifier) -> bytes:
    """Where the map has what it knows about the identifier."""
    return identifier_key(
        identifier.scheme.value, lookup_key(identifier), sensitive=identifier.sensitive
    )


def from_map(
    reader: MapReader, identifier: Identifier, *, now: datetime, min_seq: int | None = None
) -> Found:
    """The answer for `now`.

    `StaleMapError` when the map is not confirmed; `UnavailableError` with code `not-yet` while it
    does not know change `min_seq`.
    """
    meta, [value] = reader.read(key_of(identifier))
    if min_seq is not None and meta.seq < min_seq:
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.",
            code="not-yet",
            min_seq=min_seq,
        )
    beginning = opening(identifier.scheme.value, identifier.shown)
    return put_together(reader, meta, value, beginning, now)


def put_together(
    reader: MapReader, meta: Meta, value: bytes | None, beginning: bytes, now: datetime
) -> Found:
    """The answer of which `beginning` names the identifier and `value` is what the map knows."""
    until, parts = FOR_EVER, NOBODY
    if value is not None:
        try:
            until, said, number, coming, own = chosen(value, microseconds(now))
            parts = (said, coming, reader.template(number), own)
        except (OutOfTimeError, DamagedMapError) as error:
            raise StaleMapError from error
    body = finished(
        beginning,
        parts,
        seq=meta.seq,
        as_of=text_of(now),
        known=meta.known,
        age_ms=max(meta.age_ns(), 0) // 1_000_000,
    )
    return Found(body, parts[0], meta.seq, until)
