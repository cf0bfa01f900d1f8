"""The tables of documents. A document is a thing with a name; a revision is one file of it."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, HasId, HasState
from app.documents.workflow import SCAN, ScanState

TRADER = "trader.id"
PERSON = "person.id"


class Document(HasId, Base):
    """A thing with a name that a trader gave, in one or more revisions.

    `owner_kind` and `owner_id` say what it was given for (the table's name and the row); this
    package never looks there. Removal only marks: what was cited stays.
    """

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_trader_id_created_at", "trader_id", "created_at"),
        Index("ix_document_owner_kind_owner_id", "owner_kind", "owner_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    owner_kind: Mapped[str]
    owner_id: Mapped[uuid.UUID]
    title: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))


class DocumentRevision(HasId, HasState, Base):
    """One stored file: `size` in bytes, `sha256` in hexadecimal, `number` from 1 per document.

    `frozen_at` is set when a submitted application cites it. The state is the scan's.
    """

    __tablename__ = "document_revision"
    workflow = SCAN
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("size > 0", name="size"),
        # What another table cites it must cite with its trader.
        UniqueConstraint("trader_id", "id", name="uq_document_revision_trader_id_id"),
        UniqueConstraint("document_id", "number", name="uq_document_revision_document_id_number"),
        Index("ix_document_revision_trader_id_stored_at", "trader_id", "stored_at"),
        Index(
            "ix_document_revision_pending",
            "stored_at",
            postgresql_where=text("state = 'pending'"),
        ),
    )

    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.id"))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    number: Mapped[int]
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    confidential: Mapped[bool]
    expires_on: Mapped[date | None]
    stored_at: Mapped[datetime]
    stored_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    stored_by_name: Mapped[str]
    scanned_at: Mapped[datetime | None]
    scan_finding: Mapped[str | None]
    frozen_at: Mapped[datetime | None]

    document: Mapped[Document] = relationship(lazy="joined", innerjoin=True)

    @hybrid_property
    def scan_state(self) -> str:
        """The state under the name by which other packages know it; read-only."""
        return self._state

    @property
    def openable(self) -> bool:
        """Whether it is handed out, be it after a warning."""
        return self.state in {ScanState.CLEAN, ScanState.UNSCANNED}
