"""What stands in the map of the register: its keys, and values that say of themselves whether they are whole."""

import time
from dataclasses import dataclass, field
from struct import Struct
from typing import Final
from zlib import crc32

# All of these stand before identifiers, which begin with a slash as in an address, and come last
# so that a new map can be filled from one end to the other.
META: Final = b"!meta"
FORMAT: Final = b"!format"
TEMPLATE: Final = b"#"
CREDENTIAL: Final = b"$"
DENIAL: Final = b"%"
PERSONAL: Final = b"&"
PLAIN: Final = b"/"
_META: Final = Struct("<qqq")
_SUM: Final = Struct("<I")
SUM_SIZE: Final = _SUM.size
# What CRC-32 gives for anything that is followed by its own sum.
WHOLE: Final = 0x2144DF1C


class DamagedMapError(Exception):
    """The file is not what its writer left; it is built anew."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What the whole map knows: the newest change, its instant as text, and when that was so.

    `beat` is the host's monotonic clock in nanoseconds before the database was asked; 0 refuses.
    `clients` grows with each change of what the map knows about API clients. `before` and `after`
    are what every answer says of it around its own instant.
    """

    seq: int
    known: bytes
    beat: int
    clients: int = 0
    before: bytes = field(init=False, repr=False, compare=False)
    after: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", b'"seq":%d,"as_of":"' % self.seq)
        object.__setattr__(self, "after", b'","known_at":"%b","data_age_ms":' % self.known)

    def age_ns(self) -> int:
        """How long ago the database was asked."""
        return time.monotonic_ns() - self.beat


def identifier_key(scheme: str, lookup_key: str, *, sensitive: bool) -> bytes:
    """The key of an identifier: as in an address, or its keyed hash in a room of its own."""
    return (PERSONAL if sensitive else PLAIN) + f"{scheme}/{lookup_key}".encode()


def sealed(key: bytes, body: bytes) -> bytes:
    """The body with a checksum that is right for this key alone."""
    return body + _SUM.pack(crc32(body, crc32(key)))


def opened(key: bytes, value: bytes) -> bytes:
    """The body; `DamagedMapError` when it is not the one that was written under this key."""
    if crc32(value, crc32(key)) != WHOLE:
        msg = "A value of the map is damaged."
        raise DamagedMapError(msg)
    return value[:-SUM_SIZE]


def meta_of(value: bytes | None) -> Meta:
    """The head of a map; `DamagedMapError` when there is none, or not a whole one."""
    if value is None:
        msg = "The map has no head."
        raise DamagedMapError(msg)
    body = opened(META, value)
    seq, beat, clients = _META.unpack_from(body)
    return Meta(seq, body[_META.size :], beat, clients)


def packed(meta: Meta) -> bytes:
    """The head's body, as `meta_of` reads it again."""
    return _META.pack(meta.seq, meta.beat, meta.clients) + meta.known
