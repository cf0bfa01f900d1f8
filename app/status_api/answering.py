"""One look-up in the map: the pure function behind the lane and behind the ordinary view."""

import uuid
from datetime import datetime
from typing import NamedTuple

from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Identifier
from app.status_api.map_values import DamagedMapError, Meta, identifier_key
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import (
    FOR_EVER,
    NOBODY,
    SUBJECT,
    UNKNOWN_SUBJECT,
    OutOfTimeError,
    chosen,
    instant_text,
    microseconds,
    opening,
)
from app.traders.sealing import lookup_key


class Found(NamedTuple):
    """An answer with what is kept of it.

    `word` is the answer itself, `named` the partner in it or nothing, `until` when it ends, in
    microseconds of the epoch, `subject` the keyed hash under which it is recorded in hexadecimal,
    zeros when the map does not know it.
    """

    body: bytes
    word: bytes
    named: bytes
    seq: int
    until: int
    subject: bytes

    @property
    def answer(self) -> str:
        return self.word.decode()

    @property
    def partner_id(self) -> uuid.UUID | None:
        return uuid.UUID(self.named.decode()) if self.named else None


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
    meta, value, age = reader.look(key_of(identifier))
    if min_seq is not None and meta.seq < min_seq:
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.",
            code="not-yet",
            min_seq=min_seq,
        )
    beginning = opening(identifier.scheme.value, identifier.shown)
    at = microseconds(now)
    return put_together(reader, meta, value, beginning, at, instant_text(at), age)


def put_together(
    reader: MapReader,
    meta: Meta,
    value: bytes | None,
    beginning: bytes,
    at: int,
    as_of: bytes,
    age: int,
) -> Found:
    """The answer at `at`, in microseconds of the epoch and `as_of` as text.

    `beginning` names the identifier, `value` is what the map knows with its checksum, `age` how
    many nanoseconds ago the database was asked. The only place that puts an answer together.
    """
    if value is None:
        until, template, partner, coming, own = FOR_EVER, NOBODY, b"", b"", b""
        subject = UNKNOWN_SUBJECT
    else:
        try:
            until, code, partner, coming, own = chosen(value, at)
            template = reader.template(code)
        except (OutOfTimeError, DamagedMapError) as error:
            raise StaleMapError from error
        subject = value[SUBJECT]
    body = b"".join(
        (
            beginning,
            template.head,
            partner,
            template.tail,
            meta.before,
            as_of,
            meta.after,
            b"%d" % (age // 1_000_000 if age > 0 else 0),
            coming,
            template.standings,
            own,
            template.end,
        )
    )
    return Found(body, template.word, partner, meta.seq, until, subject)
