"""What is drawn at random, and how people's numbers are kept: keys from the installation's secret.

The draw of the random sample is a keyed hash of who asks and of what the transaction holds. The
caller has no key, so it can neither foresee a draw nor choose one; the same shipment under another
transaction id draws the same (ADR 10).
"""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.facilitation.transactions import canonical_json

OUT_OF = 1_000_000
# The ids that the caller gives, and what the targeting system and holds say of a shipment, are
# not the shipment. They stay out, so that asking again with another id or score draws the same.
NOT_THE_SHIPMENT = frozenset({"transaction_id", "filing_id", "risk_score", "holds"})


def derived_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, from the installation's secret (RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())


class Chance:
    """The keys that decisions need, derived once from the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._sample = derived_key(secret, "fairway random sample")
        self._text = derived_key(secret, "fairway malformed identifier")

    def draw(self, client_id: uuid.UUID, transaction: Mapping[str, Any]) -> int:
        """A number from 0 up to `OUT_OF`, the same whenever this client asks of this shipment.

        `transaction` is in its canonical form (see `app.facilitation.transactions`).
        """
        shipment = {k: v for k, v in transaction.items() if k not in NOT_THE_SHIPMENT}
        message = client_id.bytes + canonical_json(shipment)
        digest = hmac.new(self._sample, message, hashlib.sha256).digest()
        return int.from_bytes(digest[:16]) % OUT_OF

    def keyed_text(self, text: str) -> str:
        """HMAC-SHA-256 in hexadecimal: tells malformed values apart without keeping them."""
        return hmac.new(self._text, text.encode(), hashlib.sha256).hexdigest()
