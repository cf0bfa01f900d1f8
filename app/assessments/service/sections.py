"""A section: locked for writing, called complete, or not any more."""

from app.assessments import queries
from app.assessments.carrying_queries import pending_gaps
from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment, AssessmentSection
from app.audit.tags import EventTag
from app.kernel.errors import NotFoundError, NotReadyError, Problem
from app.work import Work


def open_section(work: Work, assessment: Assessment, section_id: str) -> AssessmentSection:
    """Lock a section for writing. The assessment stays as it is until this transaction ends.

    `SectionLockedError` when it cannot be written to, `NotFoundError` when it is not there.
    """
    # Reading a row again drops what was not flushed of it.
    work.session.flush()
    # A shared lock: two people in two sections do not wait, but locking the whole does.
    work.session.refresh(assessment, with_for_update={"read": True})
    section = work.session.get(
        AssessmentSection, (assessment.id, section_id), with_for_update=True, populate_existing=True
    )
    if section is None:
        raise NotFoundError
    if not assessment.editable(section_id):
        raise SectionLockedError
    return section


def complete_section(work: Work, assessment: Assessment, section_id: str) -> None:
    """Note that a person calls the section complete.

    Side effects in order: the mark, the event; nothing when it was complete. `NotReadyError`
    with the section's gaps (see `rules.gaps`); `SectionLockedError`.
    """
    section = open_section(work, assessment, section_id)
    if section.completed_at is not None:
        return
    problems = section_gaps(work, assessment, section_id)
    if problems:
        raise NotReadyError(problems)
    section.completed_at = work.now
    section.completed_by = work.actor.person_id
    work.record(EventTag.SECTION_COMPLETED, assessment, section=section_id)


def reopen_section(work: Work, assessment: Assessment, section_id: str) -> None:
    """Take the word "complete" back. Side effects: the mark, the event; `SectionLockedError`."""
    section = open_section(work, assessment, section_id)
    if section.completed_at is None:
        return
    section.completed_at = section.completed_by = None
    work.record(EventTag.SECTION_REOPENED, assessment, section=section_id)


def section_gaps(work: Work, assessment: Assessment, section_id: str) -> list[Problem]:
    """What is still missing in one section."""
    found = [
        problem
        for problem in queries.open_gaps(work.session, assessment)
        if problem.params["section"] == section_id
    ]
    return found + pending_gaps(work.session, assessment).get(section_id, [])
