"""API clients: the programs of the agency and of traders."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row, lock_words
from app.identity import client_rules, queries
from app.identity.client_rules import IdleStep
from app.identity.models import ApiClient
from app.identity.scopes import SCOPES, Audience, audience_of
from app.identity.service.credentials import key_problems, made_of, make_credential
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.work import Work, move


def create_client(
    work: Work,
    *,
    name: str,
    scopes: Collection[str],
    trader_id: uuid.UUID | None = None,
    jwk: Mapping[str, Any] | None = None,
    key: uuid.UUID | None = None,
) -> tuple[ApiClient, str | None]:
    """Register a program; gives it with its secret, which is shown once and never kept.

    With `jwk`, a public key, the client proves itself by signatures and has no secret. In order:
    the client, with `key` as its id; its first credential; one event, and the letters of its
    reaction. The same key again gives the first client without its secret and does nothing.
    Errors: `NotReadyError` beside `name`, `scopes`, `trader_id` or `jwk`, and for more than twenty
    clients of one trader. Records `CLIENT_CREATED`.
    """
    if key is not None:
        earlier = first_with(work.session, ApiClient, key)
        if earlier is not None and earlier.trader_id == trader_id:
            return earlier, None
        key = None if earlier is not None else key
    problems = [
        *client_rules.name_problems(name),
        *_scope_problems(scopes, trader_id),
        *key_problems(jwk),
        *_number_problems(work, trader_id),
    ]
    if problems:
        raise NotReadyError(problems)
    client = ApiClient(
        id=key or work.new_id(),
        client_id=f"fw-{work.new_id().hex}",
        name=name,
        scopes=sorted(set(scopes)),
        trader_id=trader_id,
        created_at=work.now,
    )
    work.session.add(client)
    work.session.flush()
    made, secret = make_credential(work, client, jwk=jwk)
    work.record(
        EventTag.CLIENT_CREATED,
        client,
        trader_id=trader_id,
        scopes=client.scopes,
        credential=made.id,
        proof=made_of(made),
    )
    return client, secret


def review_idle(work: Work, client: ApiClient) -> IdleStep:
    """Do what is due for a client that lies idle: a letter first, later the suspension.

    The row is locked and read again, so that a use that has just been noted counts. One event
    (`CLIENT_WARNED` or `CLIENT_SUSPENDED`), whose reaction writes the letters; none when nothing
    is due. From the commit on a suspended client gets no token and its tokens are refused.
    """
    lock_row(work.session, client)
    if "suspend" not in client.available():
        return IdleStep.NOTHING
    rules = rules_of(client)
    idle_since = client.idle_since
    step = client_rules.idle_step(
        rules, idle_since=idle_since, warned_at=client.warned_at, now=work.now
    )
    if step is IdleStep.SUSPEND:
        client.suspended_at = work.now
        move(work, client, "suspend", idle_since=idle_since)
    elif step is IdleStep.WARN:
        client.warned_at = work.now
        due = client_rules.suspension_due(rules, idle_since=idle_since, warned_at=work.now)
        work.record(EventTag.CLIENT_WARNED, client, idle_since=idle_since, suspended_from=due)
    return step


def wake_client(work: Work, client: ApiClient) -> None:
    """Let a suspended client work again; its idle time begins anew. A second call does nothing.

    Errors: `ConflictError` when it is revoked. Records `CLIENT_WOKEN`.
    """
    lock_row(work.session, client)
    if client.state == client.workflow.initial:
        return
    if "wake" not in client.available():
        raise ConflictError("This client is revoked. Register a new one.")
    client.suspended_at = None
    client.woken_at = work.now
    move(work, client, "wake")


def revoke_client(work: Work, client: ApiClient) -> None:
    """End a program for good: no token any more, and those it holds are refused from the commit on.

    Errors: `ConflictError` when it is revoked already. Records `CLIENT_REVOKED`.
    """
    lock_row(work.session, client)
    if "revoke" not in client.available():
        raise ConflictError("This client is revoked already.")
    client.revoked_at = work.now
    move(work, client, "revoke")


def set_quota(
    work: Work, client: ApiClient, *, per_minute: int | None, per_day: int | None
) -> None:
    """Give a client a quota of its own, or with `None` the one of its audience.

    Errors: `NotReadyError` beside `per_minute` or `per_day`. Records `CLIENT_QUOTA_SET`.
    """
    problems = client_rules.quota_problems(per_minute, per_day)
    if problems:
        raise NotReadyError(problems)
    lock_row(work.session, client)
    if (client.per_minute, client.per_day) == (per_minute, per_day):
        return
    client.per_minute, client.per_day = per_minute, per_day
    work.record(EventTag.CLIENT_QUOTA_SET, client, per_minute=per_minute, per_day=per_day)


def rules_of(client: ApiClient) -> client_rules.ClientRules:
    """The rules of the client's audience."""
    audience = audience_of(client.scopes)
    assert audience is not None  # noqa: S101 - no client is registered without one.
    return client_rules.RULES[audience]


def _number_problems(work: Work, trader_id: uuid.UUID | None) -> list[Problem]:
    if trader_id is None:
        return []
    lock_words(work.session, "api-clients", str(trader_id))
    if queries.clients_in_use(work.session, trader_id) < client_rules.CLIENTS_MAX:
        return []
    return [
        Problem(
            "The company has %(most)s API clients. Revoke one that is no longer needed.",
            field="name",
            code="many",
            params={"most": client_rules.CLIENTS_MAX},
        )
    ]


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
