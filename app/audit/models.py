"""The tables of the record: business events, security events, access records."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId


class AuditEvent(HasId, Base):
    """One business event, written in the transaction of the change that it tells of.

    `trader_id` is the trader whose matter it is, `acting_trader_id` the broker that acted for it,
    `delegation_id` the delegation under which it did. Inserted and read, never updated or
    deleted: the database refuses both to everyone.
    """

    __tablename__ = "audit_event"

    at: Mapped[datetime]
    tag: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    person_id: Mapped[uuid.UUID | None]
    client_id: Mapped[uuid.UUID | None]
    trader_id: Mapped[uuid.UUID | None]
    acting_trader_id: Mapped[uuid.UUID | None]
    delegation_id: Mapped[uuid.UUID | None]
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
    """Who of the agency or of a broker, or which API client, looked at what.

    Reading is an event as well. `acting_trader_id` is the broker under whose delegation it was.

    `subject` is a page, a document or the keyed hash of an identifier, never the identifier.
    """

    __tablename__ = "access_record"

    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None]
    client_id: Mapped[uuid.UUID | None]
    trader_id: Mapped[uuid.UUID | None]
    acting_trader_id: Mapped[uuid.UUID | None]
    delegation_id: Mapped[uuid.UUID | None]
    subject_kind: Mapped[str]
    subject: Mapped[str]
    answer: Mapped[str]
    seq: Mapped[int | None]
    request_id: Mapped[str]


class LogPending(Base):
    """An event that is recorded and not yet sealed; the database adds it in the same transaction."""

    __tablename__ = "log_pending"

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]


class LogLeaf(Base):
    """One sealed event: its place in the log, from 0 without a gap, and the hash of its leaf.

    `kind` is the table that holds the event; `commitment` stands in the leaf for what names a
    human, so that the name can be erased and the tree stays whole.
    """

    __tablename__ = "log_leaf"

    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    kind: Mapped[str]
    hash: Mapped[bytes]
    commitment: Mapped[bytes | None]


class LogNode(Base):
    """The hash over one complete subtree: leaves `idx << level` to `(idx + 1) << level`."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[bytes]


class LogCheckpoint(Base):
    """A signed claim about the first `size` leaves, in the form of C2SP's tlog-checkpoint."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    root: Mapped[bytes]
    note: Mapped[str]


class LogCosignature(Base):
    """A witness's signature line under the checkpoint of this size (C2SP's cosignature/v1)."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]
    at: Mapped[datetime]
    line: Mapped[str]


class LogState(Base):
    """What is wrong with a part of the log since `at`, the sealer or a witness; nothing: `None`.

    For the probes and the sealer; no evidence, so it may be updated.
    """

    __tablename__ = "log_state"

    origin: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    trouble: Mapped[str | None]
    said: Mapped[str]


class LogSalt(Base):
    """What opens an event's commitment; deleted when the name is erased."""

    __tablename__ = "log_salt"

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
