"""The tables of the record: business events, security events, access records."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from app.db.base import Base, HasId


class AuditEvent(HasId, Base):
    """One business event, written in the transaction of the change that it tells of.

    Inserted and read, never updated or deleted: the database refuses both to everyone.
    """

    __tablename__ = "audit_event"

    at: Mapped[datetime]
    tag: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    person_id: Mapped[uuid.UUID | None]
    client_id: Mapped[uuid.UUID | None]
    trader_id: Mapped[uuid.UUID | None]
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    request_id: Mapped[str]
    data: Mapped[dict[str, Any]]


class SecurityEvent(HasId, Base):
    """A sign-in, a refusal, a token: kept whatever became of the request."""

    __tablename__ = "security_event"

    at: Mapped[datetime]
    tag: Mapped[str]
    person_id: Mapped[uuid.UUID | None]
    client_id: Mapped[uuid.UUID | None]
    address: Mapped[str]
    request_id: Mapped[str]
    data: Mapped[dict[str, Any]]


class AccessRecord(HasId, Base):
    """Who of the agency, or which API client, looked at what: reading is an event as well.

    `subject` is a page, a document or the keyed hash of an identifier, never the identifier.
    """

    __tablename__ = "access_record"

    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None]
    client_id: Mapped[uuid.UUID | None]
    trader_id: Mapped[uuid.UUID | None]
    subject_kind: Mapped[str]
    subject: Mapped[str]
    answer: Mapped[str]
    seq: Mapped[int | None]
    request_id: Mapped[str]
