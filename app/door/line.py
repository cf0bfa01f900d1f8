"""One connection: the name resolved once, the address judged, one end for all that is waited for."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, Final, Self

from app.door.addresses import Address, literal
from app.door.places import DoorError, Place, RefusedError

PIECE: Final = 65_536
# A resolver that hangs holds a thread until the system gives it up; never more than these.
MOST_RESOLVING: Final = 32

Resolve = Callable[[str], Sequence[str]]
"""The numeric addresses of a name, best first; `OSError` when there is none."""

_resolving = threading.BoundedSemaphore(MOST_RESOLVING)


def by_system(name: str) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Line:
    """A connected socket on which every wait ends at one instant.

    Ordinary time-outs begin anew with each byte, so that a peer that drips holds its caller as
    long as it likes. Shaped as much like a socket as `http.client` and `smtplib` ask for.
    """

    def __init__(self, raw: socket.socket, until: float) -> None:
        self._socket = raw
        self.until = until
        self._files = 0
        self._over = False

    def sendall(self, data: bytes) -> None:
        """Send all of it before the end."""
        rest = memoryview(data)
        while rest:
            self._wait()
            rest = rest[self._socket.send(rest[:PIECE]) :]

    def recv_into(self, buffer: Any) -> int:  # noqa: ANN401 - as a socket's.
        """Wait for some bytes, at most until the end."""
        self._wait()
        return self._socket.recv_into(buffer)

    def makefile(self, mode: str = "rb", *_: object) -> io.BufferedReader:
        """What comes, as a file, which can be read to its end after the line was closed."""
        del mode
        self._files += 1
        return io.BufferedReader(_Incoming(self))

    def secured(self, context: ssl.SSLContext, name: str) -> "Line":
        """The same line under TLS; the certificate must be of `name`."""
        self._wait()
        return Line(context.wrap_socket(self._socket, server_hostname=name), self.until)

    def getpeername(self) -> Any:  # noqa: ANN401 - as a socket's.
        """Whom the line reached."""
        return self._socket.getpeername()

    def close(self) -> None:
        """Hang up, once nothing is read from it any more."""
        self._over = True
        if not self._files:
            self._socket.close()

    def left_alone(self) -> None:
        """One file less reads from the line."""
        self._files -= 1
        if self._over:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self) -> None:
        self._socket.settimeout(left(self.until))


class _Incoming(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        return self._line.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._line.left_alone()


def dial(
    place: Place,
    host: str,
    port: int,
    *,
    until: float | None = None,
    resolve: Resolve = by_system,
) -> Line:
    """Connect to a host for a purpose; the host itself is on the place's list, or the operator's.

    In order: resolve the name, once; hold every address it has against the place, and refuse them
    all if one is refused; connect to exactly one of these. `RefusedError` when the place does not
    allow it, `DoorError` when nobody answers.
    """
    until = until or time.monotonic() + place.seconds
    number = literal(host) or literal(f"[{host}]")
    found = [number] if number else _resolved(host, until, resolve)
    if not all(place.admits(one) for one in found):
        raise RefusedError("It is in a network that may not be reached from here.")
    last: OSError | None = None
    for one in found:
        try:
            return _connected(one, port, until)
        except OSError as error:
            last = error
    raise DoorError(f"Nobody answers ({type(last).__name__}).") from last


def dial_here(place: Place, path: str) -> Line:
    """Connect to a socket of this machine's file system, which has no name to resolve."""
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    until = time.monotonic() + place.seconds
    try:
        raw.settimeout(left(until))
        raw.connect(path)
    except OSError:
        raw.close()
        raise
    return Line(raw, until)


def left(until: float) -> float:
    """Seconds left; `TimeoutError` when there are none."""
    rest = until - time.monotonic()
    if rest <= 0:
        raise TimeoutError("It took too long.")
    return rest


def trust() -> ssl.SSLContext:
    """TLS as the machine's certificate store (or `SSL_CERT_FILE`) has it, version 1.2 at least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _connected(address: Address, port: int, until: float) -> Line:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    raw = socket.socket(family, socket.SOCK_STREAM)
    try:
        raw.settimeout(left(until))
        raw.connect((str(address), port))
    except OSError:
        raw.close()
        raise
    return Line(raw, until)


def _resolved(name: str, until: float, resolve: Resolve) -> list[Address]:
    """The addresses of a name. The system's resolver knows no deadline, so another thread asks it."""
    if not _resolving.acquire(timeout=left(until)):
        raise DoorError("Too many names are being resolved.")
    said: list[Sequence[str] | Exception] = []

    def ask() -> None:
        try:
            said.append(resolve(name))
        except (OSError, ValueError) as error:  # A name that IDNA cannot hold is a ValueError.
            said.append(error)
        finally:
            _resolving.release()

    asking = threading.Thread(target=ask, name="resolve", daemon=True)
    asking.start()
    asking.join(left(until))
    answer = said[0] if said else TimeoutError("The name is not resolved in time.")
    if isinstance(answer, Exception):
        raise DoorError(f"Its name cannot be resolved ({type(answer).__name__}).") from answer
    if not answer:
        raise DoorError("Its name has no address.")
    return [ip_address(one) for one in answer]
