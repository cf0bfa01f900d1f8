"""Access tokens: signed JWTs after RFC 9068, good for ten minutes at one audience."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet

from app.config import Settings
from app.identity.keys import ALGORITHM, keys_dir, load_or_create
from app.identity.scopes import Audience

LIFETIME = timedelta(minutes=10)
TYPE = "at+jwt"
CREDENTIAL = "fairway_credential"


class TokenRefusedError(Exception):
    """The token is not good here; `reason` is one word for the record, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says. `client_id` is the public name, not the row's id.

    `credential_id` is the secret or key that brought the token, which ends together with it.
    """

    jti: str
    client_id: str
    scopes: frozenset[str]
    audience: Audience
    issued_at: datetime
    expires_at: datetime
    credential_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Signer:
    """The keys of the authorisation server and the name under which it signs."""

    keys: KeySet
    issuer: str

    @classmethod
    def of(cls, settings: Settings) -> "Signer":
        """The signer of this installation; its key is made at the first start."""
        return cls(load_or_create(keys_dir(settings), "oauth"), settings.address)

    def issue(
        self,
        *,
        client_id: str,
        scopes: Iterable[str],
        audience: Audience,
        jti: str,
        now: datetime,
        credential_id: uuid.UUID,
    ) -> str:
        """A token from `now` for ten minutes (RFC 9068 §2.2)."""
        key = self.keys.keys[0]
        issued_at = int(now.timestamp())
        return jwt.encode(
            {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid},
            {
                "iss": self.issuer,
                "sub": client_id,
                "client_id": client_id,
                "aud": audience.value,
                "scope": " ".join(sorted(scopes)),
                "jti": jti,
                CREDENTIAL: credential_id.hex,
                "iat": issued_at,
                "exp": issued_at + int(LIFETIME.total_seconds()),
            },
            key,
            algorithms=[ALGORITHM],
        )

    def read(self, token: str, *, now: datetime, audience: Audience | None = None) -> Claims:
        """The claims of a token of ours that is good at `now`, for `audience` if one is given.

        `TokenRefusedError` otherwise. Whether it was revoked is a question for the database.
        """
        try:
            decoded = jwt.decode(token, self.keys, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as error:
            raise TokenRefusedError("malformed") from error
        # RFC 9068 §4: any other signed JWT of this issuer is not an access token.
        if decoded.header.get("typ") != TYPE:
            raise TokenRefusedError("type")
        expected = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=0,
            iss={"essential": True, "value": self.issuer},
            sub={"essential": True},
            aud={"essential": True, "values": [one.value for one in Audience]},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            fairway_credential={"essential": True},
        )
        try:
            expected.validate(decoded.claims)
        except ExpiredTokenError as error:
            raise TokenRefusedError("expired") from error
        except JoseError as error:
            raise TokenRefusedError("claims") from error
        claims = decoded.claims
        if not _well_formed(claims):
            raise TokenRefusedError("claims")
        found = Audience(claims["aud"])
        if audience is not None and found is not audience:
            raise TokenRefusedError("audience")
        return Claims(
            jti=claims["jti"],
            client_id=claims["sub"],
            scopes=frozenset(claims.get("scope", "").split()),
            audience=found,
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            credential_id=uuid.UUID(claims[CREDENTIAL]),
        )


def _well_formed(claims: Mapping[str, Any]) -> bool:
    """Whether the claims have the types that `issue` gives them, and a life that it would give."""
    texts = [claims[name] for name in ("jti", "sub", "aud", CREDENTIAL)]
    if not all(isinstance(one, str) for one in [*texts, claims.get("scope", "")]):
        return False
    issued, ends = claims["iat"], claims["exp"]
    if not (isinstance(issued, int) and isinstance(ends, int)):
        return False
    if ends - issued > LIFETIME.total_seconds():
        return False
    return re.fullmatch(r"[0-9a-f]{32}", claims[CREDENTIAL]) is not None
