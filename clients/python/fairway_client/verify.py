"""A signed answer is believed when everything about it is as promised, and not otherwise."""

from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fairway_client.answer import ANSWERS, Answer, UnusableError, instant, standings_of

ALGORITHM = "Ed25519"
TYPE = "partner-status+jwt"
LONGEST = 60
# Our clock may run behind theirs by this much; an end is never stretched.
SKEW = 2


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
    try:
        text = token.decode("ascii")
        header = jws.extract_compact(text.encode()).headers()
        if header.get("typ") != TYPE or header.get("alg") != ALGORITHM:
            raise UnusableError("type")
        if header.get("kid") not in {key.kid for key in keys.keys}:
            raise UnusableError("key")
        claims = jwt.decode(text, keys, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise UnusableError("signature") from error
    _timely(claims, now)
    if claims.get("iss") != issuer:
        raise UnusableError("issuer")
    if claims.get("aud") != audience:
        raise UnusableError("audience")
    if claims.get("identifier") != {"scheme": asked[0], "value": asked[1]}:
        raise UnusableError("subject")
    if claims.get("answer") not in ANSWERS:
        raise UnusableError("shape")
    seq = _whole(claims, "seq")
    if seq < newest:
        raise UnusableError("rollback")
    return Answer(
        answer=str(claims["answer"]),
        standings=standings_of(claims, at=now),
        seq=seq,
        expires_at=float(_whole(claims, "exp")),
        read_at=now,
    )


def _timely(claims: Mapping[str, Any], now: float) -> None:
    issued, until = _whole(claims, "iat"), _whole(claims, "exp")
    if until <= now:
        raise UnusableError("expired")
    if issued > now + SKEW or until - issued > LONGEST:
        raise UnusableError("lifetime")
    if abs(instant(claims.get("as_of")) - issued) > SKEW:
        raise UnusableError("other-instant")
    changes_at = claims.get("next_change_at")
    if changes_at is not None and instant(changes_at) <= now:
        raise UnusableError("expired")


def _whole(claims: Mapping[str, Any], name: str) -> int:
    found = claims.get(name)
    if type(found) is not int or found < 0:
        raise UnusableError("shape")
    return found
