"""What is read of comments; foreign looks like absent, and so does what is not for one's eyes."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.assessments.models import Assessment
from app.assessments.queries import catalogue_of
from app.authz.actor import TraderRole
from app.catalogues.model import Criterion, Question, Section
from app.comments.models import ColleagueComment
from app.comments.workflow import CommentState
from app.identity.models import Person
from app.kernel.errors import NotFoundError
from app.traders.queries import people_with
from app.work import Work

READERS = (TraderRole.OFFICER, TraderRole.PREPARER, TraderRole.CONSULTANT, TraderRole.VIEWER)
# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = ColleagueComment._state  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Place:
    """A question with what it belongs to."""

    section: Section
    criterion: Criterion
    question: Question


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said about one question: how many comments, and those that wait for an answer."""

    count: int = 0
    waiting: Sequence[ColleagueComment] = ()


@dataclass(frozen=True, slots=True)
class Talks:
    """What is said about an assessment, by question; `me` is the reader."""

    by_question: Mapping[str, Talk] = field(default_factory=dict)
    me: uuid.UUID | None = None

    def about(self, question_id: str) -> Talk:
        """What is said about one question."""
        return self.by_question.get(question_id, Talk())

    def waits(self, criterion: Criterion) -> bool:
        """Whether anything about a criterion waits for an answer."""
        return any(self.about(question.id).waiting for question in criterion.questions)

    def waiting_in(self, section: Section) -> list[ColleagueComment]:
        """What waits for an answer in a section."""
        return [
            comment
            for criterion in section.criteria
            for question in criterion.questions
            for comment in self.about(question.id).waiting
        ]

    def for_me(self, section: Section) -> int:
        """How much of it waits for the reader."""
        return sum(one.asked_id == self.me for one in self.waiting_in(section))


def place_of(assessment: Assessment, question_id: str) -> Place:
    """The question in the assessment's profile; `NotFoundError` for any other."""
    for section in catalogue_of(assessment).sections_in(assessment.profile_id):
        for criterion in section.criteria:
            for question in criterion.questions:
                if question.id == question_id:
                    return Place(section, criterion, question)
    raise NotFoundError


def thread(
    session: Session, assessment_id: uuid.UUID, question_id: str
) -> Sequence[ColleagueComment]:
    """Everything that was said about a question, oldest first."""
    return session.scalars(
        select(ColleagueComment)
        .where(
            ColleagueComment.assessment_id == assessment_id,
            ColleagueComment.question_id == question_id,
        )
        .order_by(ColleagueComment.written_at, ColleagueComment.id)
    ).all()


def talks(session: Session, assessment_id: uuid.UUID, me: uuid.UUID | None) -> Talks:
    """What is said about each question of an assessment, in one statement."""
    found: dict[str, list[ColleagueComment]] = {}
    for one in session.scalars(
        select(ColleagueComment)
        .where(ColleagueComment.assessment_id == assessment_id)
        .order_by(ColleagueComment.written_at, ColleagueComment.id)
    ):
        found.setdefault(one.question_id, []).append(one)
    return Talks(
        {
            question_id: Talk(len(several), _waiting(several))
            for question_id, several in found.items()
        },
        me,
    )


def _waiting(several: Iterable[ColleagueComment]) -> list[ColleagueComment]:
    return [one for one in several if one.state == CommentState.ASKED]


def visible_comment(work: Work, assessment: Assessment, comment_id: uuid.UUID) -> ColleagueComment:
    """A comment on this assessment; `NotFoundError` for any other."""
    found = work.session.get(ColleagueComment, comment_id)
    if found is None or found.assessment_id != assessment.id:
        raise NotFoundError
    return found


def asked_of(
    session: Session, trader_id: uuid.UUID, person_id: uuid.UUID | None, most: int
) -> Sequence[ColleagueComment]:
    """What waits for this person's answer at the trader, oldest first."""
    return session.scalars(
        select(ColleagueComment)
        .where(
            ColleagueComment.trader_id == trader_id,
            ColleagueComment.asked_id == person_id,
            STATE == CommentState.ASKED,
        )
        .order_by(ColleagueComment.written_at, ColleagueComment.id)
        .limit(most)
    ).all()


def who_can_be_asked(work: Work, assessment: Assessment) -> Sequence[Person]:
    """The trader's own people who read its assessments, by name, but the one who asks.

    A broker's people do not know them, so for them there is nobody.
    """
    found = people_with(work.session, assessment.trader_id, READERS)
    return [one for one in found if one.id != work.actor.person_id]
