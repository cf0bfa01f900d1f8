"""Reads about people, their sessions and what happened around them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.audit.models import SecurityEvent
from app.authz.actor import AgencyRole
from app.db.base import UtcDateTime
from app.identity.models import (
    ApiClient,
    ClientCredential,
    OneTimeLink,
    Person,
    StaffRole,
    TokenDenial,
    WebSession,
)
from app.identity.secret_values import digest
from app.identity.workflow import ClientState
from app.kernel.errors import NotFoundError

CLIENT_STATE = ApiClient._state  # noqa: SLF001 - reading is free; only `move` writes it.


def person_by_email(session: Session, email: str) -> Person | None:
    """The person with this address; upper and lower case are one."""
    return session.execute(select(Person).where(Person.email == email)).scalar_one_or_none()


def known_person(session: Session, email: str) -> Person:
    """The person who is known to have this address; `NotFoundError` when there is none."""
    found = person_by_email(session, email)
    if found is None:
        raise NotFoundError
    return found


def person(session: Session, person_id: uuid.UUID) -> Person:
    """The person with this id; `NotFoundError` when there is none."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFoundError
    return found


def agency_roles(session: Session, person_id: uuid.UUID) -> frozenset[AgencyRole]:
    """What the person is at the agency."""
    rows = session.execute(select(StaffRole.role).where(StaffRole.person_id == person_id))
    return frozenset(AgencyRole(role) for role in rows.scalars())


def live_link(
    session: Session, token: str, purpose: str, now: datetime, *, lock: bool = False
) -> OneTimeLink | None:
    """The unused, unexpired link that the token opens; locked, so that it is used once."""
    statement = select(OneTimeLink).where(
        OneTimeLink.token_hash == digest(token),
        OneTimeLink.purpose == purpose,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > now,
    )
    if lock:
        statement = statement.with_for_update()
    return session.execute(statement).scalar_one_or_none()


def open_sessions(session: Session, person_id: uuid.UUID, now: datetime) -> Sequence[WebSession]:
    """The person's sessions that are not closed, the last seen first."""
    return (
        session.execute(
            select(WebSession)
            .where(
                WebSession.person_id == person_id,
                WebSession.revoked_at.is_(None),
                WebSession.expires_at > now,
            )
            .order_by(WebSession.last_seen_at.desc(), WebSession.id.desc())
        )
        .scalars()
        .all()
    )


def security_events(person_id: uuid.UUID) -> Select[SecurityEvent]:
    """The person's own security events, the newest first, for a paged list."""
    return (
        select(SecurityEvent)
        .where(SecurityEvent.person_id == person_id)
        .order_by(SecurityEvent.at.desc(), SecurityEvent.id.desc())
    )


def client_named(session: Session, client_id: str) -> ApiClient | None:
    """The API client with this public name."""
    return session.execute(
        select(ApiClient).where(ApiClient.client_id == client_id)
    ).scalar_one_or_none()


def credentials_of(session: Session, api_client_id: uuid.UUID) -> Sequence[ClientCredential]:
    """Every secret and key of a client, ended ones too, the newest first."""
    return (
        session.execute(
            select(ClientCredential)
            .where(ClientCredential.api_client_id == api_client_id)
            .order_by(ClientCredential.created_at.desc(), ClientCredential.id.desc())
        )
        .scalars()
        .all()
    )


def live_credentials(
    session: Session,
) -> Sequence[Row[uuid.UUID, uuid.UUID, str, list[str], datetime | None]]:
    """The credentials that nobody has revoked, of the agency's active clients.

    Rows of the credential's id, the client's id, its public name, its scopes, and the credential's
    last instant. One that has run out by its date is among them: the date is the reader's to judge.
    """
    return session.execute(
        select(
            ClientCredential.id,
            ApiClient.id,
            ApiClient.client_id,
            ApiClient.scopes,
            ClientCredential.expires_at,
        )
        .join(ClientCredential, ClientCredential.api_client_id == ApiClient.id)
        .where(
            CLIENT_STATE == ClientState.ACTIVE,
            ApiClient.trader_id.is_(None),
            ClientCredential.revoked_at.is_(None),
        )
    ).all()


def denials(session: Session, now: datetime) -> Sequence[str]:
    """The ids of the tokens that were revoked and would otherwise still be good."""
    return session.scalars(select(TokenDenial.jti).where(TokenDenial.expires_at > now)).all()


def clients_of(trader_id: uuid.UUID | None) -> Select[ApiClient]:
    """The clients of one trader, or with `None` the agency's own: revoked ones last, by name."""
    owner = ApiClient.trader_id.is_(None) if trader_id is None else ApiClient.trader_id == trader_id
    return (
        select(ApiClient)
        .where(owner)
        .order_by(CLIENT_STATE == ClientState.REVOKED, func.lower(ApiClient.name), ApiClient.id)
    )


def clients_in_use(session: Session, trader_id: uuid.UUID) -> int:
    """How many clients of a trader are not revoked."""
    return session.execute(
        select(func.count())
        .select_from(ApiClient)
        .where(ApiClient.trader_id == trader_id, CLIENT_STATE != ClientState.REVOKED)
    ).scalar_one()


def idle_candidates(session: Session, before: datetime) -> Sequence[uuid.UUID]:
    """The ids of active clients without use, reawakening or birth since `before`."""
    idle_since = func.greatest(
        ApiClient.created_at, ApiClient.last_used_at, ApiClient.woken_at, type_=UtcDateTime
    )
    return (
        session.execute(
            select(ApiClient.id)
            .where(CLIENT_STATE == ClientState.ACTIVE, idle_since <= before)
            .order_by(ApiClient.id)
        )
        .scalars()
        .all()
    )


def staff_with(session: Session, role: AgencyRole) -> Sequence[Person]:
    """The people who hold a role at the agency and have not left."""
    return (
        session.execute(
            select(Person)
            .join(StaffRole, StaffRole.person_id == Person.id)
            .where(StaffRole.role == role.value, Person.ended_at.is_(None))
            .order_by(Person.id)
        )
        .scalars()
        .all()
    )
