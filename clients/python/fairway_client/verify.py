"""A signed answer is believed when everything about it is as promised, and not otherwise."""

import math
from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fairway_client.answer import ANSWERS, Answer, UnusableError, instant, standings_of

ALGORITHM = "Ed25519"
TYPE = "partner-status+jwt"
LONGEST = 60
LIST_PATH = "/api/v1/status-list"
# Our clock may run behind theirs by this much; an end is never stretched.
SKEW = 2


def opened(token: bytes, keys: KeySet, wanted: str) -> Mapping[str, Any]:
    """The claims of a token of the type `wanted`, signed by one of the keys."""
    try:
        text = token.decode("ascii")
        header = jws.extract_compact(text.encode()).headers()
        if header.get("typ") != wanted or header.get("alg") != ALGORITHM:
            raise UnusableError("type")
        if header.get("kid") not in {key.kid for key in keys.keys}:
            raise UnusableError("key")
        return jwt.decode(text, keys, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise UnusableError("signature") from error


def verified(
    token: bytes,
    keys: KeySet,
    *,
    issuer: str,
    audience: str,
    asked: tuple[str, str],
    newest: int,
    now: float,
) -> Answer:
    """The answer that `token` proves about the identifier `asked`, at the Unix time `now`.

    `newest` is the highest register change that this program has seen: an answer that knows less
    is refused. `UnusableError` with one word for the first thing that is wrong.
    """
    claims = opened(token, keys, TYPE)
    _timely(claims, now)
    if claims.get("iss") != issuer:
        raise UnusableError("issuer")
    if claims.get("aud") != audience:
        raise UnusableError("audience")
    if claims.get("identifier") != {"scheme": asked[0], "value": asked[1]}:
        raise UnusableError("subject")
    if claims.get("answer") not in ANSWERS:
        raise UnusableError("shape")
    changes_at = claims.get("next_change_at")
    seq = whole(claims, "seq")
    if seq < newest:
        raise UnusableError("rollback")
    return Answer(
        answer=str(claims["answer"]),
        standings=standings_of(claims, at=now),
        seq=seq,
        expires_at=float(whole(claims, "exp")),
        read_at=now,
        index=index_of(claims, issuer=issuer, seq=seq),
        partner_id=str(claims.get("partner_id") or ""),
        changes_at=math.inf if changes_at is None else instant(changes_at),
    )


def _timely(claims: Mapping[str, Any], now: float) -> None:
    issued, until = whole(claims, "iat"), whole(claims, "exp")
    if until <= now:
        raise UnusableError("expired")
    if issued > now + SKEW or until - issued > LONGEST:
        raise UnusableError("lifetime")
    if abs(instant(claims.get("as_of")) - issued) > SKEW:
        raise UnusableError("other-instant")
    changes_at = claims.get("next_change_at")
    if changes_at is not None and instant(changes_at) <= now:
        raise UnusableError("expired")


def whole(claims: Mapping[str, Any], name: str) -> int:
    """The whole number of that name, not below 0; `UnusableError` otherwise."""
    found = claims.get(name)
    if type(found) is not int or found < 0:
        raise UnusableError("shape")
    return found


def index_of(claims: Mapping[str, Any], *, issuer: str, seq: int) -> int | None:
    """Which entry a signed answer names; `None` when it names none that could be looked up."""
    status = claims.get("status")
    named = status.get("status_list") if isinstance(status, Mapping) else None
    if not isinstance(named, Mapping) or named.get("uri") != issuer + LIST_PATH:
        return None
    index = named.get("idx")
    return index if type(index) is int and 0 <= index <= seq else None
