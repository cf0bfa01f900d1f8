"""The lane of bulk look-ups: `POST /api/v1/statuses` in front of Flask, beside that of single ones.

It takes the common case: a token that the lane knows, JSON in the form in which programs write it, no query
but `min_seq`. The rest is Flask's, with the body as it came. A block of look-ups is put together and
recorded as `app.status_api.joined` has it.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from app.kernel.clock import Clock
from app.status_api.common_form import members_of_body
from app.status_api.joined import Joined, Seen, joined
from app.status_api.lane import (
    JSON,
    Environ,
    Headers,
    KnownToken,
    Lane,
    StartResponse,
    Wsgi,
    min_seq_of,
)
from app.status_api.lookups import LookupRecord
from app.status_api.recording import LookupRecorder
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import instant_text
from app.status_api.schemas import MOST_IDENTIFIERS

LONGEST_BODY: Final = 4 * 1024 * 1024
MOST_DIGITS: Final = 7
KINDS: Final = frozenset({JSON, f"{JSON}; charset=utf-8"})


class BulkLane:
    """A WSGI application in front of `ordinary`; `lane` knows the tokens."""

    def __init__(
        self,
        ordinary: Wsgi,
        *,
        lane: Lane,
        reader: MapReader,
        recorder: LookupRecorder,
        record: LookupRecord,
        clock: Clock,
    ) -> None:
        self._ordinary = ordinary
        self._lane = lane
        self._reader = reader
        self._recorder = recorder
        self._record = record
        self._clock = clock

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the ordinary way answer."""
        length = _length_of_plain(environ)
        query = environ.get("QUERY_STRING")
        wanted = min_seq_of(query) if query else 0
        if length is None or wanted is None:
            return self._ordinary(environ, start_response)
        name, token, headers = self._lane.known(environ)
        if token is None or headers is None:
            return self._lane.learn(environ, start_response)
        body = environ["wsgi.input"].read(length)
        told = self._answer(body, name, token, wanted)
        if told is None:
            environ["wsgi.input"] = BytesIO(body)
            return self._ordinary(environ, start_response)
        return _sent(told, headers, start_response)

    def _answer(self, body: bytes, name: bytes, token: KnownToken, wanted: int) -> bytes | None:
        """The body of the answer, recorded; `None` for what is not the common case."""
        members = members_of_body(body)
        if members is None or len(members.keys) > MOST_IDENTIFIERS:
            return None
        at = self._clock.microseconds()
        try:
            seen = Seen(*self._reader.look_all(members.keys))
            if not self._lane.lets(name, token, seen.meta, at, wanted):
                return None
            told: Joined | None = joined(
                self._reader, members, seen, self._record, at=at, between=b","
            )
        except StaleMapError:
            return None
        if told is None:
            return None
        self._recorder.count_one(token.caller)
        self._recorder.note_blocks(
            told.recorded, instant_text(at), token.caller.column, seen.meta.seq
        )
        first, *others = told.parts
        pairs = (one for part in others for one in (b",", part))
        return b"".join((b'{"statuses":[', first, *pairs, b"]}"))


def _sent(body: bytes, headers: Headers, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(body))), *headers])
    return [body]


def _length_of_plain(environ: Environ) -> int | None:
    """How long the body is, if it is the JSON of a program without anything that changes it."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (
        environ["REQUEST_METHOD"] == "POST"
        and not environ.get("SCRIPT_NAME")
        and environ.get("CONTENT_TYPE") in KINDS
        and "HTTP_COOKIE" not in environ
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_CONTENT_ENCODING" not in environ
        and "HTTP_FORWARDED" not in environ
        and length.isascii()
        and length.isdigit()
        and len(length) <= MOST_DIGITS
    ):
        return None
    return int(length) if int(length) <= LONGEST_BODY else None
