"""The only source of identifiers and of chance."""

import secrets
import threading
import time
import uuid

_making = threading.Lock()
_last = 0


def new_id() -> uuid.UUID:
    """A version 7 UUID (RFC 9562, method 3): milliseconds, 12 bits of their fraction, 62 of chance.

    What one process makes later sorts later, even within a microsecond or after its clock was set
    back, so rows in the order of their ids are in the order in which they were made. The value is
    not a secret.
    """
    global _last  # noqa: PLW0603 - the stamp last given is the process's own.
    with _making:
        _last = stamp = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
    milliseconds, fraction = divmod(stamp, 4096)
    head = milliseconds << 16 | 0x7 << 12 | fraction
    return uuid.UUID(int=head << 64 | 0b10 << 62 | secrets.randbits(62))


def new_token() -> str:
    """An unguessable URL-safe token of 256 bits."""
    return secrets.token_urlsafe(32)


def chance() -> float:
    """A number of 0 and more and below 1, for what must not happen to all at once."""
    return secrets.randbelow(1 << 53) / (1 << 53)
