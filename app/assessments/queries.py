"""What is read about assessments. Row access: `visible_assessment`; foreign looks like absent."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session, contains_eager, object_session

from app.assessments.models import (
    Answer,
    AnswerEvidence,
    AnswerRevision,
    AnswerWorkbook,
    Assessment,
    AssessmentSection,
)
from app.assessments.rules import Content, Standing, gaps, standings
from app.authz.actor import TraderRole
from app.authz.permissions import Permission
from app.authz.policy import may
from app.catalogues.loader import catalogues
from app.catalogues.model import Catalogue, Section
from app.documents.models import Document, DocumentRevision
from app.documents.workflow import ScanState
from app.identity.models import Person
from app.kernel.errors import NotFoundError, Problem, UnavailableError
from app.publications.queries import known_version
from app.traders.models import Trader
from app.traders.queries import people_with
from app.work import Work

WRITERS = (TraderRole.OFFICER, TraderRole.PREPARER, TraderRole.CONSULTANT)


def visible_assessment(
    work: Work, trader_id: uuid.UUID, assessment_id: uuid.UUID, permission: Permission
) -> Assessment:
    """The trader's assessment, when the actor holds the permission on it; else `NotFoundError`."""
    assessment = work.session.get(Assessment, assessment_id)
    if (
        assessment is None
        or assessment.trader_id != trader_id
        or not may(work.actor, permission, assessment)
    ):
        raise NotFoundError
    return assessment


def catalogue_of(assessment: Assessment) -> Catalogue:
    """The catalogue version that the assessment pins.

    `UnavailableError` when the installed file is no longer the one that was pinned: answers to
    other words are not answers.
    """
    session = object_session(assessment)
    key = (assessment.catalogue_id, assessment.catalogue_version)
    found = catalogues().get(*key) if session is None else known_version(session, *key)
    if found.sha256 != assessment.catalogue_sha256:
        raise UnavailableError(
            "The criteria of this assessment were altered on this installation.",
            code="catalogue-altered",
        )
    return found


def section_in(assessment: Assessment, section_id: str) -> Section:
    """A section of the assessment's profile; `NotFoundError` for any other."""
    for section in catalogue_of(assessment).sections_in(assessment.profile_id):
        if section.id == section_id:
            return section
    raise NotFoundError


def answers_of(
    session: Session, assessment_id: uuid.UUID, question_ids: Iterable[str] | None = None
) -> dict[str, Answer]:
    """The present answers by question id, as they are in the database now: all, or to these."""
    wanted = select(Answer).where(Answer.assessment_id == assessment_id)
    if question_ids is not None:
        wanted = wanted.where(Answer.question_id.in_(set(question_ids)))
    found = session.scalars(wanted.execution_options(populate_existing=True))
    return {one.question_id: one for one in found}


def contents_of(session: Session, assessment_id: uuid.UUID) -> dict[str, Content]:
    """The texts of all present answers by question id, read without making rows of them."""
    found = session.execute(
        select(
            Answer.question_id,
            Answer.value,
            Answer.how_met,
            Answer.document_reference,
            Answer.not_applicable_reason,
        ).where(Answer.assessment_id == assessment_id)
    )
    return {question_id: Content(*texts) for question_id, *texts in found}


def evidence_of(session: Session, assessment_id: uuid.UUID) -> dict[str, list[AnswerEvidence]]:
    """What is attached now, by criterion id, in the order of attaching.

    A document that the trader removed supports nothing any more.
    """
    found: dict[str, list[AnswerEvidence]] = {}
    attached = session.scalars(
        _attached(select(AnswerEvidence), assessment_id)
        .options(contains_eager(AnswerEvidence.revision).contains_eager(DocumentRevision.document))
        .order_by(AnswerEvidence.attached_at, AnswerEvidence.id)
    )
    for one in attached:
        found.setdefault(one.criterion_id, []).append(one)
    return found


def evidence_with(
    session: Session, assessment_id: uuid.UUID, criterion_id: str, revision_id: uuid.UUID
) -> AnswerEvidence | None:
    """The row by which this very revision supports the criterion now, if it does."""
    return session.scalars(
        _attached(select(AnswerEvidence), assessment_id).where(
            AnswerEvidence.criterion_id == criterion_id,
            AnswerEvidence.document_revision_id == revision_id,
        )
    ).first()


def usable(evidence: Mapping[str, Sequence[AnswerEvidence]]) -> dict[str, int]:
    """How many files support each criterion; an infected one supports nothing."""
    return {
        criterion_id: sum(one.revision.scan_state != ScanState.INFECTED for one in attached)
        for criterion_id, attached in evidence.items()
    }


def evidence_revision_ids(session: Session, assessment_id: uuid.UUID) -> set[uuid.UUID]:
    """The document revisions that support any criterion, for freezing at submission."""
    ids = _attached(select(AnswerEvidence.document_revision_id), assessment_id)
    return set(session.scalars(ids))


def _attached(statement: Select[Any], assessment_id: uuid.UUID) -> Select[Any]:
    return (
        statement.join(AnswerEvidence.revision)
        .join(DocumentRevision.document)
        .where(
            AnswerEvidence.assessment_id == assessment_id,
            AnswerEvidence.detached_at.is_(None),
            Document.removed_at.is_(None),
        )
    )


def sections_of(session: Session, assessment_id: uuid.UUID) -> dict[str, AssessmentSection]:
    """The sections' rows by section id."""
    found = session.scalars(
        select(AssessmentSection).where(AssessmentSection.assessment_id == assessment_id)
    )
    return {one.section_id: one for one in found}


@dataclass(frozen=True, slots=True)
class SectionProgress:
    """How far one section is: `answered` of `total` criteria that apply.

    `musts_unanswered` and `evidence_gaps` count criteria; `started` is whether anything was
    saved; `reopened` whether the agency asked for this section; `editable` whether it can be
    written to now.
    """

    section: Section
    total: int
    answered: int
    musts: int
    musts_unanswered: int
    evidence_gaps: int
    completed_at: datetime | None
    started: bool
    reopened: bool
    editable: bool
    owner_id: uuid.UUID | None
    due_on: date | None
    gaps: tuple[Problem, ...] = ()

    @property
    def completed(self) -> bool:
        """Whether a person said that it is."""
        return self.completed_at is not None


def progress(session: Session, assessment: Assessment) -> list[SectionProgress]:
    """How far each section of the profile is, in its order; three queries, however many there are.

    Unanswered is neither met nor not met: it is only counted as open.
    """
    catalogue = catalogue_of(assessment)
    contents = contents_of(session, assessment.id)
    files = usable(evidence_of(session, assessment.id))
    rows = sections_of(session, assessment.id)
    by_section: dict[str, list[Standing]] = {}
    for one in standings(catalogue, assessment.profile_id, contents, files):
        by_section.setdefault(one.section.id, []).append(one)
    missing: dict[object, list[Problem]] = {}
    for problem in gaps(catalogue, assessment.profile_id, contents, files):
        missing.setdefault(problem.params["section"], []).append(problem)
    return [
        _section_progress(assessment, section, by_section[section.id], rows, missing)
        for section in catalogue.sections_in(assessment.profile_id)
    ]


def _section_progress(
    assessment: Assessment,
    section: Section,
    criteria: Iterable[Standing],
    rows: Mapping[str, AssessmentSection],
    missing: Mapping[object, Sequence[Problem]],
) -> SectionProgress:
    asked = [one for one in criteria if one.applies]
    row = rows.get(section.id)
    return SectionProgress(
        section=section,
        total=len(asked),
        answered=sum(one.answered for one in asked),
        musts=sum(one.must for one in asked),
        musts_unanswered=sum(one.must and not one.answered for one in asked),
        evidence_gaps=sum(one.evidence_missing for one in asked),
        completed_at=row.completed_at if row else None,
        started=bool(row and row.version) or any(one.files for one in asked),
        reopened=section.id in assessment.reopened_sections,
        editable=assessment.editable(section.id),
        owner_id=row.owner_id if row else None,
        due_on=row.due_on if row else None,
        gaps=tuple(missing.get(section.id, ())),
    )


def open_gaps(session: Session, assessment: Assessment) -> list[Problem]:
    """What stands in the way of submitting the assessment; see `rules.gaps`."""
    return gaps(
        catalogue_of(assessment),
        assessment.profile_id,
        contents_of(session, assessment.id),
        usable(evidence_of(session, assessment.id)),
    )


def history_of(
    session: Session, assessment_id: uuid.UUID, question_ids: Iterable[str]
) -> list[AnswerRevision]:
    """Every version that these answers ever had, oldest first."""
    return list(
        session.scalars(
            select(AnswerRevision)
            .where(
                AnswerRevision.assessment_id == assessment_id,
                AnswerRevision.question_id.in_(set(question_ids)),
            )
            .order_by(AnswerRevision.question_id, AnswerRevision.version)
        )
    )


def since(
    session: Session, assessment_id: uuid.UUID, question_ids: Iterable[str], version: int
) -> dict[str, list[AnswerRevision]]:
    """What these answers were at a section's version and ever since, oldest first.

    The first of each list is the state at `version` when its own version is not above it;
    an answer that did not exist then starts with its first revision.
    """
    wanted = set(question_ids)
    of_these = (
        AnswerRevision.assessment_id == assessment_id,
        AnswerRevision.question_id.in_(wanted),
    )
    base = (
        select(AnswerRevision.question_id, func.max(AnswerRevision.version))
        .where(*of_these, AnswerRevision.version <= version)
        .group_by(AnswerRevision.question_id)
    )
    at_version = tuple_(AnswerRevision.question_id, AnswerRevision.version).in_(base)
    found: dict[str, list[AnswerRevision]] = {}
    rows = session.scalars(
        select(AnswerRevision)
        .where(*of_these, (AnswerRevision.version > version) | at_version)
        .order_by(AnswerRevision.version)
    )
    for row in rows:
        found.setdefault(row.question_id, []).append(row)
    return found


def company_of(session: Session, assessment: Assessment) -> str:
    """The name of the trader whose assessment it is."""
    trader = session.get(Trader, assessment.trader_id)
    return trader.name if trader else ""


def colleagues(session: Session, assessment: Assessment) -> Sequence[Person]:
    """The trader's own people who can write in its assessments, by name."""
    return people_with(session, assessment.trader_id, WRITERS)


def visible_workbook(work: Work, assessment: Assessment, workbook_id: uuid.UUID) -> AnswerWorkbook:
    """A workbook that came back for this very assessment; `NotFoundError` for any other."""
    workbook = work.session.get(AnswerWorkbook, workbook_id)
    if workbook is None or workbook.assessment_id != assessment.id:
        raise NotFoundError
    return workbook


def waiting_workbooks(session: Session, assessment_id: uuid.UUID) -> list[AnswerWorkbook]:
    """The workbooks of an assessment that nobody has decided on, the newest first."""
    return list(
        session.scalars(
            select(AnswerWorkbook)
            .where(
                AnswerWorkbook.assessment_id == assessment_id,
                AnswerWorkbook.decided_at.is_(None),
            )
            .order_by(AnswerWorkbook.received_at.desc())
        )
    )
