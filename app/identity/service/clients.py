"""API clients: the programs of the agency and of traders."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from app.audit.tags import EventTag
from app.identity.models import ApiClient
from app.identity.scopes import SCOPES, Audience, audience_of
from app.identity.secret_values import digest
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.kernel.ids import new_token
from app.work import Work

RSA_MIN_BITS = 2048
CURVES = frozenset({"P-256", "Ed25519"})


def create_client(
    work: Work,
    *,
    name: str,
    scopes: Collection[str],
    trader_id: uuid.UUID | None = None,
    jwk: Mapping[str, Any] | None = None,
) -> tuple[ApiClient, str | None]:
    """Register a program; gives it with its secret, which is shown once and never kept.

    With `jwk`, a public key, the client proves itself by signatures and has no secret.
    Errors: `NotReadyError` beside `scopes`, `trader_id` or `jwk`. Records `CLIENT_CREATED`.
    """
    problems = [*_scope_problems(scopes, trader_id), *_key_problems(jwk)]
    if problems:
        raise NotReadyError(problems)
    secret = new_token() if jwk is None else None
    client = ApiClient(
        id=work.new_id(),
        client_id=f"fw-{work.new_id().hex}",
        name=name,
        secret_hash=None if secret is None else digest(secret),
        jwk=None if jwk is None else dict(jwk),
        scopes=sorted(set(scopes)),
        trader_id=trader_id,
        created_at=work.now,
    )
    work.session.add(client)
    work.session.flush()
    work.record(EventTag.CLIENT_CREATED, client, trader_id=trader_id, scopes=client.scopes)
    return client, secret


def revoke_client(work: Work, client: ApiClient) -> None:
    """Suspend a program: it gets no token, and those it holds are refused from the commit on.

    Errors: `ConflictError` when it is suspended already. Records `CLIENT_REVOKED`.
    """
    if client.suspended_at is not None:
        raise ConflictError("This client is suspended already.")
    client.suspended_at = work.now
    work.record(EventTag.CLIENT_REVOKED, client, trader_id=client.trader_id)


def _scope_problems(scopes: Collection[str], trader_id: uuid.UUID | None) -> list[Problem]:
    audience = audience_of(scopes)
    if audience is None:
        known = "; ".join(" ".join(sorted(one)) for one in SCOPES.values())
        return [
            Problem(
                "Give at least one scope, and only scopes of one interface: %(known)s.",
                field="scopes",
                code="scopes",
                params={"known": known},
            )
        ]
    if audience is Audience.TRADER and trader_id is None:
        return [
            Problem("These scopes belong to one trader: name it.", field="trader_id", code="trader")
        ]
    if audience is Audience.INTERNAL and trader_id is not None:
        return [
            Problem(
                "A trader's client cannot have scopes of the internal interface.",
                field="trader_id",
                code="trader",
            )
        ]
    return []


def _key_problems(jwk: Mapping[str, Any] | None) -> list[Problem]:
    if jwk is None:
        return []
    if jwk.get("kty") == "oct":
        return [_private_key()]
    try:
        key = import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError):
        return [Problem("This is not a JSON Web Key.", field="jwk", code="jwk")]
    if key.is_private:
        return [_private_key()]
    match key:
        case RSAKey():
            strong = key.public_key.key_size >= RSA_MIN_BITS
        case ECKey() | OKPKey():
            strong = key.curve_name in CURVES
        case _:
            strong = False
    if not strong:
        return [
            Problem(
                "Use an Ed25519 or P-256 key, or an RSA key of %(bits)s bits or more.",
                field="jwk",
                code="jwk-weak",
                params={"bits": RSA_MIN_BITS},
            )
        ]
    return []


def _private_key() -> Problem:
    return Problem(
        "This file holds a secret key, which nobody but the client may have."
        " Make a new pair and give its public half.",
        field="jwk",
        code="jwk-private",
    )
