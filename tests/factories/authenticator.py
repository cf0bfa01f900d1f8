"""A device that makes passkeys, in software: honest unless a test tells it to lie."""

import hashlib
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost:8000"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """One key for one site. `count` is what its counter says next."""

    def __init__(self, name: bytes = b"device") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(name).digest()
        self.handle = ""
        self.count = 0

    def create(self, options: dict, *, origin=ORIGIN, rp_id=None, verified=True) -> str:
        """Answer `navigator.credentials.create`."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        data = self._data(rp_id or options["rp"]["id"], verified=verified, more=ATTESTED)
        data += bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        client = self._client("webauthn.create", options, origin)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=encoded(client),
            attestationObject=encoded(attestation),
            transports=["internal", "made-up"],
        )

    def get(
        self, options: dict, *, origin=ORIGIN, rp_id=None, verified=True, handle=None, key=None
    ) -> str:
        """Answer `navigator.credentials.get`."""
        self.count += 1
        data = self._data(rp_id or options["rpId"], verified=verified)
        client = self._client("webauthn.get", options, origin)
        signed = data + hashlib.sha256(client).digest()
        return self._answer(
            clientDataJSON=encoded(client),
            authenticatorData=encoded(data),
            signature=encoded((key or self.key).sign(signed, ec.ECDSA(SHA256()))),
            userHandle=self.handle if handle is None else handle,
        )

    def _data(self, rp_id: str, *, verified: bool, more: int = 0) -> bytes:
        flags = PRESENT | more | (VERIFIED if verified else 0)
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, options: dict, origin: str) -> bytes:
        return json.dumps(
            {"type": kind, "challenge": options["challenge"], "origin": origin}
        ).encode()

    def _answer(self, **response: object) -> str:
        return json.dumps(
            {
                "id": encoded(self.id),
                "rawId": encoded(self.id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
