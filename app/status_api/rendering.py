"""A status answer as bytes: rendered once for each version of a partner, finished at each look-up.

What does not depend on the instant of the question is cut from the very JSON that the contract's
model writes, for each span of time in which the answer stays the same. Finishing puts the newest
change, the instant and the age of the data between. So a date that passes needs no write.

What many answers have in common stands in the map once, as a `Template`. An answer's own value is
the partner, the dates, and the keyed hash under which a look-up is recorded.
"""

import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

from app.kernel.identifiers import Identifier
from app.register.answer import Moment, assemble
from app.register.programme import PROGRAMMES
from app.register.rules import Standing
from app.status_api.map_values import SUM_SIZE
from app.status_api.schemas import GivenStatus

# How far the clocks of one host may seem to go back between rendering and a look-up.
MARGIN: Final = timedelta(minutes=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOR_EVER: Final = 2**63 - 1
SUBJECT_SIZE: Final = 64
UNKNOWN_SUBJECT: Final = b"0" * SUBJECT_SIZE
"""Instead of a keyed hash: whoever records a look-up makes it."""
_MICROSECOND: Final = timedelta(microseconds=1)
_PIECE: Final = Struct("<qq3sBBH")
_SIZE: Final = _PIECE.size
_STANDINGS: Final = b',"standings":['
_VARIES: Final = b'"effective_from":'
_PARTNER: Final = b'"partner_id":"'
_PARTNER_LENGTH: Final = 36
_NOTHING_COMES: Final = b',"next_change_at":null'
_NO_END: Final = b',"effective_until":null}]}'
_BETWEEN: Final = b"\0"
_INSTANT: Final = 8
# No text of JSON has these in it: they stand for what is before the partner, after it, and at the end.
HEAD_MARK: Final = b"\x04"
MIDDLE_MARK: Final = b"\x05"
END_MARK: Final = b"\x06"
PIECES_MARK: Final = b"\x07"
CODE_SIZE: Final = 3
PIECES: Final = bytes(CODE_SIZE)
"""Instead of the code of a template: the value has pieces, each with its own."""
LETTERS: Final = {b"active": b"a", b"not_active": b"n", b"not_a_partner": b"u"}
"""The answers as a record of many look-ups has them."""
# A value: keyed hash, letter of the answer, mark, partner, mark, what is its own, mark, code, instant
# from which it holds, checksum.
_BEGINS: Final = SUBJECT_SIZE + 1
_PARTNER_ENDS: Final = _BEGINS + 1 + _PARTNER_LENGTH
_TAIL: Final = -CODE_SIZE - _INSTANT - SUM_SIZE
SUBJECT: Final = slice(0, SUBJECT_SIZE)
RECORDED: Final = slice(0, _PARTNER_ENDS)
TEXT: Final = slice(_BEGINS, _TAIL)
CODE: Final = slice(_TAIL, _TAIL + CODE_SIZE)
SINCE: Final = slice(-_INSTANT - SUM_SIZE, -SUM_SIZE)
_NAMED: Final = slice(_BEGINS + 1, _PARTNER_ENDS)
_OWN: Final = slice(_PARTNER_ENDS + 1, _TAIL - 1)


@dataclass(frozen=True, slots=True)
class Template:
    """The parts that many answers share: before the partner, after it, the standings, the end.

    `word` is the answer itself.
    """

    head: bytes
    tail: bytes
    standings: bytes
    end: bytes
    word: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "word", self.head[10 : self.head.index(b'"', 10)])

    def packed(self) -> bytes:
        """As one value of the map; JSON has no NUL in it."""
        return _BETWEEN.join((self.head, self.tail, self.standings, self.end))

    @classmethod
    def of(cls, packed: bytes) -> "Template":
        return cls(*packed.split(_BETWEEN))


NOBODY: Final = Template(
    b'"answer":"not_a_partner","partner_id":null,', b"", _NOTHING_COMES + b',"standings":[]}', b""
)
"""The answer about a well-formed identifier that nobody holds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer over one span, `since` and `until` in microseconds of the epoch, half-open.

    `partner` is the one that it names, `coming` the next change if there is one, `own` what
    stands in the standings and in no template.
    """

    since: int
    until: int
    template: Template
    partner: bytes
    coming: bytes
    own: bytes

    @property
    def is_nobody(self) -> bool:
        return self.template == NOBODY and not (self.partner or self.coming or self.own)


class OutOfTimeError(Exception):
    """The instant lies before everything that was rendered: a clock has gone back."""


def microseconds(at: datetime) -> int:
    """The instant as whole microseconds of the epoch."""
    return (at - EPOCH) // _MICROSECOND


def text_of(at: datetime) -> bytes:
    """The instant as the contract's models write it."""
    return (at.isoformat()[:-6] + "Z").encode()


def instant_text(at: int) -> bytes:
    """The same for microseconds of the epoch: a second is written once, not for each look-up."""
    second, rest = divmod(at, 1_000_000)
    return b"%b.%06dZ" % (_second(second), rest) if rest else _second(second) + b"Z"


@functools.lru_cache(maxsize=4)
def _second(second: int) -> bytes:
    return (EPOCH + timedelta(seconds=second)).isoformat()[:-6].encode()


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
) -> tuple[Template, bytes, bytes, bytes]:
    """The answer at `at`, cut where the parts that depend on the question stand."""
    alive = {
        trader: [one for one in entries if one.effective_until is None or one.effective_until > at]
        for trader, entries in holders.items()
    }
    found = assemble(identifier, alive, Moment(0, at, at, 0), PROGRAMMES)
    whole = GivenStatus.of(found).model_dump_json().encode()
    begin = len(opening(identifier.scheme.value, identifier.shown))
    head, partner, tail = _around_partner(whole[begin : whole.index(b'"seq":', begin)])
    place = whole.index(b',"next_change_at":', begin)
    standings = whole.index(_STANDINGS, place)
    coming, shared = whole[place:standings], b""
    if coming == _NOTHING_COMES:
        coming, shared = b"", coming
    varies = whole.find(_VARIES, standings)
    cut = len(whole) if varies < 0 else varies + len(_VARIES)
    own, end = whole[cut:], b""
    if own.endswith(_NO_END):
        own, end = own.removesuffix(_NO_END), _NO_END
    return Template(head, tail, shared + whole[standings:cut], end), partner, coming, own


def _around_partner(said: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before the partner's id, the id, and what follows; all is before without one."""
    place = said.find(_PARTNER)
    if place < 0:
        return said, b"", b""
    begin = place + len(_PARTNER)
    end = begin + _PARTNER_LENGTH
    return said[:begin], said[begin:end], said[end:]


def opening(scheme: str, shown: str) -> bytes:
    """How an answer about this identifier begins. Canonical values need no escape in JSON."""
    return f'{{"identifier":{{"scheme":"{scheme}","value":"{shown}"}},'.encode()


def packed(
    found: Sequence[Piece], codes: Mapping[Template, bytes], subject: bytes = UNKNOWN_SUBJECT
) -> bytes:
    """The pieces as one value, begun by the keyed hash under which a look-up of it is recorded.

    What holds for ever as it is, as most do, is laid out so that many can be put together by
    joining and replacing: see `app.status_api.joined`.
    """
    [*others, last] = found
    plain = not (others or last.coming) and last.until == FOR_EVER
    if plain and len(last.partner) == _PARTNER_LENGTH and subject != UNKNOWN_SUBJECT:
        return b"".join(
            (
                *(subject, LETTERS[last.template.word], HEAD_MARK, last.partner, MIDDLE_MARK),
                *(last.own, END_MARK, codes[last.template], last.since.to_bytes(_INSTANT, "big")),
            )
        )
    heads = (
        ((one.since, one.until, codes[one.template]), (one.partner, one.coming, one.own))
        for one in found
    )
    return b"".join(
        (
            *(subject, b" ", PIECES_MARK),
            *(_PIECE.pack(*head, *map(len, texts)) + b"".join(texts) for head, texts in heads),
            *(PIECES, bytes(_INSTANT)),
        )
    )


def chosen(value: bytes, at: int) -> tuple[int, bytes, bytes, bytes, bytes]:
    """Of a value with its checksum what holds at `at` (microseconds).

    Until when, the code of the template, partner, coming, own. `OutOfTimeError` when nothing holds.
    """
    if value[_BEGINS] == HEAD_MARK[0]:
        if int.from_bytes(value[SINCE], "big") > at:
            raise OutOfTimeError
        return FOR_EVER, value[CODE], value[_NAMED], b"", value[_OWN]
    place, ends = _BEGINS + 1, len(value) + _TAIL
    while place < ends:
        since, until, code, partner, coming, own = _PIECE.unpack_from(value, place)
        place += _SIZE
        if since <= at < until:
            first = place + partner
            second = first + coming
            return (
                until,
                code,
                value[place:first],
                value[first:second],
                value[second : second + own],
            )
        place += partner + coming + own
    raise OutOfTimeError
