"""Keys of authenticator apps, encrypted at rest: they must be read again, so no hash will do.

The key is derived from FAIRWAY_SECRET_KEY, for this purpose alone, in the way in which
identifiers are sealed: AES-SIV (RFC 5297), bound to the row. Whoever changes the secret key makes
every authenticator app useless; its people come back by a recovery code or the agency's link.
"""

import uuid

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class FactorSeal:
    """Seals for one row; another row's bytes are `cryptography.exceptions.InvalidTag`."""

    def __init__(self, secret: str) -> None:
        key = HKDF(SHA256(), 64, salt=None, info=b"fairway authenticator encryption")
        self._cipher = AESSIV(key.derive(secret.encode()))

    def seal(self, value: str, row_id: uuid.UUID) -> bytes:
        return self._cipher.encrypt(value.encode(), [row_id.bytes])

    def unseal(self, sealed: bytes, row_id: uuid.UUID) -> str:
        return self._cipher.decrypt(sealed, [row_id.bytes]).decode()
