"""Which addresses may be connected to. Pure: no name is resolved here.

`ipaddress.is_global` is not enough: it is true of NAT64 and 6to4 addresses, behind which any
private IPv4 address can stand, and of multicast. So what is public is written down: the IANA
special-purpose registries (RFC 6890 and its updates), and where clouds keep their secrets.
"""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in text.split())


# Where a cloud tells a machine who it is and gives it keys: nobody's mail server is there.
METADATA: Final = _networks(
    "169.254.0.0/16 fe80::/10 fd00:ec2::254/128 fd20:ce::254/128 168.63.129.16/32"
    " 100.100.100.200/32 192.0.0.192/32"
)
# An operator's own networks: this machine, and those that are routed nowhere else.
INSIDE: Final = _networks(
    "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 ::1/128 fc00::/7"
)
# Of IPv4, whatever does not name one machine of the public Internet.
NOT_PUBLIC: Final = INSIDE + _networks(
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24"
    " 192.88.99.0/24 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24"
    " 224.0.0.0/4 240.0.0.0/4"
)
# Of IPv6, only this much is given out at all, and of it these parts are no machine's own address:
# protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112, documentation again.
GIVEN_OUT: Final = ip_network("2000::/3")
NOT_PUBLIC_6: Final = _networks("2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20")


def is_public(address: Address) -> bool:
    """Whether this is the address of one machine of the public Internet, and of no cloud's own."""
    if within(address, METADATA):
        return False
    if isinstance(address, IPv4Address):
        return not within(address, NOT_PUBLIC)
    return address.scope_id is None and address in GIVEN_OUT and not within(address, NOT_PUBLIC_6)


def is_inside(address: Address) -> bool:
    """Whether this is the operator's own machine or network; a cloud's metadata is neither."""
    return within(address, INSIDE) and not within(address, METADATA)


def is_loopback(address: Address) -> bool:
    """Whether this is the machine itself, in the plain form of its family."""
    return address.is_loopback and not (isinstance(address, IPv6Address) and address.ipv4_mapped)


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address.version == one.version and address in one for one in networks)


def literal(host: str) -> Address | None:
    """The address that a host is written as, in its one usual form; `None` for a name.

    Short, decimal, octal and hexadecimal forms are no literal here and no name either: whoever
    reads a host as a name refuses them (`app.door.places`).
    """
    try:
        found = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    bracketed = host.startswith("[") and host.endswith("]")
    return found if bracketed == (found.version == 6) else None  # noqa: PLR2004 - IPv6.
