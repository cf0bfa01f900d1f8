"""A server on a real socket that answers as it is told to: honestly, or with one lie."""

import base64
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from joserfc.jwk import KeySet, OKPKey

CLIENT_ID = "release-system"
ASKED = ("ior", "12-345678900")
Claims = dict[str, Any]
Raw = bytes | list[bytes]


def make_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)


def part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def http(
    body: bytes, *, status: str = "200 OK", media: str = "application/jwt", **more: str
) -> bytes:
    fields = {
        "Content-Type": media,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **more,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def listed(body: bytes, **more: str) -> bytes:
    return http(body, media="application/statuslist+jwt", **more)


def fed(page: object) -> bytes:
    return http(json.dumps(page).encode(), media="application/json")


@dataclass
class LyingServer:
    """`lie` makes the bytes of a status answer; without one the answer is honest.

    A list of bytes is sent a part each tenth of a second.
    """

    key: OKPKey = field(default_factory=make_key)
    lie: Callable[["LyingServer"], Raw] | None = None
    list_lie: Callable[["LyingServer"], Raw] | None = None
    token_answer: Callable[["LyingServer"], Raw] | None = None
    feed: Callable[["LyingServer"], Raw] | None = None
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A waiting accept is not ended by a close alone.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_keys(self) -> dict[str, Any]:
        return KeySet([self.key]).as_dict(private=False)

    def claims(self, **changed: Any) -> Claims:
        now = int(time.time())
        return {
            "identifier": {"scheme": ASKED[0], "value": ASKED[1]},
            "answer": "active",
            "partner_id": "0192f1f0-0000-7000-8000-000000000001",
            "seq": 41,
            "as_of": instant(now),
            "known_at": instant(now),
            "data_age_ms": 0,
            "next_change_at": None,
            "standings": [
                {
                    "programme": "security",
                    "tier": 3,
                    "status": "validated",
                    "restrictions": [],
                    "benefits": ["front-of-line"],
                    "effective_from": instant(now - 86_400),
                    "effective_until": None,
                }
            ],
            "iss": self.address,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "status": {"status_list": {"idx": 41, "uri": f"{self.address}/api/v1/status-list"}},
            **changed,
        }

    def list_claims(self, entries: dict[int, int] | None = None, **changed: Any) -> Claims:
        """A list up to change 41, of which the last one stands; the rest is filled up."""
        now = int(time.time())
        content = bytearray(b"\x55" * 11)
        for index, value in ({41: 0} if entries is None else entries).items():
            place = index % 4 * 2
            content[index // 4] = content[index // 4] & ~(3 << place) | value << place
        return {
            "iss": self.address,
            "sub": f"{self.address}/api/v1/status-list",
            "iat": now,
            "exp": now + 900,
            "ttl": 60,
            "seq": 41,
            "status_list": {"bits": 2, "lst": part(zlib.compress(bytes(content))).decode()},
            **changed,
        }

    def standing(self, **changed: Any) -> Claims:
        claims = self.claims()
        return self.claims(standings=[{**claims["standings"][0], **changed}])

    def signed(self, claims: Claims | bytes, *, key: OKPKey | None = None, **header: Any) -> bytes:
        """A compact JWS by the plain primitive, which signs what no library would."""
        protected = {"alg": "Ed25519", "typ": "partner-status+jwt", "kid": self.key.kid, **header}
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        said = part(json.dumps(protected).encode()) + b"." + part(payload)
        return said + b"." + part((key or self.key).private_key.sign(said))

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                said = connection.recv(65_536).decode("latin-1")
                line = said.partition("\r\n")[0]
                self.asked.append(line)
                parts = self._told(line)
                for part in [parts] if isinstance(parts, bytes) else parts:
                    connection.sendall(part)
                    if not isinstance(parts, bytes):
                        time.sleep(0.1)
            except OSError:
                return

    def _told(self, line: str) -> Raw:
        if line.startswith("POST /oauth/token"):
            if self.token_answer is not None:
                return self.token_answer(self)
            given = {"access_token": "good", "token_type": "Bearer", "expires_in": 600}
            return http(json.dumps(given).encode(), media="application/json")
        if line.startswith("GET /api/v1/status-list"):
            if self.list_lie is not None:
                return self.list_lie(self)
            return listed(self.signed(self.list_claims(), typ="statuslist+jwt"))
        if line.startswith("GET /api/v1/changes") and self.feed is not None:
            return self.feed(self)
        return http(self.signed(self.claims())) if self.lie is None else self.lie(self)
