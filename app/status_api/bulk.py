"""Many look-ups of one state of the map: the same answers as one by one, put together faster.

An identifier in its canonical form is its own key, so what the map knows needs no parsing: that a
key is there proves its form. The rest is parsed, and looked up under what comes of that.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Identifier
from app.status_api.answering import key_of
from app.status_api.lookups import LookupRecord, identifier_of, malformed
from app.status_api.map_values import DamagedMapError
from app.status_api.recording import line, malformed_line
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import (
    NOBODY,
    SUBJECT,
    UNKNOWN_SUBJECT,
    OutOfTimeError,
    Template,
    chosen,
    instant_text,
    microseconds,
    opening,
)
from app.status_api.schemas import AskedIdentifier

LONGEST_KEY: Final = 200
NO_KEY: Final = b"/"
"""Under which nothing stands: of a member that is no identifier."""
Asked = Sequence[AskedIdentifier | None]


class Told(NamedTuple):
    """The answers in the order of the question, the lines that record them, and the newest change."""

    answers: list[bytes]
    lines: list[bytes]
    seq: int


def look_up_all(
    reader: MapReader,
    asked: Asked,
    record: LookupRecord,
    *,
    client_id: UUID,
    now: datetime,
    min_seq: int | None,
) -> Told:
    """What the map says about all of them, of one instant.

    `StaleMapError` when the map is not confirmed; `UnavailableError` with code `not-yet` while it
    does not know change `min_seq`.
    """
    keys = [NO_KEY if one is None else _plain_key(one) for one in asked]
    meta, values, age = reader.look_all(keys)
    parsed: dict[int, Identifier | None] = {}
    for place, value in enumerate(values):
        if value is None:
            one = asked[place]
            found = None if one is None else identifier_of(one.scheme, one.value)
            parsed[place] = found
            keys[place] = NO_KEY if found is None else key_of(found)
    if parsed:
        # All of one state: what was found before is read again with what was parsed.
        meta, values, age = reader.look_all(keys)
    if min_seq is not None and meta.seq < min_seq:
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.",
            code="not-yet",
            min_seq=min_seq,
        )
    at = microseconds(now)
    as_of, client = instant_text(at), str(client_id).encode()
    middle = b"%b%b%b%d" % (meta.before, as_of, meta.after, max(age, 0) // 1_000_000)
    answers, lines, seq = [], [], meta.seq
    try:
        for place, (one, value) in enumerate(zip(asked, values, strict=True)):
            identifier = parsed.get(place)
            if identifier is None and (one is None or place in parsed):
                answers.append(malformed(one).model_dump_json().encode())
                name = ("", "") if one is None else (one.scheme, one.value)
                subject = record.subject(*name).encode()
                lines.append(malformed_line(as_of, client, subject))
                continue
            template, partner, coming, own, hashed = _parts(reader, value, at)
            if identifier is not None:
                scheme, shown = identifier.scheme.value, identifier.shown
                name = (scheme, identifier.value)
            else:
                scheme, shown = name = one.scheme, one.value  # type: ignore[union-attr] # Found.
            if hashed == UNKNOWN_SUBJECT:
                hashed = record.subject(*name).encode()
            answers.append(
                b"".join(
                    (
                        opening(scheme, shown),
                        template.head,
                        partner,
                        template.tail,
                        middle,
                        coming,
                        template.standings,
                        own,
                        template.end,
                    )
                )
            )
            lines.append(line(as_of, client, hashed, template.word, partner, seq))
    except (OutOfTimeError, DamagedMapError) as error:
        raise StaleMapError from error
    return Told(answers, lines, seq)


def _plain_key(one: AskedIdentifier) -> bytes:
    key = f"/{one.scheme}/{one.value}".encode()
    return key if len(key) < LONGEST_KEY else NO_KEY


def _parts(
    reader: MapReader, value: bytes | None, at: int
) -> tuple[Template, bytes, bytes, bytes, bytes]:
    if value is None:
        return NOBODY, b"", b"", b"", UNKNOWN_SUBJECT
    _until, code, partner, coming, own = chosen(value, at)
    return reader.template(code), partner, coming, own, value[SUBJECT]
