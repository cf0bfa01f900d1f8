"""The tables of casework. What a reviewer judged is append-only: the newest row is the verdict."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.casework.workflow import CASE, REQUEST
from app.db.base import Base, HasId, HasState

TRADER = "trader.id"
PERSON = "person.id"


class Case(HasId, HasState, Base):
    """The agency's work on one application, from its first arrival to its end.

    `snapshot_number` is the round under review: the newest snapshot of the application. `due_on`
    is the last day for a decision by the programme's clock. `answered_at` is set while an answer
    of the trader has come in and nothing further was asked or recommended.
    """

    __tablename__ = "casework_case"
    workflow = CASE
    __table_args__ = (
        UniqueConstraint("reference", name="uq_casework_case_reference"),
        UniqueConstraint("application_id", name="uq_casework_case_application_id"),
        CheckConstraint(
            "state NOT IN ('in_review', 'recommended') OR assignee_id IS NOT NULL",
            name="assignee",
        ),
        CheckConstraint("state <> 'open' OR assignee_id IS NULL", name="unassigned"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("snapshot_number > 0", name="snapshot_number"),
        Index("ix_casework_case_trader_id", "trader_id"),
        Index(
            "ix_casework_case_assignee_id",
            "assignee_id",
            "due_on",
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "ix_casework_case_state_due_on",
            "state",
            "due_on",
            postgresql_where=text("state <> 'closed'"),
        ),
    )

    reference: Mapped[str]
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    programme: Mapped[str]
    tier: Mapped[int]
    snapshot_number: Mapped[int]
    assignee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    assignee_name: Mapped[str | None]
    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    taken_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.


class CriterionReview(HasId, Base):
    """What a reviewer made of one criterion as it stood in one snapshot; never changed.

    `number` counts the reviews of the criterion in the case; the highest is the verdict.
    `content_sha256` is the hash of what was judged (`rules.fingerprint`), so that a verdict lives
    on over the next snapshot exactly as long as the trader left the criterion alone. The comment
    is internal: the trader reads only what a request sends.
    """

    __tablename__ = "criterion_review"
    __table_args__ = (
        UniqueConstraint(
            "case_id", "criterion_id", "number", name="uq_criterion_review_case_id_number"
        ),
        CheckConstraint("verdict IN ('accepted', 'returned')", name="verdict"),
        CheckConstraint("verdict <> 'returned' OR btrim(comment) <> ''", name="comment"),
        CheckConstraint("content_sha256 ~ '^[0-9a-f]{64}$'", name="content_sha256"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("casework_case.id"))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    criterion_id: Mapped[str]
    number: Mapped[int]
    snapshot_number: Mapped[int]
    content_sha256: Mapped[str]
    verdict: Mapped[str]
    comment: Mapped[str]
    reviewer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    reviewer_name: Mapped[str]
    at: Mapped[datetime]


class InformationRequest(HasId, HasState, Base):
    """An ask for information. What exactly was said stands in the application's return.

    `round` is the number of the snapshot that was given back, which names that return.
    """

    __tablename__ = "information_request"
    workflow = REQUEST
    __table_args__ = (
        Index(
            "uq_information_request_open",
            "case_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("case_id", "round", name="uq_information_request_case_id_round"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("casework_case.id"))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    round: Mapped[int]
    tasks: Mapped[list[str]]
    criteria: Mapped[list[str]]
    message: Mapped[str]
    due_on: Mapped[date]
    sent_at: Mapped[datetime]
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    sent_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.
