"""What the map keeps of the credential by which a program asks."""

import json
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownCredential:
    """A credential that is not revoked, of a client that is active; instants in microseconds."""

    client_id: uuid.UUID
    public_id: str
    scopes: frozenset[str]
    until: int | None

    def packed(self) -> bytes:
        return json.dumps(
            [self.client_id.hex, self.public_id, sorted(self.scopes), self.until]
        ).encode()

    @classmethod
    def of(cls, packed: bytes) -> "KnownCredential":
        client, public, scopes, until = json.loads(packed)
        return cls(uuid.UUID(client), public, frozenset(scopes), until)
