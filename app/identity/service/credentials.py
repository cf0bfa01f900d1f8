"""The credentials of API clients: secrets and public keys, several at a time for a rotation."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row
from app.identity import client_rules, queries
from app.identity.models import ApiClient, ClientCredential
from app.identity.secret_values import digest
from app.identity.workflow import ClientState
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.kernel.ids import new_token
from app.work import Work

RSA_MIN_BITS = 2048
CURVES = frozenset({"P-256", "Ed25519"})


def make_credential(
    work: Work,
    client: ApiClient,
    *,
    jwk: Mapping[str, Any] | None,
    key: uuid.UUID | None = None,
) -> tuple[ClientCredential, str | None]:
    """Insert a credential; gives it with its secret, or `None` for a public key. No event."""
    secret = new_token() if jwk is None else None
    made = ClientCredential(
        id=key or work.new_id(),
        api_client_id=client.id,
        trader_id=client.trader_id,
        secret_hash=None if secret is None else digest(secret),
        jwk=None if jwk is None else dict(jwk),
        created_at=work.now,
        created_by=work.actor.person_id,
    )
    work.session.add(made)
    work.session.flush()
    return made, secret


def rotate_credential(
    work: Work,
    client: ApiClient,
    *,
    overlap: timedelta,
    jwk: Mapping[str, Any] | None = None,
    key: uuid.UUID | None = None,
) -> tuple[ClientCredential, str | None]:
    """A new secret or key, which works at once; those before it live on for `overlap`, then end.

    In order: the new credential, with `key` as its id; the end of the earlier ones, unless they
    end sooner; one event, and the letters of its reaction. The same key again gives the first
    credential without its secret and does nothing. Errors: `ConflictError` when the client is
    revoked; `NotReadyError` beside `overlap` (30 days at most), or beside `jwk` for a key that is
    private, weak, or was this client's before: one that was ended may have been stolen. Records
    `CREDENTIAL_ADDED`.
    """
    if key is not None:
        earlier = first_with(work.session, ClientCredential, key)
        if earlier is not None and earlier.api_client_id == client.id:
            return earlier, None
        key = None if earlier is not None else key
    lock_row(work.session, client)
    if client.state == ClientState.REVOKED:
        raise ConflictError("This client is revoked. Register a new one.")
    held = queries.credentials_of(work.session, client.id)
    live = [one for one in held if one.is_live(work.now)]
    problems = [*key_problems(jwk), *client_rules.overlap_problems(overlap)]
    if not problems and jwk is not None and _known(jwk, held):
        problems = [Problem("The client has or had this key already.", field="jwk", code="known")]
    if overlap and len(live) >= client_rules.CREDENTIALS_MAX:
        problems.append(
            Problem(
                "%(most)s work at the same time already. Let the earlier ones end at once.",
                field="overlap",
                code="many",
                params={"most": client_rules.CREDENTIALS_MAX},
            )
        )
    if problems:
        raise NotReadyError(problems)
    made, secret = make_credential(work, client, jwk=jwk, key=key)
    ends_at = work.now + overlap
    for one in live:
        if not overlap:
            one.revoked_at = work.now
        elif one.expires_at is None or one.expires_at > ends_at:
            one.expires_at = ends_at
    work.record(
        EventTag.CREDENTIAL_ADDED,
        made,
        client=client.id,
        proof=made_of(made),
        earlier=[one.id for one in live],
        earlier_end_at=ends_at if live else None,
    )
    return made, secret


def revoke_credential(work: Work, client: ApiClient, credential: ClientCredential) -> None:
    """End one secret or key now; the tokens that it brought are refused from the commit on.

    Side effects in order: the end; one event, and the letters of its reaction. A second call does
    nothing. Records `CREDENTIAL_ENDED`.
    """
    lock_row(work.session, client)
    lock_row(work.session, credential)
    if credential.revoked_at is not None:
        return
    credential.revoked_at = work.now
    work.record(EventTag.CREDENTIAL_ENDED, credential, client=client.id, proof=made_of(credential))


def made_of(credential: ClientCredential) -> str:
    """`secret` or `key`: which of the two it is."""
    return "key" if credential.secret_hash is None else "secret"


def _known(jwk: Mapping[str, Any], held: Sequence[ClientCredential]) -> bool:
    """Whether a key is among the client's; the thumbprint (RFC 7638) sees past a new `kid`."""
    print_ = import_key(dict(jwk)).thumbprint()
    return any(
        import_key(dict(one.jwk)).thumbprint() == print_ for one in held if one.jwk is not None
    )


def key_problems(jwk: Mapping[str, Any] | None) -> list[Problem]:
    """What is wrong with a public key: not one, a private one, or one that is too weak."""
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
