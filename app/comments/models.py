"""The table of comments: the trader's own people read it, and nobody of the agency."""

import uuid
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.comments.workflow import COMMENT
from app.db.base import Base, HasId, HasState

PERSON = "person.id"


class ColleagueComment(HasId, HasState, Base):
    """What one person said about one question of an assessment; its words never change.

    `asked_id` is the colleague to whom it is addressed, `None` when it is said to all;
    `answers_id` the comment of the same question that it answers. `broker_name` is the broker under
    whose delegation it was written, empty for the trader's own people. Names are of the day.
    """

    __tablename__ = "colleague_comment"
    workflow = COMMENT
    __table_args__ = (
        UniqueConstraint(
            "assessment_id",
            "question_id",
            "id",
            name="uq_colleague_comment_assessment_id_question_id_id",
        ),
        ForeignKeyConstraint(
            ["assessment_id", "question_id", "answers_id"],
            [
                "colleague_comment.assessment_id",
                "colleague_comment.question_id",
                "colleague_comment.id",
            ],
            name="fk_colleague_comment_answers",
        ),
        CheckConstraint("state IN ('said', 'asked', 'answered', 'closed')", name="state"),
        CheckConstraint("btrim(body) <> '' AND char_length(body) <= 4000", name="body"),
        CheckConstraint("(state = 'said') = (asked_id IS NULL)", name="asked"),
        CheckConstraint("(state IN ('answered', 'closed')) = (ended_at IS NOT NULL)", name="ended"),
        Index(
            "ix_colleague_comment_waiting",
            "trader_id",
            "asked_id",
            postgresql_where=text("state = 'asked'"),
        ),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trader.id"))
    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("assessment.id"))
    question_id: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]
    written_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    written_by_name: Mapped[str]
    broker_name: Mapped[str]
    asked_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    asked_name: Mapped[str]
    answers_id: Mapped[uuid.UUID | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    ended_by_name: Mapped[str]
