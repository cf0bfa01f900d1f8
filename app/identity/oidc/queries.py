"""Reads about identities at providers."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity import queries
from app.identity.models import LinkPurpose, OneTimeLink, Person
from app.identity.oidc.models import OidcSubject
from app.identity.oidc.rules import Account
from app.kernel.errors import NotFoundError


def subject_of(session: Session, issuer: str, subject: str) -> OidcSubject | None:
    """The binding of this identity, by both halves of its name."""
    return session.execute(
        select(OidcSubject).where(OidcSubject.issuer == issuer, OidcSubject.subject == subject)
    ).scalar_one_or_none()


def subjects_of_person(session: Session, person_id: uuid.UUID) -> Sequence[OidcSubject]:
    """Every identity that opens the person's account, the oldest first."""
    return (
        session.execute(
            select(OidcSubject)
            .where(OidcSubject.person_id == person_id)
            .order_by(OidcSubject.linked_at, OidcSubject.id)
        )
        .scalars()
        .all()
    )


def own_subject(session: Session, person_id: uuid.UUID, subject_id: uuid.UUID) -> OidcSubject:
    """One of the person's own identities; `NotFoundError` for anybody else's."""
    found = session.get(OidcSubject, subject_id)
    if found is None or found.person_id != person_id:
        raise NotFoundError
    return found


def account_of(session: Session, person: Person | None) -> Account | None:
    """What decides about opening this person's account.

    An address that nobody has verified is nobody's: whoever signed up under it first proved
    nothing, so such a person does not count.
    """
    if person is None or (person.mail_verified_at is None and person.ended_at is None):
        return None
    return Account(
        ended=person.ended_at is not None,
        staff=bool(queries.agency_roles(session, person.id)),
    )


def invitations(
    session: Session, email: str, now: datetime, *, lock: bool = False
) -> Sequence[OneTimeLink]:
    """The agency's live invitations to this address; locked, so that each is used once."""
    if not email:
        return ()
    statement = (
        select(OneTimeLink)
        .where(
            OneTimeLink.email == email,
            OneTimeLink.purpose == LinkPurpose.JOIN_STAFF.value,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
        .order_by(OneTimeLink.id)
    )
    if lock:
        statement = statement.with_for_update()
    return session.execute(statement).scalars().all()
