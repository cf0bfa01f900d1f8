"""Files that are encrypted at rest: sealed while they arrive, opened while they are read.

A sealed file is a header and chunks of AES-256-GCM (NIST SP 800-38D), each of 1 MiB of plain
bytes and its tag; only the last may be shorter, and an empty file is one empty chunk.

    header   8 bytes of magic, 32 of salt, 16 of tag
    chunk    up to 1 MiB and 16 of tag

Each file has a key of its own, derived from its random salt, so a chunk's nonce is simply its
number and never comes twice under one key. Whether a chunk is the last is authenticated with it.
So a chunk that was altered, left out, repeated, moved or taken from another file is refused, and
so is a file that was cut off at a chunk's end. The header's tag is over the file's name, and a
whole file that stands in another's place is refused before its first byte is given.

Memory is a few chunks, however large the file.
"""

import io
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.documents.files import damaged_file

CHUNK: Final = 1 << 20
TAG: Final = 16
SALT: Final = 32
MAGIC: Final = b"FWSEAL1\n"
HEADER: Final = len(MAGIC) + SALT + TAG

_MORE: Final = b"more"
_LAST: Final = b"last"
_NONCE: Final = 12
# No chunk has this number: a file of so many would be larger than any disk.
_HEADER_NONCE: Final = b"\xff" * _NONCE

FileKey = Callable[[bytes], bytes]
"""Gives the key of 32 bytes that belongs to a file's salt."""


class Seal:
    """Seals what is written to it into `into`, an empty file that can be read and sought in."""

    def __init__(self, into: BinaryIO, file_key: FileKey) -> None:
        self._into = into
        self._held = bytearray()
        self._number = 0
        salt = secrets.token_bytes(SALT)
        self._cipher = AESGCM(file_key(salt))
        # The name holds the digest of what is still to come, so its tag is filled in at the end.
        into.write(MAGIC + salt + bytes(TAG))

    def write(self, data: bytes) -> None:
        """Take the next plain bytes."""
        self._held += data
        while len(self._held) > CHUNK:
            self._seal(bytes(self._held[:CHUNK]), _MORE)
            del self._held[:CHUNK]

    def close(self, name: bytes) -> None:
        """Seal the last chunk and bind the file to its name; without this, nobody can open it."""
        self._seal(bytes(self._held), _LAST)
        self._held.clear()
        self._into.seek(HEADER - TAG)
        self._into.write(self._cipher.encrypt(_HEADER_NONCE, b"", MAGIC + name))
        self._into.seek(0)

    def _seal(self, chunk: bytes, place: bytes) -> None:
        self._into.write(self._cipher.encrypt(_nonce(self._number), chunk, place))
        self._number += 1


def unsealed(sealed: Iterable[bytes], file_key: FileKey, name: bytes) -> BinaryIO:
    """The plain bytes of a sealed file, as a stream that is read once from its beginning.

    `sealed` are its bytes in pieces of any length. Reading raises `UnavailableError` where the
    file is not what was sealed under that name; no byte is given before its chunk was verified,
    and the end is told only after the last one was.
    """
    return cast("BinaryIO", io.BufferedReader(_Pieces(_opened(sealed, file_key, name))))


def _opened(sealed: Iterable[bytes], file_key: FileKey, name: bytes) -> Iterator[bytes]:
    held = bytearray()
    cipher: AESGCM | None = None
    number = 0
    for piece in sealed:
        held += piece
        if cipher is None:
            if len(held) < HEADER:
                continue
            cipher = _begun(bytes(held[:HEADER]), file_key, name)
            del held[:HEADER]
        # A chunk is known not to be the last as soon as anything stands behind it.
        while len(held) > CHUNK + TAG:
            yield _plain(cipher, _nonce(number), bytes(held[: CHUNK + TAG]), _MORE)
            del held[: CHUNK + TAG]
            number += 1
    if cipher is None:
        raise damaged_file()
    yield _plain(cipher, _nonce(number), bytes(held), _LAST)


def _begun(header: bytes, file_key: FileKey, name: bytes) -> AESGCM:
    """The cipher of a file, once its header is known to be the one of that name."""
    rest = header.removeprefix(MAGIC)
    cipher = AESGCM(file_key(rest[:SALT]))
    _plain(cipher, _HEADER_NONCE, rest[SALT:], MAGIC + name)
    return cipher


def _plain(cipher: AESGCM, nonce: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, bound_to)
    except InvalidTag:
        raise damaged_file() from None


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE, "big")


class _Pieces(io.RawIOBase):
    """Pieces of bytes as one raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
