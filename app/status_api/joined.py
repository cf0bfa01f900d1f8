"""Many look-ups put together by joining and replacing, without a step of Python for each.

Most values of the map hold for ever as they are (`rendering.packed`): such a value is the answer's own
part, with marks in the place of what many answers share and of what is said of the instant. So the values
of a block are joined as they are, and each mark is replaced once for all that share a template. A mark is
one byte, which is found as fast as memory is read; longer ones are not. What is otherwise, a
date to come or nobody's identifier, is answered alone in its place. Byte for byte it is what
`app.status_api.bulk` answers, which takes everything apart.
"""

from collections.abc import Sequence
from operator import add, itemgetter
from typing import Final, NamedTuple

from app.status_api.answering import key_of
from app.status_api.common_form import NAME_ENDS, Members
from app.status_api.lookups import LookupRecord, identifier_of, malformed
from app.status_api.map_values import DamagedMapError, Meta
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import (
    CODE,
    END_MARK,
    HEAD_MARK,
    LETTERS,
    MIDDLE_MARK,
    NOBODY,
    PIECES,
    RECORDED,
    SINCE,
    SUBJECT,
    TEXT,
    UNKNOWN_SUBJECT,
    OutOfTimeError,
    Template,
    chosen,
    instant_text,
    opening,
)
from app.status_api.schemas import AskedIdentifier

AT_ONCE: Final = 1_000
"""How many are put together at once: more of them would not stay in the processor's cache."""
LONGEST_SCHEME: Final = 20
LONGEST_VALUE: Final = 100
_BEGIN: Final = b'{"identifier":{"scheme":"'
_WITHIN: Final = b'","value":"'
_NAMED: Final = b'"},'
# Between answers that are taken apart again; no text has it.
_CUT: Final = b"\2"
_CODE_OF: Final = itemgetter(CODE)
_TEXT_OF: Final = itemgetter(TEXT)
_RECORDED_OF: Final = itemgetter(RECORDED)
_SINCE_OF: Final = itemgetter(SINCE)


class Seen(NamedTuple):
    """What the map says under the keys of a question, all of one state."""

    meta: Meta
    values: Sequence[bytes | None]
    age: int


class Joined(NamedTuple):
    """Answers as blocks of bytes, and for each block what is recorded: see `models.LookupBlock`."""

    parts: list[bytes]
    recorded: list[bytes]


class _Moment(NamedTuple):
    middle: bytes
    at: int
    since: bytes


def joined(
    reader: MapReader,
    members: Members,
    seen: Seen,
    record: LookupRecord,
    *,
    at: int,
    between: bytes,
) -> Joined | None:
    """The answers at `at` (microseconds), `between` between two of them.

    `None` for what has to be taken apart: a member that is written otherwise than we write it. Raises
    `StaleMapError` as a single look-up.
    """
    meta = seen.meta
    middle = b"%b%b%b%d" % (
        meta.before,
        instant_text(at),
        meta.after,
        max(seen.age, 0) // 1_000_000,
    )
    moment = _Moment(middle, at, at.to_bytes(8, "big"))
    found = Joined([], [])
    try:
        for start in range(0, len(seen.values), AT_ONCE):
            block = slice(start, start + AT_ONCE)
            values = [one or b"" for one in seen.values[block]]
            told = _block(
                reader, members.names[block], members.keys[block], values, record, moment, between
            )
            if told is None:
                return None
            found.parts.append(told[0])
            found.recorded.append(told[1])
    except (OutOfTimeError, DamagedMapError) as error:
        raise StaleMapError from error
    return found


def _block(
    reader: MapReader,
    names: Sequence[bytes],
    keys: Sequence[bytes],
    values: Sequence[bytes],
    record: LookupRecord,
    moment: _Moment,
    between: bytes,
) -> tuple[bytes, bytes] | None:
    codes = [*map(_CODE_OF, values)]
    texts = [*map(add, names, map(_TEXT_OF, values))]
    recorded = [*map(_RECORDED_OF, values)]
    used = set(codes)
    # A clock that has gone back is for `chosen` to judge.
    alone = used if max(map(_SINCE_OF, values)) > moment.since else used & {PIECES, b""}
    if len(used) == 1 and not alone:
        told = _finished(reader, codes[0], (between + _BEGIN).join(texts), moment)
        return _BEGIN + told, b",".join(recorded)
    places: dict[bytes, list[int]] = {code: [] for code in used}
    for place, code in enumerate(codes):
        places[code].append(place)
    for code, those in places.items():
        if code in alone:
            for place in those:
                found = _alone(reader, names[place], keys[place], values[place], record, moment)
                if found is None:
                    return None
                texts[place], recorded[place] = found
            continue
        parts = _finished(reader, code, _CUT.join([texts[place] for place in those]), moment)
        for place, one in zip(those, parts.split(_CUT), strict=True):
            texts[place] = one
    return _BEGIN + (between + _BEGIN).join(texts), b",".join(recorded)


def _finished(reader: MapReader, code: bytes, texts: bytes, moment: _Moment) -> bytes:
    """Texts that share a template, with everything in place of their marks."""
    shared = reader.template(code)
    middle = shared.tail + moment.middle + shared.standings
    return (
        texts.replace(NAME_ENDS, _WITHIN)
        .replace(HEAD_MARK, _NAMED + shared.head)
        .replace(MIDDLE_MARK, middle)
        .replace(END_MARK, shared.end)
    )


def _alone(
    reader: MapReader,
    name: bytes,
    key: bytes,
    value: bytes,
    record: LookupRecord,
    moment: _Moment,
) -> tuple[bytes, bytes] | None:
    """One answer without its beginning, and what is recorded of it."""
    try:
        scheme, _, text = name.decode().partition(NAME_ENDS.decode())
    except UnicodeDecodeError:
        return None
    template: Template = NOBODY
    partner = coming = own = b""
    subject = UNKNOWN_SUBJECT
    if value:
        _until, code, partner, coming, own = chosen(value, moment.at)
        template, subject = reader.template(code), value[SUBJECT]
    else:
        if len(scheme) > LONGEST_SCHEME or len(text) > LONGEST_VALUE:
            return None
        identifier = identifier_of(scheme, text)
        if identifier is None:
            asked = AskedIdentifier(scheme=scheme, value=text)
            said = malformed(asked).model_dump_json().encode()
            return said[len(_BEGIN) :], b"%bm" % record.subject(scheme, text).encode()
        if key_of(identifier) != key:
            return None
    if subject == UNKNOWN_SUBJECT:
        subject = record.subject(scheme, text).encode()
    parts = (template.head, partner, template.tail, moment.middle, coming)
    whole = b"".join((opening(scheme, text), *parts, template.standings, own, template.end))
    kept = (subject, LETTERS[template.word], HEAD_MARK, partner)
    return whole[len(_BEGIN) :], b"".join(kept)
