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
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from app.identity.scopes import Audience
from app.identity.tokens import Signer, TokenRefusedError
from app.kernel.clock import Clock
from app.kernel.identifiers import MalformedIdentifierError, Scheme, parse
from app.status_api.answering import Found, put_together
from app.status_api.lookups import looks_personal
from app.status_api.recording import LookupRecorder, Quick
from app.status_api.register_map import (
    CREDENTIAL,
    DENIAL,
    KnownCredential,
    MapReader,
    StaleMapError,
    identifier_key,
)
from app.status_api.rendering import microseconds, opening, text_of
from app.status_api.schemas import HIGHEST_SEQ
from app.status_api.signing import StatusSigner
from app.web.headers import security_headers
from app.web.requests import LANE

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

SUFFIX: Final = "/status"
SCOPE: Final = "status:read"
PLAIN: Final = frozenset({None, "*/*", "application/json"})
SIGNED: Final = "application/jwt"
MIN_SEQ: Final = "min_seq="
MOST_TOKENS: Final = 20_000
MOST_HOSTS: Final = 100
MOST_DIGITS: Final = 19
_SCHEMES: Final = {one.value: one for one in Scheme}
_UNUSUAL: Final = ("HTTP_COOKIE", "HTTP_TRANSFER_ENCODING", "HTTP_FORWARDED")
"""With one of these headers a request is not the common case."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that the ordinary way accepted; `until` in microseconds.

    `clients` is the state of the map's clients at which it was last found to be live.
    """

    jti: str
    client_id: UUID
    public_id: str
    credential_id: UUID
    until: int
    clients: int


class Lane:
    """A WSGI application in front of another, `ordinary`, which it hands the uncommon to."""

    def __init__(
        self,
        ordinary: Wsgi,
        *,
        reader: MapReader,
        recorder: LookupRecorder,
        tokens: Signer,
        answers: StatusSigner,
        clock: Clock,
        secure: bool,
        proxies: int,
    ) -> None:
        self._ordinary = ordinary
        self._reader = reader
        self._recorder = recorder
        self._signer = tokens
        self._answers = answers
        self._clock = clock
        self._secure = secure
        self._proxies = proxies
        self._tokens: dict[bytes, KnownToken] = {}
        self._hosts: set[str] = set()
        self._headers = {
            secured: security_headers(page=False, secure=secured) for secured in (False, True)
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the ordinary way answer and learn from it."""
        if not _is_plain(environ) or self._proxies > 1:
            return self._ordinary(environ, start_response)
        host, secured = self._reached(environ)
        presented = environ.get("HTTP_AUTHORIZATION", "")
        name = sha256(presented.encode("latin-1")).digest()
        token = self._tokens.get(name)
        if token is None or host not in self._hosts:
            return self._learn(environ, start_response, name, host, presented)
        found = self._answer(environ, name, token)
        if found is None:
            return self._ordinary(environ, start_response)
        body, kind = found
        start_response(
            "200 OK",
            [
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                *self._headers[secured],
            ],
        )
        return [body]

    def _answer(self, environ: Environ, name: bytes, token: KnownToken) -> tuple[bytes, str] | None:
        """Body and media type; `None` for everything that is not the common case."""
        accept = environ.get("HTTP_ACCEPT")
        if accept not in PLAIN and accept != SIGNED:
            return None
        scheme, _, value = environ["PATH_INFO"][len(LANE) : -len(SUFFIX)].partition("/")
        wanted = _min_seq(environ.get("QUERY_STRING"))
        if scheme not in _SCHEMES or wanted is None:
            return None
        now = self._clock.now()
        try:
            found = self._look_up(name, token, scheme, value, now, wanted)
        except StaleMapError:
            return None
        if found is None:
            return None
        if accept == SIGNED:
            asked = (scheme, value, token.public_id, found.seq, found.until)
            signed = self._answers.kept(asked, now.timestamp())
            if signed is None:
                return None
            body, kind = signed.encode(), SIGNED
        else:
            body, kind = found.body, "application/json"
        self._recorder.put_quickly(
            Quick(
                text_of(now),
                token.client_id,
                token.credential_id,
                (scheme, value),
                found.said,
                found.seq,
            )
        )
        return body, kind

    def _look_up(
        self, name: bytes, token: KnownToken, scheme: str, value: str, now: datetime, wanted: int
    ) -> Found | None:
        key = identifier_key(scheme, value, sensitive=False)
        meta, [kept] = self._reader.read(key)
        if meta.clients != token.clients and not self._lives(name, token, meta.clients):
            return None
        instant = microseconds(now)
        if instant >= token.until or meta.seq < wanted:
            return None
        ends = self._recorder.over_quota.get(token.client_id)
        if (ends is not None and now < ends) or not self._recorder.can_write():
            return None
        if kept is None and not _is_canonical(scheme, value):
            return None
        return put_together(self._reader, meta, kept, opening(scheme, value), now)

    def _lives(self, name: bytes, token: KnownToken, clients: int) -> bool:
        """Whether client, credential and token are good by the map; remembered for this state."""
        _, [credential, denied] = self._reader.read(
            CREDENTIAL + token.credential_id.bytes, DENIAL + token.jti.encode()
        )
        known = None if credential is None else KnownCredential.of(credential)
        if denied is not None or known is None or SCOPE not in known.scopes:
            self._tokens.pop(name, None)
            return False
        until = token.until if known.until is None else min(token.until, known.until)
        self._tokens[name] = replace(token, until=until, clients=clients)
        return until > microseconds(self._clock.now())

    def _learn(
        self,
        environ: Environ,
        start_response: StartResponse,
        name: bytes,
        host: str,
        presented: str,
    ) -> Iterable[bytes]:
        """Let the ordinary way judge; what it answers to, the lane answers the next time."""
        lines: list[str] = []

        def noted(line: str, *more: object) -> Any:  # noqa: ANN401 - as the server has it.
            lines.append(line)
            return start_response(line, *more)

        body = self._ordinary(environ, noted)
        if lines and lines[-1].startswith("200"):
            self._remember(name, host, presented)
        return body

    def _remember(self, name: bytes, host: str, presented: str) -> None:
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
        if len(self._hosts) >= MOST_HOSTS:
            self._hosts.clear()
        self._hosts.add(host)
        known = KnownCredential.of(kept)
        self._tokens[name] = KnownToken(
            jti=claims.jti,
            client_id=known.client_id,
            public_id=claims.client_id,
            credential_id=claims.credential_id,
            until=microseconds(claims.expires_at),
            # No state of the map: the first request looks.
            clients=-1,
        )

    def _reached(self, environ: Environ) -> tuple[str, bool]:
        """By which host the request came, and whether encrypted, as the one trusted proxy says."""
        host, scheme = environ.get("HTTP_HOST", ""), environ.get("wsgi.url_scheme")
        if self._proxies:
            host = environ.get("HTTP_X_FORWARDED_HOST", host)
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", scheme)
        return host, self._secure or scheme == "https"


def _is_plain(environ: Environ) -> bool:
    """Whether it is a GET of a look-up without a body and without anything that changes it."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["PATH_INFO"].endswith(SUFFIX)
        and not environ.get("SCRIPT_NAME")
        and environ.get("CONTENT_LENGTH") in {None, "", "0"}
        and not any(one in environ for one in _UNUSUAL)
    )


def _min_seq(query: str | None) -> int | None:
    """The change that the program has seen, 0 for none; `None` for a query that is not just that."""
    if not query:
        return 0
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
    except MalformedIdentifierError:
        return False
    return found.value == value and not found.sensitive and not looks_personal(scheme, value)
