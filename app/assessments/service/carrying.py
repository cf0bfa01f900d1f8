"""Taking answers over into an assessment of another version, confirming them, setting them aside.

Source: the interface reference on criteria that change; nothing that was acknowledged is lost: the
earlier assessment stays as it is, to be read.
"""

from collections.abc import Collection

from app.assessments import carrying_queries as carrying
from app.assessments import queries
from app.assessments.carriage import COUNTS, Carry, Takeover
from app.assessments.models import (
    Answer,
    AnswerEvidence,
    AnswerRevision,
    Assessment,
    CarriedAnswer,
)
from app.assessments.rules import AnswerInput, Content, as_json
from app.assessments.service.answers import save_answers
from app.assessments.service.life import start
from app.assessments.service.sections import open_section
from app.audit.tags import EventTag
from app.catalogues.carrying import Carriage
from app.catalogues.model import Catalogue
from app.db.concurrency import lock_row
from app.documents.age import still_counts
from app.kernel.errors import NotFoundError
from app.work import Work, move


def carry_over(
    work: Work, old: Assessment, *, catalogue: Catalogue, profile_id: str, annual: bool
) -> Assessment:
    """Open an assessment of `catalogue` with what `old` holds, as far as it may be taken over.

    Waits for saves that are under way. Side effects in order: the new assessment with its event;
    what counts as answers, each with a revision in the name of whoever gave it; a row for each
    carried answer; documents that still prove. `old` is not touched. Errors as of `start`.
    """
    work.session.flush()
    lock_row(work.session, old)
    found = carrying.takeover_of(work.session, old, catalogue, profile_id, annual=annual)
    new = start(
        work, old.trader_id, catalogue=catalogue, profile_id=profile_id, carried_from=old.id
    )
    work.session.flush()
    sections = queries.sections_of(work.session, new.id)
    for one in found.carries:
        if one.earlier is None:
            continue
        work.session.add(_carried(new, one))
        if one.how in COUNTS:
            section = sections[catalogue.section_of(one.criterion.id).id]
            section.version = 1
            _take(work, new, one)
    if not annual:
        before = queries.sections_of(work.session, old.id)
        for section_id in found.unchanged & before.keys():
            sections[section_id].completed_at = before[section_id].completed_at
            sections[section_id].completed_by = before[section_id].completed_by
    work.session.flush()
    _take_documents(work, old, new, found, annual=annual)
    return new


def supersede(work: Work, old: Assessment, new: Assessment) -> None:
    """Close the assessment from which another was made; it stays readable for good.

    Side effects: no section is open any more; the move, with its event, which counts what was
    taken over. `IllegalTransitionError` when another has taken over from it already.
    """
    carried = carrying.carried_of(work.session, new.id).values()
    counts = {how.value: sum(one.how == how for one in carried) for how in Carriage}
    move(
        work,
        old,
        "supersede",
        successor=new.id,
        from_version=old.catalogue_version,
        to_version=new.catalogue_version,
        **{name: count for name, count in counts.items() if count},
    )
    old.reopened_sections = []


def confirm_carried(
    work: Work, assessment: Assessment, section_id: str, question_ids: Collection[str]
) -> None:
    """Say of carried answers of one section that they still hold: they become answers of one's own.

    Side effects: those of `save_answers`, so one event. What was answered or confirmed meanwhile
    stays as it is. `NotFoundError` for anything that waits for no confirmation in this section;
    otherwise the errors of `save_answers`.
    """
    section = open_section(work, assessment, section_id)
    carried = _of_section(work, assessment, section_id, question_ids)
    answers = queries.contents_of(work.session, assessment.id)
    given = {
        question_id: AnswerInput(**as_json(Content.of(row)))
        for question_id, row in carried.items()
        if question_id not in answers or answers[question_id] == Content()
    }
    save_answers(work, assessment, section_id, answers=given, expected_version=section.version)


def set_aside(
    work: Work, assessment: Assessment, section_id: str, question_ids: Collection[str]
) -> None:
    """Say of carried answers of one section that they do not hold; they stay readable.

    Side effects: the mark of each, one event; nothing when all were set aside. Errors as of
    `confirm_carried`.
    """
    open_section(work, assessment, section_id)
    found = [
        row
        for row in _of_section(work, assessment, section_id, question_ids).values()
        if row.set_aside_at is None
    ]
    if not found:
        return
    for row in found:
        row.set_aside_at = work.now
        row.set_aside_by = work.actor.person_id
    work.session.flush()
    work.record(
        EventTag.CARRIED_SET_ASIDE,
        assessment,
        section=section_id,
        questions=sorted(row.question_id for row in found),
    )


def _of_section(
    work: Work, assessment: Assessment, section_id: str, question_ids: Collection[str]
) -> dict[str, CarriedAnswer]:
    wanted = set(question_ids)
    asked = {
        question.id
        for criterion in queries.section_in(assessment, section_id).criteria
        for question in criterion.questions
    }
    found = {
        question_id: row
        for question_id, row in carrying.carried_of(work.session, assessment.id).items()
        if question_id in wanted & asked and row.how == Carriage.UNCONFIRMED
    }
    if not wanted or found.keys() != wanted:
        raise NotFoundError
    return found


def _carried(new: Assessment, one: Carry) -> CarriedAnswer:
    assert one.earlier is not None  # noqa: S101 - the caller has looked; for the type checker.
    return CarriedAnswer(
        assessment_id=new.id,
        question_id=one.question.id,
        how=one.how.value,
        source_question_id=one.source or one.question.id,
        note=one.note,
        said_at=one.earlier.at,
        said_by=one.earlier.by_id,
        said_by_name=one.earlier.by,
        **as_json(one.earlier.content),
    )


def _take(work: Work, new: Assessment, one: Carry) -> None:
    """The answer as it was given, by whom and when it was given."""
    assert one.earlier is not None  # noqa: S101 - as above.
    texts = as_json(one.earlier.content)
    work.session.add(
        Answer(
            assessment_id=new.id,
            question_id=one.question.id,
            version=1,
            updated_at=one.earlier.at,
            updated_by=one.earlier.by_id,
            updated_by_name=one.earlier.by,
            **texts,
        )
    )
    work.session.add(
        AnswerRevision(
            id=work.new_id(),
            assessment_id=new.id,
            question_id=one.question.id,
            version=1,
            saved_at=work.now,
            saved_by=work.actor.person_id,
            saved_by_name=work.actor.name,
            saved_from="carried",
            **texts,
        )
    )


def _take_documents(
    work: Work, old: Assessment, new: Assessment, found: Takeover, *, annual: bool
) -> None:
    criteria = {one.criterion.id: one.criterion for one in found.carries}
    for criterion_id, attached in queries.evidence_of(work.session, old.id).items():
        if criterion_id not in found.proofs:
            continue
        work.session.add_all(
            AnswerEvidence(
                id=work.new_id(),
                assessment_id=new.id,
                criterion_id=criterion_id,
                document_revision_id=one.document_revision_id,
                attached_at=one.attached_at,
                attached_by=one.attached_by,
                attached_by_name=one.attached_by_name,
            )
            for one in attached
            if not annual
            or still_counts(
                one.revision.stored_at.date(),
                one.revision.expires_on,
                criteria[criterion_id].evidence.max_age_months,
                work.now.date(),
            )
        )
    work.session.flush()
