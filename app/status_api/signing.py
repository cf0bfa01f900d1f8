"""Signed answers: a status as a JSON Web Token that proves where it came from, and for how long.

The key is apart from the one that signs access tokens, and so is the token's type: neither can be
taken for the other. An answer is good for a minute and never past the next change that is already
known, so that a standing cannot outlive its own end (reference: Token Status List's `exp`, OCSP's
`nextUpdate`, both far longer).
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import KeySet

from app.config import Settings
from app.identity.keys import ALGORITHM, keys_dir, load_or_create
from app.status_api.answering import Found
from app.status_api.schemas import GivenStatus

TYPE: Final = "partner-status+jwt"
LIST_TYPE: Final = "statuslist+jwt"
LIST_ADDRESS: Final = "/api/v1/status-list"
LIFETIME: Final = timedelta(seconds=60)
REUSED: Final = timedelta(seconds=30)
LAST_SECOND: Final = timedelta(seconds=1)
MOST_KEPT: Final = 20_000
Asked = tuple[str, str, str, int, int]
"""Scheme, value, audience, the newest change that is known, and until when the answer holds."""
Signed = tuple[float, str]


@dataclass(frozen=True, slots=True)
class StatusSigner:
    """The status keys of this installation and the name under which it signs.

    `given` are answers that were signed already, by who is asked about, who asks, and what is known.
    """

    keys: KeySet
    issuer: str
    given: dict[Asked, Signed] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "StatusSigner":
        """The signer of this installation; its key is made at the first start."""
        return cls(load_or_create(keys_dir(settings), "status"), settings.address)

    @property
    def list_uri(self) -> str:
        """The name of the status list: its address."""
        return f"{self.issuer}{LIST_ADDRESS}"

    def sign(
        self, given: GivenStatus, *, audience: str, now: datetime, version: int | None = None
    ) -> str:
        """The answer as a compact JWS for one client, `audience` being its public id.

        `version` is the number of the partner's newest change: by it the answer refers to its
        place in the status list, as Token Status List has it. Without one nothing refers, and a
        client cannot keep the answer.

        `exp` is a whole second after `iat`, at most sixty, and never later than `next_change_at`:
        with less than a second left the answer is over as soon as it is given.
        """
        key = self.keys.keys[0]
        issued_at = int(now.timestamp())
        until = now + LIFETIME
        if given.next_change_at is not None:
            until = min(until, given.next_change_at)
        reference = {"status_list": {"idx": version, "uri": self.list_uri}}
        return jwt.encode(
            {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid},
            {
                **given.model_dump(mode="json"),
                **({} if version is None else {"status": reference}),
                "iss": self.issuer,
                "aud": audience,
                "iat": issued_at,
                "exp": min(int(until.timestamp()), issued_at + int(LIFETIME.total_seconds())),
            },
            key,
            algorithms=[ALGORITHM],
        )

    def of_found(
        self,
        found: Found,
        identifier: tuple[str, str],
        *,
        audience: str,
        now: datetime,
        version_of: Callable[[uuid.UUID | None, int], int | None],
    ) -> str:
        """The same for an answer from the map: signed when it is first asked for, then as it was.

        `version_of` gives the number of a partner's newest change up to another one.
        """
        asked = (*identifier, audience, found.seq, found.until)
        kept = self.kept(asked, now.timestamp())
        if kept is None:
            given = GivenStatus.model_validate_json(found.body)
            version = version_of(given.partner_id, given.seq)
            kept = self.sign(given, audience=audience, now=now, version=version)
            if len(self.given) >= MOST_KEPT:
                self.given.clear()
            until = now + LIFETIME
            if given.next_change_at is not None:
                until = min(until, given.next_change_at)
            reused = min(now + REUSED, until - LAST_SECOND)
            self.given[asked] = (reused.timestamp(), kept)
        return kept

    def kept(self, asked: Asked, now: float) -> str | None:
        """What was signed for this question, while it has half of its life before it."""
        found = self.given.get(asked)
        return None if found is None or now >= found[0] else found[1]

    def sign_list(self, claims: Mapping[str, Any]) -> str:
        """A status list token; the claims are `app.status_api.status_list`'s."""
        key = self.keys.keys[0]
        return jwt.encode(
            {"alg": ALGORITHM, "typ": LIST_TYPE, "kid": key.kid},
            {"iss": self.issuer, "sub": self.list_uri, **claims},
            key,
            algorithms=[ALGORITHM],
        )

    def public(self) -> dict[str, Any]:
        """The JSON Web Key Set by which anybody can verify: no private half."""
        return dict(self.keys.as_dict(private=False))
