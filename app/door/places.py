"""Where each purpose may go: a place is a rule, and an address of the Web is held against it."""

import re
from dataclasses import dataclass
from typing import Final

from app.door.addresses import (
    Address,
    Network,
    is_inside,
    is_loopback,
    is_public,
    literal,
    within,
)

HTTPS, HTTP = 443, 80
LONGEST: Final = 2000
LONGEST_NAME: Final = 253
MOST_PORT: Final = 65_535
ANY: Final = "*"

# One spelling of an address and no other, so that no two readers can differ about it: no user
# information, no fragment, no blank, no backslash, nothing outside ASCII.
ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,255})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)"
)
NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
# A host whose last part is a number is an address to most resolvers, in a form of forty years ago.
NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


class DoorError(OSError):
    """Nothing came of it: refused, unreachable, too slow, too much. An `OSError` as a socket's."""


class RefusedError(DoorError):
    """The place does not allow this; nothing was sent. The text says why, without the address."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one purpose is allowed.

    `hosts` are names in lower case: exactly this one, `*.` and all below it, or `*` for every
    public name; with `:port` they allow that port instead of the usual one. `inside` lets the
    connection go to the operator's own machine and networks, `networks` to those named, and `plain`
    without TLS to this machine alone, which `ourselves` may name. `seconds` is for the whole
    exchange, resolving included, `most` the bytes of an answer.
    """

    purpose: str
    hosts: tuple[str, ...]
    inside: bool = False
    networks: tuple[Network, ...] = ()
    plain: bool = False
    ourselves: str = ""
    any_port: bool = False
    seconds: float = 10.0
    most: int = 65_536

    def admits(self, address: Address) -> bool:
        """Whether a connection for this purpose may go to an address that a name resolved to."""
        return (
            is_public(address)
            or within(address, self.networks)
            or (self.inside and is_inside(address))
            or (self.plain and is_loopback(address))
        )


@dataclass(frozen=True, slots=True)
class Target:
    """An address that a place allows: what to connect to and what to ask there."""

    host: str
    port: int
    tls: bool
    path: str

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        usual = self.port == (HTTPS if self.tls else HTTP)
        return self.host if usual else f"{self.host}:{self.port}"


def target(place: Place, address: str) -> Target:
    """Read an address as the place allows it; `RefusedError` otherwise.

    What its name resolves to is judged later, when it is resolved: once, by `app.door.line`.
    """
    found = ADDRESS.fullmatch(address) if len(address) <= LONGEST else None
    if found is None:
        raise RefusedError("It is not a plain https address.")
    host, tls = found["host"], found["scheme"] == "https"
    number = literal(host)
    if number is None and (
        NUMBER.fullmatch(host) or not NAME.fullmatch(host) or len(host) > LONGEST_NAME
    ):
        raise RefusedError("Its host is not a name.")
    # The name itself says so, and what it resolves to is held against the same rule once more.
    here = host in {"localhost", place.ourselves} or (number is not None and is_loopback(number))
    if not tls and not (place.plain and here):
        raise RefusedError("It is not an https address.")
    if number is not None and host != place.ourselves and not place.admits(number):
        raise RefusedError("It is in a network that may not be reached from here.")
    port = int(found["port"] or (HTTPS if tls else HTTP))
    if port > MOST_PORT or not _named(place, host, port, HTTPS if tls else HTTP):
        raise RefusedError("Its host is not on the list of those that may be reached.")
    return Target(host, port, tls, _path(found["path"]))


def _path(text: str) -> str:
    return text if text.startswith("/") else f"/{text}"


def _named(place: Place, host: str, port: int, usual: int) -> bool:
    """Whether the list of the place has this host with this port."""
    for entry in place.hosts:
        name, ported = _entry(entry)
        fits = (
            # Whoever allows every name has not meant numbers, nor names without a domain.
            ("." in host and literal(host) is None)
            if name == ANY
            else host.endswith(name[1:])
            if name.startswith("*.")
            else host == name
        )
        if fits and (place.any_port or port == (ported or usual)):
            return True
    return False


def _entry(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.rpartition(":")
    if (
        colon
        and port.isascii()
        and port.isdigit()
        and (not name.startswith("[") or name[-1] == "]")
    ):
        return name, int(port)
    return entry, None
