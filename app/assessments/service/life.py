"""The life of an assessment: started, locked at submission, reopened on a return."""

import uuid
from collections.abc import Iterable

from app.assessments import queries
from app.assessments.models import Assessment, AssessmentSection
from app.audit.tags import EventTag
from app.catalogues.model import Catalogue
from app.db.concurrency import lock_row
from app.kernel.errors import NotFoundError
from app.work import Work, move


def start(
    work: Work,
    trader_id: uuid.UUID,
    *,
    catalogue: Catalogue,
    profile_id: str,
    carried_from: uuid.UUID | None = None,
) -> Assessment:
    """Open an assessment of one catalogue version under one of its profiles.

    `carried_from` is the assessment whose answers it takes over.

    Side effects in order: the assessment, a row for each section, the event. `UnknownIdError`
    for a profile that the catalogue does not have.
    """
    sections = catalogue.sections_in(profile_id)
    assessment = Assessment(
        id=work.new_id(),
        trader_id=trader_id,
        catalogue_id=catalogue.id,
        catalogue_version=catalogue.version,
        catalogue_sha256=catalogue.sha256,
        profile_id=profile_id,
        carried_from=carried_from,
        reopened_sections=[],
        created_at=work.now,
        created_by=work.actor.person_id,
    )
    work.session.add(assessment)
    work.session.flush()
    work.session.add_all(
        AssessmentSection(assessment_id=assessment.id, section_id=section.id, version=0)
        for section in sections
    )
    work.record(
        EventTag.ASSESSMENT_STARTED,
        assessment,
        catalogue=catalogue.id,
        version=catalogue.version,
        sha256=catalogue.sha256,
        profile=profile_id,
    )
    return assessment


def lock(work: Work, assessment: Assessment) -> None:
    """Let nobody write to the assessment any more; the application calls it when it is submitted.

    Waits for saves that are under way. Side effects in order: no section is reopened any more;
    the move to submitted with its event. `IllegalTransitionError` when it is submitted already;
    `UnavailableError` when the installed catalogue is not the one that was pinned.
    """
    work.session.flush()
    lock_row(work.session, assessment)
    queries.catalogue_of(assessment)
    move(work, assessment, "lock")
    assessment.reopened_sections = []


def reopen(work: Work, assessment: Assessment, section_ids: Iterable[str]) -> None:
    """Let the trader write to the named sections again; the application calls it on a return.

    Side effects in order: the sections are open and no longer complete; the move to returned
    with its event. When it was returned already, the sections are added. `NotFoundError` for a
    section outside the profile; `IllegalTransitionError` for a draft.
    """
    work.session.flush()
    lock_row(work.session, assessment)
    wanted = sorted(set(section_ids))
    rows = queries.sections_of(work.session, assessment.id)
    if not rows.keys() >= set(wanted):
        raise NotFoundError
    move(work, assessment, "reopen", sections=wanted)
    assessment.reopened_sections = sorted({*assessment.reopened_sections, *wanted})
    for section_id in wanted:
        rows[section_id].completed_at = rows[section_id].completed_by = None
