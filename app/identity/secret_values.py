"""The form in which the database keeps a token: never the token itself."""

import hashlib
import hmac


def digest(token: str) -> str:
    """SHA-256 in hexadecimal.

    A plain hash is enough, and a slow one would help nobody: every token that comes here carries
    256 bits of chance, so it cannot be found by trying.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def same(token: str, kept: str) -> bool:
    """Whether `token` is the one that `kept` was made from, in constant time."""
    return hmac.compare_digest(digest(token), kept)
