"""The signed list for the time without a line: believed when everything is as promised."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from joserfc.jwk import KeySet

from fairway_client.answer import UnusableError
from fairway_client.verify import LIST_PATH, SKEW, opened, whole

LIST_TYPE = "statuslist+jwt"
LIST_MEDIA = "application/statuslist+jwt"
LONGEST_LIST = 15 * 60
BITS = 2
A_BYTE = 8 // BITS
# 250 million changes; nobody can make a program unpack more than that.
LARGEST_LIST = 64 * 1024 * 1024
VALID = 0


@dataclass(frozen=True, slots=True)
class StatusList:
    """Which versions of answers still stand, until `expires_at` in seconds of Unix time."""

    seq: int
    issued_at: int
    expires_at: int
    entries: bytes

    def stands(self, index: int, *, at: float) -> bool:
        """Whether the answer of that version is still the newest one of its partner, and grants."""
        if not self.issued_at - SKEW <= at < self.expires_at or not 0 <= index <= self.seq:
            return False
        place = BITS * (index % A_BYTE)
        return self.entries[index // A_BYTE] >> place & 0b11 == VALID


def read_list(
    token: bytes, keys: KeySet, *, issuer: str, newest: tuple[int, int], now: float
) -> StatusList:
    """The list that `token` proves at the Unix time `now`.

    `newest` are the highest change and the latest `iat` that this program has seen: a list that
    goes back behind either is refused. `UnusableError` with one word otherwise.
    """
    claims = opened(token, keys, LIST_TYPE)
    issued, until, seq = (whole(claims, name) for name in ("iat", "exp", "seq"))
    if until <= now:
        raise UnusableError("expired")
    if issued > now + SKEW or until - issued > LONGEST_LIST:
        raise UnusableError("lifetime")
    if claims.get("iss") != issuer:
        raise UnusableError("issuer")
    if claims.get("sub") != issuer + LIST_PATH:
        raise UnusableError("subject")
    if seq < newest[0] or issued < newest[1]:
        raise UnusableError("rollback")
    entries = _entries(claims.get("status_list"))
    # One entry for each change, from 0 on: a list that is cut or shifted has another length.
    if len(entries) != seq // A_BYTE + 1:
        raise UnusableError("shape")
    return StatusList(seq, issued, until, entries)


def _entries(found: object) -> bytes:
    if not isinstance(found, Mapping) or found.get("bits") != BITS:
        raise UnusableError("shape")
    try:
        text = str(found.get("lst"))
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacking = zlib.decompressobj()
        entries = unpacking.decompress(packed, LARGEST_LIST)
    except (ValueError, zlib.error) as error:
        raise UnusableError("shape") from error
    if not unpacking.eof or unpacking.unused_data:
        raise UnusableError("shape")
    return entries
