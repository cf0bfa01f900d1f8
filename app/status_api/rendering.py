"""A status answer as bytes: rendered once for each version of a partner, finished at each look-up.

What does not depend on the instant of the question is cut from the very JSON that the contract's
model writes, for each span of time in which the answer stays the same. Finishing puts the newest
change, the instant and the age of the data between. So a date that passes needs no write.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

from app.kernel.identifiers import Identifier
from app.register.answer import Moment, assemble
from app.register.programme import PROGRAMMES
from app.register.rules import Standing
from app.status_api.schemas import GivenStatus

# How far the clocks of one host may seem to go back between rendering and a look-up.
MARGIN: Final = timedelta(minutes=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOR_EVER: Final = 2**63 - 1
_MICROSECOND: Final = timedelta(microseconds=1)
_PIECE: Final = Struct("<qqHBBH")
_STANDINGS: Final = b',"standings":['
_VARIES: Final = b'"effective_from":'
NOBODY: Final = (
    b'"answer":"not_a_partner","partner_id":null,',
    b',"next_change_at":null',
    b',"standings":[]}',
    b"",
)
"""The parts of the answer about a well-formed identifier that nobody holds."""
Parts = tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer over one span, `since` and `until` in microseconds of the epoch, half-open.

    `said` is the answer and the partner, `coming` the next change, `shared` what many partners'
    standings begin with, `own` the rest.
    """

    since: int
    until: int
    said: bytes
    coming: bytes
    shared: bytes
    own: bytes

    @property
    def is_nobody(self) -> bool:
        return (self.said, self.coming, self.shared, self.own) == NOBODY


class OutOfTimeError(Exception):
    """The instant lies before everything that was rendered: a clock has gone back."""


def microseconds(at: datetime) -> int:
    """The instant as whole microseconds of the epoch."""
    return (at - EPOCH) // _MICROSECOND


def text_of(at: datetime) -> bytes:
    """The instant as the contract's models write it."""
    return (at.isoformat()[:-6] + "Z").encode()


def pieces(
    identifier: Identifier,
    holders: Mapping[uuid.UUID, Sequence[Standing]],
    *,
    at: datetime,
) -> list[Piece]:
    """The answers about `identifier` from a minute before `at` on, a piece for each span.

    `holders` as `app.register.answer.assemble` has them, with the standings of that minute.
    """
    begin = at - MARGIN
    standings = [one for entries in holders.values() for one in entries]
    borders = {one.effective_from for one in standings}
    borders |= {one.effective_until for one in standings if one.effective_until is not None}
    starts = [begin, *sorted(one for one in borders if one > begin)]
    found = []
    for number, start in enumerate(starts):
        last = number + 1 == len(starts)
        until = FOR_EVER if last else microseconds(starts[number + 1])
        found.append(Piece(microseconds(start), until, *_cut(identifier, holders, start)))
    return found


def _cut(
    identifier: Identifier, holders: Mapping[uuid.UUID, Sequence[Standing]], at: datetime
) -> Parts:
    """The answer at `at`, cut where the parts that depend on the question stand."""
    alive = {
        trader: [one for one in entries if one.effective_until is None or one.effective_until > at]
        for trader, entries in holders.items()
    }
    found = assemble(identifier, alive, Moment(0, at, at, 0), PROGRAMMES)
    whole = GivenStatus.of(found).model_dump_json().encode()
    begin = len(opening(identifier.scheme.value, identifier.shown))
    said = whole[begin : whole.index(b'"seq":', begin)]
    coming = whole.index(b',"next_change_at":', begin)
    standings = whole.index(_STANDINGS, coming)
    varies = whole.find(_VARIES, standings)
    cut = len(whole) if varies < 0 else varies + len(_VARIES)
    return said, whole[coming:standings], whole[standings:cut], whole[cut:]


def opening(scheme: str, shown: str) -> bytes:
    """How an answer about this identifier begins. Canonical values need no escape in JSON."""
    return f'{{"identifier":{{"scheme":"{scheme}","value":"{shown}"}},'.encode()


def packed(found: Sequence[Piece], numbers: Mapping[bytes, int]) -> bytes:
    """The pieces as one value; `numbers` are those of the shared parts."""
    return b"".join(
        _PIECE.pack(
            one.since, one.until, numbers[one.shared], len(one.said), len(one.coming), len(one.own)
        )
        + one.said
        + one.coming
        + one.own
        for one in found
    )


def chosen(value: bytes, at: int) -> tuple[int, bytes, int, bytes, bytes]:
    """Of a packed value what holds at `at` (microseconds): until when, said, number, coming, own.

    `OutOfTimeError` when nothing does.
    """
    place = 0
    while place < len(value):
        since, until, number, said, coming, own = _PIECE.unpack_from(value, place)
        place += _PIECE.size
        if since <= at < until:
            middle = place + said
            last = middle + coming
            return until, value[place:middle], number, value[middle:last], value[last : last + own]
        place += said + coming + own
    raise OutOfTimeError


def finished(
    beginning: bytes, parts: Parts, *, seq: int, as_of: bytes, known: bytes, age_ms: int
) -> bytes:
    """The whole answer; pure, and the only place that puts one together from the map."""
    said, coming, shared, own = parts
    return b'%b%b"seq":%d,"as_of":"%b","known_at":"%b","data_age_ms":%d%b%b%b' % (
        beginning,
        said,
        seq,
        as_of,
        known,
        age_ms,
        coming,
        shared,
        own,
    )


def verdict_of(said: bytes) -> str:
    """The one word of an answer."""
    return said[10 : said.index(b'"', 10)].decode()


def partner_of(said: bytes) -> uuid.UUID | None:
    """The partner that an answer names."""
    text = said[said.index(b'"partner_id":') + 13 : -1]
    return None if text == b"null" else uuid.UUID(text.strip(b'"').decode())
