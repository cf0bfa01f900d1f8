"""The table of look-ups: which program asked about whom, and what it was told."""

import uuid
from datetime import datetime

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class LookupRow(Base):
    """One look-up; `subject` is a keyed hash of the identifier (see `lookups.LookupRecord`).

    Rows are numbered by the database, since they come in batches through COPY. `trader_id` and
    `seq` are missing where the answer named no partner or was `malformed`.
    """

    __tablename__ = "lookup_record"
    __table_args__ = (
        Index("ix_lookup_record_subject_at", "subject", "at"),
        Index("ix_lookup_record_client_id_at", "client_id", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    client_id: Mapped[uuid.UUID]
    subject: Mapped[str]
    answer: Mapped[str]
    trader_id: Mapped[uuid.UUID | None]
    seq: Mapped[int | None]


class LookupBlock(Base):
    """Look-ups of one question that are rows of `LookupRow` within a minute.

    `looked_up` holds them in their order with commas between: the keyed hash in 64 digits, a letter for
    the answer (active, not_active, unknown: not_a_partner, malformed), a mark, and the partner or nothing. Only the database's own function takes a block away, in the
    transaction in which it makes rows of it.
    """

    __tablename__ = "lookup_block"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    client_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    looked_up: Mapped[str]
