"""One HTTP exchange under one deadline, of the standard library alone.

A limit on each read is not enough: whoever sends a byte now and then would hold the caller for
ever. So every wait on the socket gets only what is left of the whole. (Only the resolution of the
host's name is outside of it: the operating system gives no limit for that.)
"""

import io
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from fairway_client.answer import UnusableError

LARGEST_BODY = 256 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    status: int
    media: str
    body: bytes


class _Waiting(io.RawIOBase):
    """Reads a socket as long as the deadline allows."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        super().__init__()
        self._sock = sock
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer.
        self._sock.settimeout(left(self._until))
        return self._sock.recv_into(buffer)


class _Socket:
    """As much of a socket as `http.client` uses, under the deadline."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(left(self._until))
        self._sock.sendall(data)

    def makefile(self, *_arguments: object) -> io.BufferedReader:
        return io.BufferedReader(_Waiting(self._sock, self._until))

    def close(self) -> None:
        """Nothing: the library closes as soon as it has the head, and the body is still to come."""


def left(until: float) -> float:
    """The seconds that are left until a monotonic instant; `UnusableError("deadline")` if none."""
    remaining = until - time.monotonic()
    if remaining <= 0:
        raise UnusableError("deadline")
    return remaining


def exchange(
    method: str,
    url: str,
    *,
    until: float,
    headers: Mapping[str, str],
    body: bytes | None = None,
    context: ssl.SSLContext | None = None,
    largest: int = LARGEST_BODY,
) -> Reply:
    """Ask once and read the whole answer before the monotonic instant `until`.

    Redirects are answers like any other and never followed. `UnusableError` with `deadline`,
    `transport` or `size`; over plain http only the own host is asked, else `address`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise UnusableError("address")
    connection: HTTPConnection = (
        HTTPSConnection(host, parts.port, timeout=left(until), context=context)
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=left(until))
    )
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    sock: socket.socket | None = None
    try:
        connection.connect()
        sock = connection.sock
        connection.sock = _Socket(sock, until)
        connection.request(method, target, body=body, headers={**headers, "Connection": "close"})
        answered = connection.getresponse()
        found = answered.read(largest + 1)
        if len(found) > largest:
            raise UnusableError("size")
        if answered.length not in (None, 0):
            raise UnusableError("transport")
        media = (answered.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        return Reply(answered.status, media, found)
    except TimeoutError as error:
        raise UnusableError("deadline") from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnusableError("transport") from error
    finally:
        connection.close()
        if sock is not None:
            sock.close()


def fetch_keys(base_url: str, *, seconds: float = 5.0) -> dict[str, Any]:
    """The installation's public status keys, to be kept and given to `Fairway`.

    Fetch them when the system is set up and when a change of keys is announced, not for each
    question: whoever could answer for the installation could then also choose its keys.
    """
    reply = exchange(
        "GET",
        f"{base_url.rstrip('/')}/api/v1/keys",
        until=time.monotonic() + seconds,
        headers={"Accept": "application/json"},
    )
    if reply.status != 200:  # noqa: PLR2004 - OK.
        raise UnusableError("keys")
    found: dict[str, Any] = json.loads(reply.body)
    return found
