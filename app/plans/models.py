"""The tables of improvement plans."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, HasState
from app.plans.workflow import ACTION

TRADER = "trader.id"
PERSON = "person.id"


class Plan(HasId, Base):
    """The improvement plan of one assessment; the agency sees it once `shared_at` is set."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("assessment_id", name="uq_plan_assessment_id"),
        UniqueConstraint("trader_id", "id", name="uq_plan_trader_id_id"),
        CheckConstraint("(shared_at IS NULL) = (shared_by IS NULL)", name="shared"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("assessment.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    shared_at: Mapped[datetime | None]
    shared_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))


class Action(HasId, HasState, Base):
    """One promised improvement, about one criterion of the plan's assessment.

    `owner_name` is the owner's name of the day on which they were named. `proof_revision_id` is
    the document that shows that it was done; `reason` says why it was given up.
    """

    __tablename__ = "plan_action"
    workflow = ACTION
    __table_args__ = (
        ForeignKeyConstraint(
            ["trader_id", "plan_id"], ["plan.trader_id", "plan.id"], name="fk_plan_action_plan"
        ),
        ForeignKeyConstraint(
            ["trader_id", "proof_revision_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_plan_action_proof",
        ),
        CheckConstraint("state IN ('promised', 'begun', 'done', 'dropped')", name="state"),
        CheckConstraint("btrim(promise) <> ''", name="promise"),
        CheckConstraint("(state = 'done') = (proof_revision_id IS NOT NULL)", name="proof"),
        CheckConstraint("(state = 'dropped') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("(state IN ('done', 'dropped')) = (ended_at IS NOT NULL)", name="ended"),
        Index(
            "uq_plan_action_open",
            "plan_id",
            "criterion_id",
            unique=True,
            postgresql_where=text("state IN ('promised', 'begun')"),
        ),
        Index("ix_plan_action_trader_id_due_on", "trader_id", "due_on"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    plan_id: Mapped[uuid.UUID]
    criterion_id: Mapped[str]
    promise: Mapped[str]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    owner_name: Mapped[str]
    due_on: Mapped[date]
    proof_revision_id: Mapped[uuid.UUID | None]
    reason: Mapped[str | None]
    promised_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.
