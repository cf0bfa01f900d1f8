"""The table of successions."""

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from app.db.base import Base, HasId, HasState
from app.kernel.workflow import Workflow
from app.successions.workflow import SUCCESSION, Fate, Ground
from app.traders.models import Choice


class Succession(HasId, HasState, Base):
    """A new officer in the place of all officers that the trader had when it was proposed.

    `leaving` holds their appointments, none when there was no officer. `evidence_id` is the
    revision of the paper that shows why. Names of the agency's people are those of the day.
    """

    __tablename__ = "succession"
    workflow: ClassVar[Workflow] = SUCCESSION
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        CheckConstraint(
            "(decided_at IS NOT NULL) = (state <> 'proposed')"
            " AND (decided_by IS NOT NULL) = (state IN ('approved', 'declined'))",
            name="decided",
        ),
        CheckConstraint("(ground = 'nobody') = (cardinality(leaving) = 0)", name="leaving"),
        ForeignKeyConstraint(
            ["trader_id", "evidence_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_succession_evidence",
        ),
        Index(
            "uq_succession_open",
            "trader_id",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
        Index("ix_succession_proposed_at", "proposed_at"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    ground: Mapped[Ground] = mapped_column(Choice(Ground))
    reason: Mapped[str]
    fate: Mapped[Fate] = mapped_column(Choice(Fate))
    leaving: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    officer_name: Mapped[str]
    officer_email: Mapped[str]
    evidence_id: Mapped[uuid.UUID]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    appointment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("appointment.id"))
