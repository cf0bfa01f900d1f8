"""Reading the questions of bulk look-ups in the form in which programs write them.

JSON of one shape, without a backslash and without a control character, is cut at what stands between its
texts: a few passes over the body instead of an object for each member. What is not recognised is no fault;
it goes the ordinary way, which reads any JSON and refuses what is to be refused.

Why this cannot misread: the texts that are left hold no quotation mark, no backslash and no control
character, and between them stand, in turn, exactly the marks of one form. So the body is those texts in
that form and nothing else, each member with each name once.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

LONGEST_KEY: Final = 200
NAME_ENDS: Final = b"\1"
"""Stands between scheme and value of an asked name."""
_NEXT: Final = b"\2"
_OTHER_CONTROLS: Final = bytes(one for one in range(32) if one not in (1, 2))
_NO_MARKS: Final = bytes(one for one in range(256) if one not in (1, 2))


class Members(NamedTuple):
    """What is asked about: where the map would have it, and scheme and value as they were written."""

    keys: list[bytes]
    names: list[bytes]


class _Form(NamedTuple):
    begin: bytes
    end: bytes
    between: bytes
    within: bytes


_BODIES: Final = (
    _Form(b'{"identifiers":[{"scheme":"', b'"}]}', b'"},{"scheme":"', b'","value":"'),
    _Form(b'{"identifiers": [{"scheme": "', b'"}]}', b'"}, {"scheme": "', b'", "value": "'),
)
_LINES: Final = (
    _Form(b'{"scheme":"', b'"}', b'"}\n{"scheme":"', b'","value":"'),
    _Form(b'{"scheme": "', b'"}', b'"}\n{"scheme": "', b'", "value": "'),
)


def members_of_body(body: bytes) -> Members | None:
    """The members of `{"identifiers":[…]}`, at least one; `None` for any other form."""
    for form in _BODIES:
        if body.startswith(form.begin):
            return _cut(body, form)
    return None


def members_of_lines(lines: Sequence[bytes | None]) -> Members | None:
    """The same for lines that hold one member each."""
    if None in lines:
        return None
    body = b"\n".join(lines)  # type: ignore[arg-type] # None was looked for.
    for form in _LINES:
        if body.startswith(form.begin):
            return _cut(body, form)
    return None


def _cut(body: bytes, form: _Form) -> Members | None:
    if not body.endswith(form.end) or NAME_ENDS in body or _NEXT in body:
        return None
    texts = body[len(form.begin) : -len(form.end)]
    texts = texts.replace(form.between, _NEXT).replace(form.within, NAME_ENDS)
    if b'"' in texts or b"\\" in texts:
        return None
    if len(texts.translate(None, _OTHER_CONTROLS)) != len(texts):
        return None
    marks = texts.translate(None, _NO_MARKS)
    count = (len(marks) + 1) // 2
    if marks != NAME_ENDS + (_NEXT + NAME_ENDS) * (count - 1):
        return None
    keys = b"/" + texts.replace(NAME_ENDS, b"/").replace(_NEXT, _NEXT + b"/")
    found = Members(keys.split(_NEXT), texts.split(_NEXT))
    return found if max(map(len, found.keys)) < LONGEST_KEY else None
