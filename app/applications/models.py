"""The tables of applications. What was said, signed and submitted is append-only."""

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

from app.applications.workflow import APPLICATION
from app.db.base import Base, HasId, HasState

TRADER = "trader.id"
PERSON = "person.id"
OWN = "application.id"


class EligibilityCheck(HasId, Base):
    """One eligibility check: the answers as given, and what came of them; never changed.

    `answers` are `{id, text, answer}` in the order of the questions, `reasons` the failed points
    (`app.applications.rules.eligible.Failed`), with the texts as they were shown, so that the
    page can always be shown again. `rules_version` names
    the version of the questions (`app/applications/eligibility/*.yaml`).
    """

    __tablename__ = "eligibility_check"
    __table_args__ = (Index("ix_eligibility_check_trader_id_at", "trader_id", "at"),)

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    programme: Mapped[str]
    entity_type: Mapped[str]
    rules_version: Mapped[str]
    answers: Mapped[list[Any]]
    eligible: Mapped[bool]
    reasons: Mapped[list[Any]]
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))


class Application(HasId, HasState, Base):
    """A trader's request for a tier of a programme.

    `snapshot_count` counts the snapshots made: 0 until it is first submitted. While it is
    returned, `reopened_tasks` are the only ones that can be changed. `submitted_at` is the last
    time; `outcome_reason` is what the determination said, for the trader.
    """

    __tablename__ = "application"
    workflow = APPLICATION
    __table_args__ = (
        UniqueConstraint("reference", name="uq_application_reference"),
        UniqueConstraint("assessment_id", name="uq_application_assessment_id"),
        CheckConstraint("tier > 0", name="tier"),
        CheckConstraint("snapshot_count >= 0", name="snapshot_count"),
        CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (snapshot_count > 0 AND submitted_at IS NOT NULL)",
            name="submitted",
        ),
        Index(
            "uq_application_open",
            "trader_id",
            "programme",
            unique=True,
            postgresql_where=text("state IN ('draft', 'submitted', 'returned')"),
        ),
        Index("ix_application_trader_id_started_at", "trader_id", "started_at"),
    )

    reference: Mapped[str]
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    programme: Mapped[str]
    tier: Mapped[int]
    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("assessment.id"))
    check_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("eligibility_check.id"))
    reopened_tasks: Mapped[list[str]]
    snapshot_count: Mapped[int]
    started_at: Mapped[datetime]
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    outcome_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.


class Agreement(HasId, Base):
    """The partner agreement as it was signed: the whole text, its version, the typed name.

    `for_snapshot` is the number of the snapshot that it was signed for. The newest one counts.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        UniqueConstraint(
            "application_id", "for_snapshot", name="uq_agreement_application_id_for_snapshot"
        ),
    )

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    for_snapshot: Mapped[int]
    text_version: Mapped[str]
    text: Mapped[str]
    signed_name: Mapped[str]
    signed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    signed_at: Mapped[datetime]


class Snapshot(HasId, Base):
    """What was submitted, self-describing; the database refuses every change of it.

    `sha256` is over `app.applications.rules.canonical(content)`, in hexadecimal. `number` counts
    from 1 within the application.
    """

    __tablename__ = "application_snapshot"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("number > 0", name="number"),
        UniqueConstraint(
            "application_id", "number", name="uq_application_snapshot_application_id_number"
        ),
    )

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))


class ApplicationReturn(HasId, Base):
    """The agency gave the application back: what is reopened, why, and until when.

    `round` is the number of the snapshot that was given back; `tasks` are the task keys that the
    agency named and those that follow from the criteria that it named.
    """

    __tablename__ = "application_return"
    __table_args__ = (
        UniqueConstraint(
            "application_id", "round", name="uq_application_return_application_id_round"
        ),
    )

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    round: Mapped[int]
    tasks: Mapped[list[str]]
    message: Mapped[str]
    due_on: Mapped[date | None]
    returned_at: Mapped[datetime]
    returned_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))


class ReturnedPoint(HasId, Base):
    """What the agency said about one task, or about one criterion in it, in a return."""

    __tablename__ = "returned_point"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application_id", "round"],
            ["application_return.application_id", "application_return.round"],
            name="fk_returned_point_application_id_round",
        ),
        Index("ix_returned_point_application_id_round", "application_id", "round"),
    )

    application_id: Mapped[uuid.UUID]
    round: Mapped[int]
    position: Mapped[int]
    task: Mapped[str]
    criterion_id: Mapped[str | None]
    comment: Mapped[str]


class TaskReply(HasId, Base):
    """What the trader says about a returned task: what was changed, or why nothing had to be.

    The newest one of a round counts.
    """

    __tablename__ = "task_reply"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application_id", "round"],
            ["application_return.application_id", "application_return.round"],
            name="fk_task_reply_application_id_round",
        ),
        Index("ix_task_reply_application_id_round", "application_id", "round"),
    )

    application_id: Mapped[uuid.UUID]
    round: Mapped[int]
    task: Mapped[str]
    reply: Mapped[str]
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
