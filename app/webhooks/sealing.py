"""Private keys of webhooks, encrypted at rest: they sign at every delivery, so no hash will do.

The key is derived from FAIRWAY_SECRET_KEY for this purpose alone, as those of authenticator apps are:
AES-SIV (RFC 5297), bound to the row. Whoever changes the secret key has to give every webhook a new key.
"""

import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class KeySeal:
    """Seals for one row; the bytes of another row open nothing."""

    def __init__(self, secret: str) -> None:
        key = HKDF(SHA256(), 64, salt=None, info=b"fairway webhook encryption")
        self._cipher = AESSIV(key.derive(secret.encode()))

    def seal(self, key: Ed25519PrivateKey, row_id: uuid.UUID) -> bytes:
        return self._cipher.encrypt(key.private_bytes_raw(), [row_id.bytes])

    def unseal(self, sealed: bytes, row_id: uuid.UUID) -> Ed25519PrivateKey | None:
        """The key; `None` when it was sealed under another secret or for another row."""
        try:
            return Ed25519PrivateKey.from_private_bytes(
                self._cipher.decrypt(sealed, [row_id.bytes])
            )
        except InvalidTag:
            return None
