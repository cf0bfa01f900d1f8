"""The fast lane: `GET /api/v1/partners/{scheme}/{value}/status` in front of Flask.

It answers the common case alone: a token that the ordinary way has accepted before, a canonical
identifier, no query but `min_seq`, a map that is confirmed. Everything else, and every refusal, is
Flask's, whose view at the same address answers from the same function byte for byte. On a warm
request nothing is signed, no token verified, nothing logged, no SQL sent.

A token is remembered by its hash until it is over. What ends before its time reaches the lane by
the map, whose counter of clients makes it look again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from app.identity.scopes import Audience
from app.identity.tokens import Signer, TokenRefusedError
from app.kernel.clock import Clock
from app.kernel.identifiers import MalformedIdentifierError, Scheme, parse
from app.status_api.answering import Found, put_together
from app.status_api.credentials import KnownCredential
from app.status_api.lookups import LookupRecord, looks_personal
from app.status_api.map_values import CREDENTIAL, DENIAL, Meta
from app.status_api.recording import Caller, LookupRecorder, line
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import UNKNOWN_SUBJECT, instant_text, microseconds, opening
from app.status_api.schemas import HIGHEST_SEQ
from app.status_api.signing import StatusSigner
from app.web.headers import security_headers
from app.web.requests import LANE

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]

SUFFIX: Final = "/status"
SCOPE: Final = "status:read"
JSON: Final = "application/json"
SIGNED: Final = "application/jwt"
PLAIN: Final = frozenset({None, "*/*", JSON})
MIN_SEQ: Final = "min_seq="
LONGEST_PATH: Final = 200
MOST_TOKENS: Final = 20_000
MOST_WAYS: Final = 100
MOST_DIGITS: Final = 19
_SCHEMES: Final = {one.value: one for one in Scheme}
_BEGIN: Final = len(LANE)
_END: Final = -len(SUFFIX)
_ONLY_SECURE: Final = "Strict-Transport-Security"


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that the ordinary way accepted; `until` in microseconds.

    `clients` is the state of the map's clients at which it was last found to be live.
    """

    jti: str
    public_id: str
    caller: Caller
    until: int
    clients: int


class Lane:
    """A WSGI application in front of another, `ordinary`, which it hands the uncommon to.

    `behind_proxy` says whether what proxies say about the request is believed by `ordinary`.
    """

    def __init__(
        self,
        ordinary: Wsgi,
        *,
        reader: MapReader,
        recorder: LookupRecorder,
        record: LookupRecord,
        tokens: Signer,
        answers: StatusSigner,
        clock: Clock,
        behind_proxy: bool,
    ) -> None:
        self._ordinary = ordinary
        self._reader = reader
        self._recorder = recorder
        self._record = record
        self._signer = tokens
        self._answers = answers
        self._clock = clock
        self._behind_proxy = behind_proxy
        self._tokens: dict[bytes, KnownToken] = {}
        self._ways: dict[object, Headers] = {}
        self._headers = {
            secured: security_headers(page=False, secure=secured) for secured in (False, True)
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the ordinary way answer and learn from it."""
        path = environ["PATH_INFO"]
        if not _is_plain(environ, path):
            return self._ordinary(environ, start_response)
        name, token, headers = self.known(environ)
        if token is None or headers is None:
            return self.learn(environ, start_response)
        accept = environ.get("HTTP_ACCEPT")
        if accept not in PLAIN:
            body = self._answer(environ, path, name, token, signed=True)
            kind = SIGNED
        else:
            body = self._answer(environ, path, name, token, signed=False)
            kind = JSON
        if body is None:
            return self._ordinary(environ, start_response)
        start_response(
            "200 OK",
            [("Content-Type", kind), ("Content-Length", str(len(body))), *headers],
        )
        return [body]

    def known(self, environ: Environ) -> tuple[bytes, KnownToken | None, Headers | None]:
        """The hash of what is presented, and what is known of it and of the way it came."""
        way = _way_of(environ) if self._behind_proxy else environ.get("HTTP_HOST")
        name = sha256(environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")).digest()
        return name, self._tokens.get(name), self._ways.get(way)

    def _answer(
        self, environ: Environ, path: str, name: bytes, token: KnownToken, *, signed: bool
    ) -> bytes | None:
        """The body, recorded; `None` for everything that is not the common case."""
        if signed and environ["HTTP_ACCEPT"] != SIGNED:
            return None
        query = environ.get("QUERY_STRING")
        wanted = min_seq_of(query) if query else 0
        if wanted is None:
            return None
        at = self._clock.microseconds()
        as_of = instant_text(at)
        named = path[_BEGIN:_END]
        try:
            found = self._look_up(name, token, named, at, as_of, wanted)
        except StaleMapError:
            return None
        if found is None:
            return None
        body = found.body
        if signed:
            scheme, _, value = named.partition("/")
            asked = (scheme, value, token.public_id, found.seq, found.until)
            kept = self._answers.kept(asked, at / 1e6)
            if kept is None:
                return None
            body = kept.encode()
        if found.subject == UNKNOWN_SUBJECT:
            subject = self._record.subject(*named.split("/", 1)).encode()
        else:
            subject = found.subject
        caller = token.caller
        self._recorder.put_quickly(
            line(as_of, caller.column, subject, found.word, found.named, found.seq), caller
        )
        return body

    def _look_up(
        self, name: bytes, token: KnownToken, named: str, at: int, as_of: bytes, wanted: int
    ) -> Found | None:
        """What the map says of `named`, scheme and value with a slash between, as in the address."""
        meta, value, age = self._reader.look(f"/{named}".encode())
        if not self.lets(name, token, meta, at, wanted):
            return None
        scheme, _, value_of = named.partition("/")
        if value is None and not _is_canonical(scheme, value_of):
            return None
        return put_together(self._reader, meta, value, opening(scheme, value_of), at, as_of, age)

    def lets(self, name: bytes, token: KnownToken, meta: Meta, at: int, wanted: int) -> bool:
        """Whether the token is good, the quota not reached, and records can be written."""
        if meta.clients != token.clients and not self._lives(name, token, meta.clients):
            return False
        if at >= token.until or meta.seq < wanted:
            return False
        recorder = self._recorder
        ends = recorder.over_quota.get(token.caller.client_id) if recorder.over_quota else None
        return (ends is None or at >= microseconds(ends)) and recorder.can_write()

    def _lives(self, name: bytes, token: KnownToken, clients: int) -> bool:
        """Whether client, credential and token are good by the map; remembered for this state."""
        _, [credential, denied] = self._reader.read(
            CREDENTIAL + token.caller.credential_id.bytes, DENIAL + token.jti.encode()
        )
        known = None if credential is None else KnownCredential.of(credential)
        if denied is not None or known is None or SCOPE not in known.scopes:
            self._tokens.pop(name, None)
            return False
        until = token.until if known.until is None else min(token.until, known.until)
        self._tokens[name] = replace(token, until=until, clients=clients)
        return until > self._clock.microseconds()

    def learn(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let the ordinary way judge; what it answers to, the lane answers the next time."""
        way = _way_of(environ) if self._behind_proxy else environ.get("HTTP_HOST")
        presented = environ.get("HTTP_AUTHORIZATION", "")
        sent: list[tuple[str, Headers]] = []

        def noted(status: str, headers: Headers, *more: object) -> Any:  # noqa: ANN401 - as the server has it.
            sent.append((status, headers))
            return start_response(status, headers, *more)

        body = self._ordinary(environ, noted)
        if sent and sent[-1][0].startswith("200"):
            secured = any(one == _ONLY_SECURE for one, _ in sent[-1][1])
            self._remember(way, presented, secured=secured)
        return body

    def _remember(self, way: object, presented: str, *, secured: bool) -> None:
        now = self._clock.now()
        try:
            claims = self._signer.read(
                presented.partition(" ")[2].strip(), now=now, audience=Audience.INTERNAL
            )
            _, [kept] = self._reader.read(CREDENTIAL + claims.credential_id.bytes)
        except (TokenRefusedError, StaleMapError):
            return
        if kept is None:
            return
        if len(self._tokens) >= MOST_TOKENS:
            self._tokens.clear()
        if len(self._ways) >= MOST_WAYS:
            self._ways.clear()
        self._ways[way] = self._headers[secured]
        known = KnownCredential.of(kept)
        self._tokens[sha256(presented.encode("latin-1")).digest()] = KnownToken(
            jti=claims.jti,
            public_id=claims.client_id,
            caller=Caller.of(known.client_id, claims.credential_id),
            until=microseconds(claims.expires_at),
            # No state of the map: the first request looks.
            clients=-1,
        )


def _is_plain(environ: Environ, path: str) -> bool:
    """Whether it is a GET of a look-up without a body and without anything that changes it."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and path.endswith(SUFFIX)
        and len(path) < LONGEST_PATH
        and not environ.get("SCRIPT_NAME")
        and environ.get("CONTENT_LENGTH") in {None, "", "0"}
        and "HTTP_COOKIE" not in environ
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_FORWARDED" not in environ
    )


def _way_of(environ: Environ) -> object:
    """By what name, and encrypted or not, as any number of proxies tells it.

    Whoever comes the same way again is answered alike.
    """
    return (
        environ.get("HTTP_HOST"),
        environ.get("HTTP_X_FORWARDED_HOST"),
        environ.get("HTTP_X_FORWARDED_PROTO"),
        environ["wsgi.url_scheme"],
    )


def min_seq_of(query: str) -> int | None:
    """The change that the program has seen; `None` for a query that is not just that."""
    digits = query[len(MIN_SEQ) :]
    if not query.startswith(MIN_SEQ) or not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) > MOST_DIGITS or int(digits) > HIGHEST_SEQ:
        return None
    return int(digits)


def _is_canonical(scheme: str, value: str) -> bool:
    """Whether nobody's identifier is one, written as we write it, and no person's number."""
    try:
        found = parse(_SCHEMES[scheme], value)
    except (KeyError, MalformedIdentifierError):
        return False
    return found.value == value and not found.sensitive and not looks_personal(scheme, value)
