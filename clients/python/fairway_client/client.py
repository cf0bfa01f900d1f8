"""Asking for a status: one deadline, one retry, one breaker, and no way to grant by mistake."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from joserfc.jwk import KeySet

from fairway_client.answer import Answer, UnusableError
from fairway_client.breaker import Breaker
from fairway_client.exchange import LARGEST_BODY, Reply, exchange
from fairway_client.feed import FEED_MEDIA, FEED_PATH, LARGEST_PAGE, PAGE, Changes, read_changes
from fairway_client.memory import Memory, Seen
from fairway_client.status_list import LARGEST_LIST, LIST_MEDIA, StatusList, read_list
from fairway_client.verify import LIST_PATH, verified

DEADLINE = 0.5
TRIES = 2
# A token is renewed before its end, so that none runs out on the way.
EARLY = 30
OK, UNAUTHORIZED = 200, 401
SIGNED = "application/jwt"
STATUS, FEED = "status:read", "feed:read"


@dataclass(frozen=True, slots=True)
class Account:
    """How a program proves itself; `issuer` is the address under which the installation signs."""

    client_id: str
    client_secret: str
    token_url: str
    base_url: str
    issuer: str = ""

    @classmethod
    def read(cls, path: str | Path) -> "Account":
        """The account of a JSON file with `client_id, client_secret, token_url, base_url`."""
        found = json.loads(Path(path).read_text("utf-8"))
        names = ("client_id", "client_secret", "token_url", "base_url", "issuer")
        return cls(**{name: found[name] for name in names if name in found})


class Fairway:
    """One installation, asked on behalf of one program. Threads may share it.

    `keys` is the JSON Web Key Set of the installation's status keys (see `fetch_keys`). `deadline`
    is in seconds and covers a question whole, its token and its retry included. `memory` is the path
    of a small file that keeps across restarts how much was seen, so that nobody can play back an
    answer or a list from before; `ValueError` when it is damaged or of another installation.
    """

    def __init__(
        self,
        account: Account,
        *,
        keys: Mapping[str, Any],
        deadline: float = DEADLINE,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        breaker: Breaker | None = None,
        memory: str | Path | None = None,
    ) -> None:
        self._account = account
        self._base = account.base_url.rstrip("/")
        self._issuer = account.issuer or self._base
        self._deadline = deadline
        self._context = context
        self._clock = clock
        self._breaker = breaker or Breaker(time.monotonic)
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._memory = None if memory is None else Memory(memory, self._issuer)
        self._seen = Seen() if self._memory is None else self._memory.seen
        self.trust(keys)

    def trust(self, keys: Mapping[str, Any]) -> None:
        """Believe these keys from now on, and no others."""
        self._keys = KeySet.import_key_set(dict(keys))  # type: ignore[arg-type]

    @property
    def newest(self) -> int:
        """The highest register change that any answer has shown."""
        return self._seen.seq

    def status(self, scheme: str, value: str) -> Answer:
        """What the identifier's holder is now. Never raises for what the other side does.

        Without a verified answer in time it is `unknown`, and `why` is one of `breaker, deadline,
        transport, address, size, token, refused, media, signature, type, key, issuer, audience,
        subject, expired, lifetime, other-instant, rollback, shape, memory`.
        """
        if not self._breaker.lets_through():
            return Answer(why="breaker")
        until = time.monotonic() + self._deadline
        why = "deadline"
        for _ in range(TRIES):
            try:
                found = self._ask(scheme, value, until)
            except UnusableError as error:
                why = error.why
                if why == "deadline":
                    break
            else:
                self._breaker.worked()
                return found
        self._breaker.failed()
        return Answer(why=why)

    def now(self) -> float:
        """The present instant in seconds of Unix time, as this program counts it."""
        return self._clock()

    def status_list(self, *, seconds: float = 10.0) -> StatusList:
        """The newest status list, within `seconds` in all.

        `UnusableError` with one of the words of `status` when there is none to rely on.
        """
        until = time.monotonic() + seconds
        reply = self._get(LIST_PATH, until, LIST_MEDIA, largest=LARGEST_LIST)
        now = self._clock()
        with self._lock:
            found = read_list(
                reply.body,
                self._keys,
                issuer=self._issuer,
                newest=(self._seen.seq, self._seen.listed_at),
                now=now,
            )
            self._saw(Seen(found.seq, found.issued_at))
        return found

    def changes(self, after: int, *, seconds: float = 10.0) -> Changes:
        """A page of the register's changes after the number `after`, within `seconds` in all.

        It is not signed, so it moves nothing that this program relies on. The account needs the
        scope `feed:read`. `UnusableError` with one of the words of `status`.
        """
        until = time.monotonic() + seconds
        path = f"{FEED_PATH}?after={after}&limit={PAGE}"
        reply = self._get(path, until, FEED_MEDIA, largest=LARGEST_PAGE, scope=FEED)
        return read_changes(reply.body, after=after)

    def _ask(self, scheme: str, value: str, until: float) -> Answer:
        path = f"/api/v1/partners/{quote(scheme, safe='')}/{quote(value, safe='')}/status"
        reply = self._get(f"{path}?min_seq={self._seen.seq}", until, SIGNED)
        now = self._clock()
        with self._lock:
            # Compared and raised in one step, so that two threads cannot go back past each other.
            found = verified(
                reply.body,
                self._keys,
                issuer=self._issuer,
                audience=self._account.client_id,
                asked=(scheme, value),
                newest=self._seen.seq,
                now=now,
            )
            self._saw(Seen(seq=found.seq))
        return found

    def _saw(self, seen: Seen) -> None:
        """Raise what was seen; kept first, so that no start knows less than was relied on."""
        seen = self._seen.raised_by(seen)
        self._seen = seen if self._memory is None else self._memory.rise(seen)

    def _get(
        self,
        path: str,
        until: float,
        media: str,
        *,
        largest: int = LARGEST_BODY,
        scope: str = STATUS,
    ) -> Reply:
        reply = self._send(
            "GET",
            self._base + path,
            until,
            {"Authorization": f"Bearer {self._access(until, scope)}", "Accept": media},
            largest=largest,
        )
        if reply.status == UNAUTHORIZED:
            self._tokens.pop(scope, None)
        if reply.status != OK:
            raise UnusableError("refused")
        if reply.media != media:
            raise UnusableError("media")
        return reply

    def _access(self, until: float, scope: str) -> str:
        token, ends = self._tokens.get(scope, ("", 0.0))
        if self._clock() < ends - EARLY:
            return token
        pair = f"{quote(self._account.client_id, safe='')}:{quote(self._account.client_secret, safe='')}"
        reply = self._send(
            "POST",
            self._account.token_url,
            until,
            {
                "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            f"grant_type=client_credentials&scope={quote(scope, safe='')}".encode(),
        )
        try:
            given = json.loads(reply.body)
            token, lasts = given["access_token"], int(given["expires_in"])
        except (ValueError, TypeError, KeyError) as error:
            raise UnusableError("token") from error
        if reply.status != OK or not isinstance(token, str) or not token.isascii():
            raise UnusableError("token")
        self._tokens[scope] = (token, self._clock() + lasts)
        return token

    def _send(
        self,
        method: str,
        url: str,
        until: float,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        largest: int = LARGEST_BODY,
    ) -> Reply:
        return exchange(
            method,
            url,
            until=until,
            headers=headers,
            body=body,
            context=self._context,
            largest=largest,
        )
