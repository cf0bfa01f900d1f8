"""The tables of advance data: batches, the filings they carried, the faults that were found."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.advance_data.workflow import BATCH
from app.db.base import Base, HasId, HasState


class Batch(HasId, HasState, Base):
    """One file or call that carried filings. Its bytes are kept under its trader and `sha256`.

    `read`, `accepted`, `rejected` and `warnings` are filled when it is checked; accepted and
    rejected always add up to read. `refusal` says why the whole file was refused.
    """

    __tablename__ = "batch"
    workflow = BATCH
    __table_args__ = (
        UniqueConstraint("reference", name="uq_batch_reference"),
        Index(
            "uq_batch_trader_id_idempotency_key",
            "trader_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_batch_trader_id_received_at", "trader_id", "received_at"),
        CheckConstraint("state <> 'done' OR accepted + rejected = read", name="conserved"),
    )

    reference: Mapped[str]
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    filename: Mapped[str]
    channel: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    idempotency_key: Mapped[str | None]
    received_at: Mapped[datetime]
    received_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    received_by_name: Mapped[str]
    client_id: Mapped[uuid.UUID | None]
    acting_trader_id: Mapped[uuid.UUID | None]
    delegation_id: Mapped[uuid.UUID | None]
    finished_at: Mapped[datetime | None]
    read: Mapped[int]
    accepted: Mapped[int]
    rejected: Mapped[int]
    warnings: Mapped[int]
    refusal: Mapped[str | None]


class Filing(HasId, Base):
    """One accepted row, as it was filed; never changed.

    A replacement or deletion is a filing of its own, with the next `number` under the same
    reference; the newest one counts. `content` holds the row's values in canonical form, with
    identifiers of social-security form masked; `sha256` is the digest of its canonical JSON.
    """

    __tablename__ = "filing"
    __table_args__ = (
        UniqueConstraint(
            "trader_id", "filing_ref", "number", name="uq_filing_trader_id_filing_ref_number"
        ),
        UniqueConstraint("receipt", name="uq_filing_receipt"),
        CheckConstraint("action IN ('A', 'R', 'D')", name="action"),
        Index("ix_filing_trader_id_filed_at", "trader_id", "filed_at"),
        Index("ix_filing_batch_id_file_row", "batch_id", "file_row"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    acting_trader_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("batch.id"))
    file_row: Mapped[int]
    line_no: Mapped[int]
    filing_ref: Mapped[str]
    number: Mapped[int]
    action: Mapped[str]
    importer_shown: Mapped[str]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    receipt: Mapped[str]
    filed_at: Mapped[datetime]


class FilingFault(Base):
    """One fault of one row of a batch; the columns are the contract's."""

    __tablename__ = "filing_fault"

    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    file_row: Mapped[int]
    line_no: Mapped[int]
    record: Mapped[str]
    field: Mapped[str]
    code: Mapped[str]
    severity: Mapped[str]
    value: Mapped[str]
    message: Mapped[str]
    fix: Mapped[str]
    spec_ref: Mapped[str]
