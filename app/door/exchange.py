"""One request over HTTP and its answer: no redirects, no proxies, one end, a bounded answer."""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.door.line import Line, Resolve, by_system, dial, left, trust
from app.door.places import DoorError, Place, Target, target

PIECE: Final = 16_384
METHODS: Final = frozenset({"GET", "POST"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered. `whole` is false when the body was longer than the place allows."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool

    def header(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def ask(
    place: Place,
    address: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    resolve: Resolve = by_system,
    tls: ssl.SSLContext | None = None,
) -> Reply:
    """Ask `address` once.

    `RefusedError` when the place does not allow the address, and then nothing was sent;
    `DoorError` when no answer in HTTP came before the place's end. A redirect is an answer like
    any other. What is behind the limit is not read, and not waited for.
    """
    goal, until = target(place, address), time.monotonic() + place.seconds
    if method not in METHODS:
        raise DoorError(f"The door does not know {method}.")
    connection = http.client.HTTPConnection(goal.host, goal.port)
    try:
        connection.sock = _line(place, goal, until, resolve, tls)
        # A connection that broke would otherwise be made anew, past everything that was checked.
        connection.auto_open = 0
        connection.putrequest(method, goal.path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": goal.authority, "Connection": "close", "Accept-Encoding": "identity"}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        for name, value in {**(headers or {}), **sent}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            return _reply(answer, place.most, until)
    except DoorError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DoorError(f"It does not answer as it should ({type(error).__name__}).") from error
    finally:
        connection.close()


def _line(
    place: Place, goal: Target, until: float, resolve: Resolve, tls: ssl.SSLContext | None
) -> Line:
    host = goal.host.removeprefix("[").removesuffix("]")
    line = dial(place, host, goal.port, until=until, resolve=resolve)
    if not goal.tls:
        return line
    try:
        return line.secured(tls or trust(), host)
    except (OSError, ValueError):
        line.close()
        raise


def _reply(answer: http.client.HTTPResponse, most: int, until: float) -> Reply:
    body, whole = bytearray(), True
    while piece := answer.read1(PIECE):
        left(until)
        body += piece
        if len(body) > most:
            whole = False
            break
    if whole and answer.length:
        raise DoorError("Its answer breaks off.")
    return Reply(answer.status, tuple(answer.getheaders()), bytes(body[:most]), whole)
