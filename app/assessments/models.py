"""The tables of assessments. Answers are rows: reviewers filter and comment by question."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.assessments.workflow import ASSESSMENT, WORKBOOK, AssessmentState
from app.db.base import Base, HasId, HasState
from app.documents.models import DocumentRevision

TRADER = "trader.id"
PERSON = "person.id"
OWN = "assessment.id"


class Assessment(HasId, HasState, Base):
    """One trader's answers to one catalogue version, whose hash and profile are pinned.

    `reopened_sections` are the only ones that can be written to while it is returned. `carried_from`
    is the assessment whose answers were taken over into this one.
    """

    __tablename__ = "assessment"
    workflow = ASSESSMENT
    __table_args__ = (
        # What refers to it from another table of the trader names the trader too.
        UniqueConstraint("trader_id", "id", name="uq_assessment_trader_id_id"),
        ForeignKeyConstraint(
            ["trader_id", "carried_from"],
            ["assessment.trader_id", "assessment.id"],
            name="fk_assessment_carried_from",
        ),
        Index("ix_assessment_trader_id", "trader_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    catalogue_id: Mapped[str]
    catalogue_version: Mapped[str]
    catalogue_sha256: Mapped[str]
    profile_id: Mapped[str]
    carried_from: Mapped[uuid.UUID | None]
    reopened_sections: Mapped[list[str]]
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.

    @property
    def moved_on(self) -> bool:
        """Whether another assessment has taken its answers over; it is only read since then."""
        return self.state == AssessmentState.MOVED

    def editable(self, section_id: str) -> bool:
        """Whether the section can be written to now."""
        if self.state == AssessmentState.RETURNED:
            return section_id in self.reopened_sections
        return self.state == AssessmentState.DRAFT


class AssessmentSection(Base):
    """One section; `version` counts its saves, and its row is the lock that puts them in order.

    `owner_id` is the colleague who looks after it until `due_on`, which stops nobody else.
    """

    __tablename__ = "assessment_section"

    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN), primary_key=True)
    section_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    completed_at: Mapped[datetime | None]
    completed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    due_on: Mapped[date | None]


class AnswerContent:
    """What a person gave for one question; an empty text is "nothing given".

    `value` is text: yes or no, a choice's value, digits, an ISO date, prose, or a table as a JSON
    list of rows. A reason in `not_applicable_reason` is the claim that the question does not apply.
    """

    value: Mapped[str]
    how_met: Mapped[str]
    document_reference: Mapped[str]
    not_applicable_reason: Mapped[str]


class Answer(AnswerContent, Base):
    """The present answer; `version` is the section's version at which it was last changed."""

    __tablename__ = "answer"

    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN), primary_key=True)
    question_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    updated_by_name: Mapped[str]


class AnswerRevision(HasId, AnswerContent, Base):
    """An answer as it was saved; never changed or deleted, so nothing acknowledged is lost.

    `saved_from` names the open page that saved it, so that a page never quarrels with itself.
    """

    __tablename__ = "answer_revision"
    __table_args__ = (
        UniqueConstraint(
            "assessment_id",
            "question_id",
            "version",
            name="uq_answer_revision_assessment_id_question_id_version",
        ),
    )

    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    question_id: Mapped[str]
    version: Mapped[int]
    saved_at: Mapped[datetime]
    saved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    saved_by_name: Mapped[str]
    saved_from: Mapped[str]


class CarriedAnswer(AnswerContent, Base):
    """An earlier answer to a question, as it was when it was carried; see `app.catalogues.carrying`.

    `how` is the carriage. What waits for confirmation or is a suggestion is no answer: that it
    stands here makes it readable, and nothing more. `said_at` and `said_by_name` are of the answer.
    """

    __tablename__ = "carried_answer"

    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN), primary_key=True)
    question_id: Mapped[str] = mapped_column(primary_key=True)
    how: Mapped[str]
    source_question_id: Mapped[str]
    note: Mapped[str]
    said_at: Mapped[datetime]
    said_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    said_by_name: Mapped[str]
    set_aside_at: Mapped[datetime | None]
    set_aside_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))


class AnswerEvidence(HasId, Base):
    """A document revision that supports a criterion, until it is detached."""

    __tablename__ = "answer_evidence"
    __table_args__ = (
        Index(
            "uq_answer_evidence_attached",
            "assessment_id",
            "criterion_id",
            "document_revision_id",
            unique=True,
            postgresql_where=text("detached_at IS NULL"),
        ),
        Index("ix_answer_evidence_document_revision_id", "document_revision_id"),
    )

    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    criterion_id: Mapped[str]
    document_revision_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document_revision.id"))
    attached_at: Mapped[datetime]
    attached_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    attached_by_name: Mapped[str]
    detached_at: Mapped[datetime | None]
    detached_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))

    revision: Mapped[DocumentRevision] = relationship(lazy="joined", innerjoin=True)


class AnswerWorkbook(HasId, HasState, Base):
    """A workbook that came back filled in; its answers are kept until it is applied or put away.

    `given` holds texts by question id and name, `shown_versions` the version of each section when
    it was downloaded, `faults` what could not be read, by sheet and cell. `taken` counts the
    answers that applying it changed.
    """

    __tablename__ = "answer_workbook"
    workflow = WORKBOOK
    __table_args__ = (Index("ix_answer_workbook_assessment_id", "assessment_id"),)

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(OWN))
    catalogue_sha256: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    shown_versions: Mapped[dict[str, Any]]
    given: Mapped[dict[str, Any]]
    faults: Mapped[list[Any]]
    received_at: Mapped[datetime]
    received_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    received_by_name: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    taken: Mapped[int]
