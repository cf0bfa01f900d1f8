"""Accepting what another assessment offers. Source: the interface reference, on crosswalks."""

import uuid
from collections.abc import Collection

from app.assessments import queries as assessments
from app.assessments import service
from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.audit.tags import EventTag
from app.crosswalk import queries
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.work import Work

CHANGED = "This was changed meanwhile. Look at what is offered now."


def accept(
    work: Work,
    assessment: Assessment,
    *,
    criterion_id: str,
    source_assessment_id: uuid.UUID,
    source_criterion_id: str,
    revision_ids: Collection[uuid.UUID],
    take_words: bool,
) -> None:
    """Take what a person chose of one offer; everything else stays where it is.

    Side effects in order: the words as the first question's "how you meet this", with the event of
    saving answers; each document beside the criterion, with the event of attaching it; one event
    of its own, which names where it came from. Errors: `ConflictError` when the offer no longer
    stands, or no longer holds what was chosen; `NotReadyError` when nothing was chosen;
    `SectionLockedError` when the section cannot be written to.
    """
    wanted = (criterion_id, source_assessment_id, source_criterion_id)
    offer = next((one for one in queries.offers_to(work, assessment) if one.key == wanted), None)
    if offer is None:
        raise ConflictError(CHANGED)
    offered = {one.revision_id for one in offer.papers}
    if not revision_ids and not take_words:
        raise NotReadyError([Problem("Choose what to take.", "papers", "papers")])
    if set(revision_ids) - offered or (take_words and not offer.words):
        raise ConflictError(CHANGED)
    if take_words:
        row = assessments.sections_of(work.session, assessment.id)[offer.section.id]
        service.save_answers(
            work,
            assessment,
            offer.section.id,
            answers={offer.criterion.questions[0].id: AnswerInput(how_met=offer.words)},
            expected_version=row.version,
        )
    for revision_id in sorted(revision_ids):
        service.attach_evidence(work, assessment, criterion_id, revision_id)
    work.session.flush()
    work.record(
        EventTag.OFFER_ACCEPTED,
        assessment,
        criterion=criterion_id,
        source_assessment_id=source_assessment_id,
        source_criterion=offer.source.id,
        revisions=sorted(str(one) for one in revision_ids),
        words=take_words,
    )
