"""Signed answers: a status as a JSON Web Token that proves where it came from, and for how long.

The key is apart from the one that signs access tokens, and so is the token's type: neither can be
taken for the other. An answer is good for a minute and never past the next change that is already
known, so that a standing cannot outlive its own end (reference: Token Status List's `exp`, OCSP's
`nextUpdate`, both far longer).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import KeySet

from app.config import Settings
from app.identity.keys import ALGORITHM, keys_dir, load_or_create
from app.status_api.schemas import GivenStatus

TYPE: Final = "partner-status+jwt"
LIFETIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class StatusSigner:
    """The status keys of this installation and the name under which it signs."""

    keys: KeySet
    issuer: str

    @classmethod
    def of(cls, settings: Settings) -> "StatusSigner":
        """The signer of this installation; its key is made at the first start."""
        return cls(load_or_create(keys_dir(settings), "status"), settings.address)

    def sign(self, given: GivenStatus, *, audience: str, now: datetime) -> str:
        """The answer as a compact JWS for one client, `audience` being its public id.

        `exp` is a whole second after `iat`, at most sixty, and never later than `next_change_at`:
        with less than a second left the answer is over as soon as it is given.
        """
        key = self.keys.keys[0]
        issued_at = int(now.timestamp())
        until = now + LIFETIME
        if given.next_change_at is not None:
            until = min(until, given.next_change_at)
        return jwt.encode(
            {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid},
            {
                **given.model_dump(mode="json"),
                "iss": self.issuer,
                "aud": audience,
                "iat": issued_at,
                "exp": min(int(until.timestamp()), issued_at + int(LIFETIME.total_seconds())),
            },
            key,
            algorithms=[ALGORITHM],
        )

    def public(self) -> dict[str, Any]:
        """The JSON Web Key Set by which anybody can verify: no private half."""
        return dict(self.keys.as_dict(private=False))
