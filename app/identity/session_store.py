"""Sessions in the database. Every function takes a session of a short transaction of its own."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.authz.actor import AgencyRole
from app.identity import rules
from app.identity.models import Person, StaffRole, WebSession
from app.identity.rules import Lapse, Method, SessionFacts
from app.identity.secret_values import digest
from app.kernel.ids import new_id, new_token

KEPT_AFTER_END = 30  # Days that an ended session stays readable for the person's own record.


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request tells about its sender; both are cut to what can be shown."""

    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A session as it is at the start of a request; `lapse` tells why it no longer counts.

    `lasts` is how long a person's session goes on, without a further request and at most.
    """

    id: uuid.UUID
    data: Mapping[str, Any]
    fresh_at: datetime | None = None
    person_id: uuid.UUID | None = None
    person_name: str = ""
    person_email: str = ""
    agency_roles: frozenset[AgencyRole] = frozenset()
    method: Method | None = None
    expires_at: datetime | None = None
    lasts: tuple[timedelta, timedelta] | None = None
    lapse: Lapse | None = None
    lapsed_now: bool = False


def read(db: Session, token: str, *, now: datetime, browser: Browser) -> Found | None:
    """The session that the cookie's `token` opens, `None` when there never was one.

    Side effects: a session found over its limit is closed; one last seen a minute ago or more
    is marked as seen, with the address it is seen from.
    """
    roles = (
        select(func.array_agg(StaffRole.role))
        .where(StaffRole.person_id == WebSession.person_id)
        .scalar_subquery()
    )
    row = db.execute(
        select(WebSession, Person, roles)
        .outerjoin(Person, Person.id == WebSession.person_id)
        .where(WebSession.token_hash == digest(token))
    ).one_or_none()
    if row is None:
        return None
    session, person, role_names = row
    agency_roles = frozenset(AgencyRole(name) for name in role_names or ())
    facts = SessionFacts(
        last_seen_at=session.last_seen_at,
        expires_at=session.expires_at,
        revoked_at=session.revoked_at,
        signed_in=person is not None,
        at_agency=bool(agency_roles),
        person_ended_at=None if person is None else person.ended_at,
    )
    lapse = rules.lapse_of(facts, now)
    lapsed_now = lapse is not None and session.revoked_at is None
    if lapsed_now:
        session.revoked_at = now
    elif lapse is None and now - session.last_seen_at >= rules.TOUCH_EVERY:
        session.last_seen_at = now
        session.address = browser.address
    return Found(
        id=session.id,
        data=session.data,
        fresh_at=session.fresh_at,
        person_id=session.person_id,
        person_name="" if person is None else person.name,
        person_email="" if person is None else person.email,
        agency_roles=agency_roles,
        method=None if session.method is None else Method(session.method),
        expires_at=session.expires_at,
        lasts=None if person is None else rules.ends_in(facts, now),
        lapse=lapse,
        lapsed_now=lapsed_now,
    )


def start(
    db: Session,
    *,
    now: datetime,
    browser: Browser,
    person_id: uuid.UUID | None = None,
    method: Method | None = None,
    data: Mapping[str, Any] | None = None,
) -> tuple[uuid.UUID, str]:
    """Insert a session and give its id and the token for the cookie.

    A person's session names the `method` by which it began, and begins fresh, since it begins
    with a proof.
    """
    token = new_token()
    signed_in = person_id is not None
    session = WebSession(
        id=new_id(),
        token_hash=digest(token),
        person_id=person_id,
        data=dict(data or {}),
        created_at=now,
        last_seen_at=now,
        expires_at=now + (rules.TOTAL if signed_in else rules.ANONYMOUS_LIFE),
        fresh_at=now if signed_in else None,
        address=browser.address,
        user_agent=browser.user_agent,
        revoked_at=None,
        method=None if method is None else method.value,
    )
    db.add(session)
    return session.id, token


def save(db: Session, session_id: uuid.UUID, data: Mapping[str, Any]) -> None:
    """Keep what the request put into its session."""
    db.execute(update(WebSession).where(WebSession.id == session_id).values(data=dict(data)))


def mark_fresh(db: Session, session_id: uuid.UUID, now: datetime) -> None:
    """The person has just proved again who they are."""
    db.execute(update(WebSession).where(WebSession.id == session_id).values(fresh_at=now))


def change_token(db: Session, session_id: uuid.UUID) -> str:
    """Give the session another token; the one before opens nothing from now on."""
    token = new_token()
    db.execute(
        update(WebSession).where(WebSession.id == session_id).values(token_hash=digest(token))
    )
    return token


def take(db: Session, session_id: uuid.UUID, key: str) -> object:
    """What the session holds under `key`, taken out of it; `None` when there is nothing."""
    session = db.scalars(
        select(WebSession).where(WebSession.id == session_id).with_for_update()
    ).one_or_none()
    if session is None or key not in session.data:
        return None
    left = dict(session.data)
    taken: object = left.pop(key)
    session.data = left
    return taken


def is_new_browser(db: Session, person_id: uuid.UUID, browser: Browser) -> bool:
    """Whether the person was signed in before, but in none of the last month's like this one."""
    whole = WebSession.method.not_in(tuple(rules.HALF))
    seen = select(WebSession.user_agent).where(WebSession.person_id == person_id, whole)
    agents = set(db.scalars(seen))
    return bool(agents) and browser.user_agent not in agents


def end(db: Session, session_id: uuid.UUID, now: datetime) -> None:
    """Close one session; what it carried is dropped. A session of nobody is deleted."""
    db.execute(
        delete(WebSession).where(WebSession.id == session_id, WebSession.person_id.is_(None))
    )
    db.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.revoked_at.is_(None))
        .values(revoked_at=now, data={})
    )


def people_signed_in(db: Session) -> Sequence[uuid.UUID]:
    """Who has a session that was not ended, in the order of their ids."""
    found = db.scalars(
        select(WebSession.person_id)
        .where(WebSession.revoked_at.is_(None))
        .distinct()
        .order_by(WebSession.person_id)
    )
    return [one for one in found if one is not None]


def end_of_person(
    db: Session,
    person_id: uuid.UUID,
    now: datetime,
    *,
    only: uuid.UUID | None = None,
    keep: uuid.UUID | None = None,
) -> int:
    """Close a person's open sessions: all, only one, or all but one. Gives how many it closed."""
    statement = update(WebSession).where(
        WebSession.person_id == person_id, WebSession.revoked_at.is_(None)
    )
    if only is not None:
        statement = statement.where(WebSession.id == only)
    if keep is not None:
        statement = statement.where(WebSession.id != keep)
    closed = db.execute(statement.values(revoked_at=now, data={}).returning(WebSession.id))
    return len(closed.all())
