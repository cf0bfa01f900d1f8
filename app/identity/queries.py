"""Reads about people, their sessions and what happened around them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.audit.models import SecurityEvent
from app.authz.actor import AgencyRole
from app.identity.models import ApiClient, OneTimeLink, Person, StaffRole, WebSession
from app.identity.secret_values import digest
from app.kernel.errors import NotFoundError


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
