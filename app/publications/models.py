"""The table of publications. The words that were signed are kept with the signatures."""

import uuid
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, HasState
from app.kernel.workflow import Workflow
from app.publications.workflow import PUBLICATION


class Publication(HasId, HasState, Base):
    """One catalogue version as somebody proposed it, and what a second person made of it.

    `content` holds the file's bytes, of which `sha256` is the hash: the database checks that.
    `effective` is the first day on which new assessments use it. Names of the agency's people are
    those of the day.
    """

    __tablename__ = "catalogue_publication"
    workflow: ClassVar[Workflow] = PUBLICATION
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="sha256"),
        CheckConstraint(
            "(decided_at IS NOT NULL) = (state <> 'proposed')"
            " AND (decided_by IS NOT NULL) = (state IN ('published', 'declined'))",
            name="decided",
        ),
        Index(
            "uq_catalogue_publication_live",
            "catalogue_id",
            "version",
            unique=True,
            postgresql_where=text("state IN ('proposed', 'published')"),
        ),
        Index("ix_catalogue_publication_proposed_at", "proposed_at"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    catalogue_id: Mapped[str]
    version: Mapped[str]
    programme: Mapped[str]
    effective: Mapped[date]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    note: Mapped[str]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
