"""Messages as Standard Webhooks 1.0 writes and signs them (standardwebhooks.com, `v1a`). Pure."""

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHANGED, TEST = "register.changed", "webhook.test"
PUBLIC_PREFIX = "whpk_"


def body_of(
    kind: str, at: datetime, *, after: int, seq: int, changes: Sequence[tuple[int, uuid.UUID]]
) -> str:
    """The text of a message: which changes there were and whom they concern, and nothing of what.

    `changes` are numbers and partners, dense from `after + 1` to `seq`. 200 of them are 15 kB;
    the specification asks for less than 20.
    """
    return json.dumps(
        {
            "type": kind,
            "timestamp": at.isoformat().replace("+00:00", "Z"),
            "data": {
                "after": after,
                "seq": seq,
                "changes": [{"seq": one, "partner_id": str(whom)} for one, whom in changes],
            },
        },
        separators=(",", ":"),
    )


def message_id(delivery_id: uuid.UUID) -> str:
    """By this a receiver knows a message that it has had before."""
    return f"msg_{delivery_id.hex}"


def headers_of(
    delivery_id: uuid.UUID, body: str, at: datetime, keys: Sequence[Ed25519PrivateKey]
) -> dict[str, str]:
    """What goes with the body. The signature is of identifier, instant and body, by each key."""
    name, instant = message_id(delivery_id), str(int(at.timestamp()))
    signed = f"{name}.{instant}.{body}".encode()
    signatures = (base64.b64encode(key.sign(signed)).decode() for key in keys)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Fairway-Webhooks/1",
        "webhook-id": name,
        "webhook-timestamp": instant,
        "webhook-signature": " ".join(f"v1a,{one}" for one in signatures),
    }


def public_text(public_key: bytes) -> str:
    """The public key as receivers' libraries take it."""
    return PUBLIC_PREFIX + base64.b64encode(public_key).decode()
