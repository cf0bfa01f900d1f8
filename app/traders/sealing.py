"""Identifiers of social-security form: encrypted at rest, found by a keyed index.

Three keys are derived from FAIRWAY_SECRET_KEY, one for each purpose. Encryption is AES-SIV
(RFC 5297), which needs no nonce, bound to the row so that a value cannot be moved to another.
Files that hold such identifiers are sealed with keys made from the third, one for each file.
Whoever changes the secret key loses all three: such a change needs a migration of these rows and
files first.
"""

import hashlib
import hmac
import uuid

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.identifiers import Identifier


class NoSealingKeyError(RuntimeError):
    """This process was not given the secret key; always a mistake of the program that began it."""


class Sealer:
    """The keys, derived once from the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESSIV(_derive(secret, b"fairway identifier encryption", 64))
        self._index = _derive(secret, b"fairway identifier index", 32)
        self._files = _derive(secret, b"fairway file encryption", 32)

    def seal(self, value: str, row_id: uuid.UUID) -> bytes:
        """Encrypt for the row `row_id` alone."""
        return self._cipher.encrypt(value.encode(), [row_id.bytes])

    def unseal(self, sealed: bytes, row_id: uuid.UUID) -> str:
        """Decrypt; `cryptography.exceptions.InvalidTag` when row, key or bytes do not fit."""
        return self._cipher.decrypt(sealed, [row_id.bytes]).decode()

    def keyed_hash(self, identifier: Identifier) -> str:
        """HMAC-SHA-256 over scheme and value, in hexadecimal; equal only for equal identifiers."""
        text = f"{identifier.scheme.value}:{identifier.value}"
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()

    def file_key(self, salt: bytes) -> bytes:
        """The key of 32 bytes for the one file that has this random salt."""
        return HKDF(SHA256(), 32, salt=salt, info=b"fairway file").derive(self._files)


_sealers: list[Sealer] = []


def equip(secret: str | None) -> None:
    """Give this process the installation's secret key; the factory and the worker call it once."""
    _sealers[:] = [] if secret is None else [Sealer(secret)]


def sealer() -> Sealer:
    """What `equip` made; `NoSealingKeyError` without it."""
    if not _sealers:
        msg = "No secret key: set FAIRWAY_SECRET_KEY."
        raise NoSealingKeyError(msg)
    return _sealers[0]


def lookup_key(identifier: Identifier) -> str:
    """What equal identifiers of one scheme share: the value, or its keyed hash when sensitive."""
    return sealer().keyed_hash(identifier) if identifier.sensitive else identifier.value


def _derive(secret: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(secret.encode())
