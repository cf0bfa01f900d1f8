"""Saving answers, so that two open pages never overwrite each other unseen."""

from collections.abc import Mapping

from app.assessments import queries
from app.assessments.errors import AnswersClashError, Clash
from app.assessments.models import Answer, AnswerRevision, Assessment, AssessmentSection
from app.assessments.rules import (
    AnswerInput,
    Content,
    Verdict,
    as_json,
    settle,
    shape_problems,
)
from app.assessments.service.sections import open_section
from app.assessments.settling import shown_of
from app.audit.tags import EventTag
from app.catalogues.model import Question
from app.kernel.errors import NotFoundError, NotReadyError
from app.work import Work

CLOSED = " closed"


def save_answers(
    work: Work,
    assessment: Assessment,
    section_id: str,
    *,
    answers: Mapping[str, AnswerInput],
    expected_version: int,
    page_key: str = "",
    closing: bool = False,
) -> int:
    """Save answers of one section, all or none, and return the section's version.

    `expected_version` is the section's version that the page was filled from. A page that saves
    more than once names itself by `page_key`: its own saves are then never taken for somebody
    else's, although it keeps its first `expected_version`. With `closing`, the page is left by
    this save: one that it sent before and that arrives after is then somebody else's, so that an
    earlier word never overwrites a later one.

    Side effects in order: the present answers, a revision of each that never changes again, the
    section's version, one event with the ids alone; nothing at all when nothing changed.

    `SectionLockedError` when the section cannot be written to; `NotReadyError` with a problem
    beside each control that holds a wrong form of answer; `AnswersClashError`, with both
    versions, when somebody else wrote the same answers meanwhile; `NotFoundError` for a
    question of another section.
    """
    section = open_section(work, assessment, section_id)
    given = {question_id: one.cleaned() for question_id, one in answers.items()}
    questions = _questions(assessment, section_id)
    if not given.keys() <= questions.keys():
        raise NotFoundError
    problems = [
        problem
        for question_id, one in given.items()
        for problem in shape_problems(questions[question_id], one)
    ]
    if problems:
        raise NotReadyError(problems)
    present = queries.answers_of(work.session, assessment.id, given)
    changed = _settle(
        work, section, given, present, expected_version=expected_version, page_key=page_key
    )
    if not changed:
        return section.version
    section.version += 1
    saved_from = f"{page_key}{CLOSED}" if closing else page_key
    for question_id, content in changed.items():
        write_answer(work, section, question_id, content, present.get(question_id), saved_from)
    work.record(
        EventTag.ANSWERS_SAVED,
        assessment,
        section=section_id,
        questions=sorted(changed),
        version=section.version,
    )
    return section.version


def _questions(assessment: Assessment, section_id: str) -> dict[str, Question]:
    criteria = queries.section_in(assessment, section_id).criteria
    return {question.id: question for one in criteria for question in one.questions}


def _settle(
    work: Work,
    section: AssessmentSection,
    given: Mapping[str, AnswerInput],
    present: Mapping[str, Answer],
    *,
    expected_version: int,
    page_key: str,
) -> dict[str, Content]:
    """The contents to write; `AnswersClashError` when any answer needs a person's decision."""
    moved_on = [
        question_id
        for question_id in given
        if question_id in present and present[question_id].version > expected_version
    ]
    later = (
        queries.since(work.session, section.assessment_id, moved_on, expected_version)
        if moved_on
        else {}
    )
    changed: dict[str, Content] = {}
    merged: dict[str, AnswerInput] = {}
    clashes: list[Clash] = []
    for question_id, one in given.items():
        row = present.get(question_id)
        now = Content.of(row)
        shown, foreign = shown_of(now, later.get(question_id), expected_version, page_key)
        verdict = settle(one, shown=shown, present=now, foreign=foreign)
        merged[question_id] = AnswerInput(
            **as_json(now if verdict is Verdict.KEEP else one.onto(now))
        )
        if verdict is Verdict.WRITE:
            changed[question_id] = one.onto(now)
        elif verdict is Verdict.CLASH and row is not None:
            clashes.append(
                Clash(question_id, now, one.onto(now), by=row.updated_by_name, at=row.updated_at)
            )
    if clashes:
        raise AnswersClashError(clashes, merged=merged, version=section.version)
    return changed


def write_answer(
    work: Work,
    section: AssessmentSection,
    question_id: str,
    content: Content,
    row: Answer | None,
    saved_from: str,
) -> None:
    """Write one answer into the locked section, whose version was counted up, and its revision."""
    texts = as_json(content)
    if row is None:
        row = Answer(assessment_id=section.assessment_id, question_id=question_id)
        work.session.add(row)
    for name, text in texts.items():
        setattr(row, name, text)
    row.version = section.version
    row.updated_at = work.now
    row.updated_by = work.actor.person_id
    row.updated_by_name = work.actor.name
    work.session.add(
        AnswerRevision(
            id=work.new_id(),
            assessment_id=section.assessment_id,
            question_id=question_id,
            version=section.version,
            saved_at=work.now,
            saved_by=work.actor.person_id,
            saved_by_name=work.actor.name,
            saved_from=saved_from,
            **texts,
        )
    )
