"""The tables of advance data: batches, the filings they carried, the faults that were found."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.advance_data.lists import Pin, pins_of
from app.advance_data.workflow import BATCH
from app.db.base import Base, HasId, HasState


class Batch(HasId, HasState, Base):
    """One file or call that carried filings. Its bytes are kept under its trader and `sha256`.

    `total` is how many records the file has, counted before the first is filed. `read`, `accepted`,
    `rejected`, `warnings` and `faults` grow with each chunk that is checked, in one transaction
    with it, and are its cursor; accepted and rejected always add up to read. `kinds` are the faults
    by kind (see `kinds`), `subtrees` the tree over the filings so far, in hexadecimal. `lists`
    are the versions of reference lists that it is judged by, as kind, digest and day. `refusal`
    says why the whole file was refused.

    A correction is a batch of its own, which leaves the file that it corrects as it was:
    `corrects_id` is that file's batch, `corrects_row` the one row of it that was typed anew, or
    empty when a corrected workbook stands for all of its rows that were not filed.
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
        CheckConstraint("corrects_row IS NULL OR corrects_id IS NOT NULL", name="corrected_row"),
        UniqueConstraint("id", "trader_id", name="uq_batch_id_trader_id"),
        ForeignKeyConstraint(
            ["corrects_id", "trader_id"],
            ["batch.id", "batch.trader_id"],
            name="fk_batch_corrects_id_trader_id",
        ),
        Index(
            "uq_batch_corrects_id_corrects_row",
            "corrects_id",
            "corrects_row",
            unique=True,
            postgresql_where=text("corrects_row IS NOT NULL"),
        ),
        Index(
            "ix_batch_corrects_id",
            "corrects_id",
            postgresql_where=text("corrects_id IS NOT NULL"),
        ),
        CheckConstraint("accepted + rejected = read", name="conserved"),
        CheckConstraint("state <> 'done' OR coalesce(read = total, false)", name="whole"),
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
    total: Mapped[int | None]
    read: Mapped[int]
    accepted: Mapped[int]
    rejected: Mapped[int]
    warnings: Mapped[int]
    faults: Mapped[int]
    kinds: Mapped[list[Any]]
    subtrees: Mapped[list[str]]
    lists: Mapped[list[Any] | None]
    refusal: Mapped[str | None]
    corrects_id: Mapped[uuid.UUID | None]
    corrects_row: Mapped[int | None]

    @property
    def judged_by(self) -> list[Pin]:
        """The versions of the lists that the batch is judged by."""
        return list(pins_of(self.lists or ()))


class ReferenceList(HasId, Base):
    """One version of a list of codes, whole; never changed. The newest of its kind is in use.

    `codes` are the codes, sorted, a line each, and `sha256` is the digest of that text; `as_of` is
    the day that the list itself bears.
    """

    __tablename__ = "reference_list"
    __table_args__ = (Index("ix_reference_list_kind_loaded_at", "kind", "loaded_at"),)

    kind: Mapped[str]
    as_of: Mapped[date]
    loaded_at: Mapped[datetime]
    filename: Mapped[str]
    sha256: Mapped[str]
    number: Mapped[int]
    codes: Mapped[str] = mapped_column(deferred=True)


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
        # No row of a file is filed twice. It is named with its trader, so that one look-up for
        # each of millions of rows holds both.
        UniqueConstraint("batch_id", "file_row", name="uq_filing_batch_id_file_row"),
        ForeignKeyConstraint(
            ["batch_id", "trader_id"],
            ["batch.id", "batch.trader_id"],
            name="fk_filing_batch_id_trader_id",
        ),
        Index(
            "ix_filing_flexible",
            "trader_id",
            "filed_at",
            postgresql_where=text("content ->> 'action_reason' IN ('FR', 'FT', 'FX')"),
        ),
    )

    trader_id: Mapped[uuid.UUID]
    acting_trader_id: Mapped[uuid.UUID | None]
    batch_id: Mapped[uuid.UUID]
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


class BatchQuality(Base):
    """What was counted of a file, its corrections included; worked out anew whenever that changes.

    Nothing here is a fact of its own: `service.measure_batch` makes it of filings and faults, again
    and again the same. `figures` and `as_sent` (before any correction) are those of `scoring`.
    `changes_at` is when the passing of time alone changes them.
    """

    __tablename__ = "batch_quality"
    __table_args__ = (
        Index("ix_batch_quality_trader_id_received_at", "trader_id", "received_at"),
        Index(
            "ix_batch_quality_changes_at",
            "changes_at",
            postgresql_where=text("changes_at IS NOT NULL"),
        ),
    )

    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    acting_trader_id: Mapped[uuid.UUID | None]
    received_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]]
    as_sent: Mapped[dict[str, Any]]
    measured_at: Mapped[datetime]
    changes_at: Mapped[datetime | None]


class VoyageReport(HasId, Base):
    """When a ship leaves and arrives, as somebody told it of the filings under a reference.

    The newest of a reference counts, with all that it says and leaves out; none is ever changed.
    """

    __tablename__ = "voyage_report"
    __table_args__ = (
        Index(
            "ix_voyage_report_trader_id_filing_ref_told_at", "trader_id", "filing_ref", "told_at"
        ),
        CheckConstraint("departs_at IS NOT NULL OR arrives_at IS NOT NULL", name="says_something"),
        CheckConstraint("arrives_at > departs_at", name="in_order"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    acting_trader_id: Mapped[uuid.UUID | None]
    filing_ref: Mapped[str]
    filing_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("filing.id"))
    departs_at: Mapped[datetime | None]
    arrives_at: Mapped[datetime | None]
    told_at: Mapped[datetime]
    told_by_name: Mapped[str]


class FollowUpReminder(Base):
    """That a letter about something owed was written; once for each filing and stage."""

    __tablename__ = "follow_up_reminder"
    __table_args__ = (CheckConstraint("stage IN ('dateless', 'soon', 'overdue')", name="stage"),)

    filing_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("filing.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    sent_at: Mapped[datetime]
