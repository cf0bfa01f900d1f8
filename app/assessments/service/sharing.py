"""Who looks after which section, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.assessments import queries
from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment, AssessmentSection
from app.assessments.workflow import AssessmentState
from app.audit.tags import EventTag
from app.identity.models import Person
from app.kernel.errors import NotFoundError, NotReadyError, Problem
from app.notifications.service import send
from app.work import Work

OWNER: Final = "owner."
DUE: Final = "due."


@dataclass(frozen=True, slots=True)
class SectionTask:
    """Who looks after a section and until when; `None` is nobody, and no day."""

    owner_id: UUID | None = None
    due_on: date | None = None


def share_out(
    work: Work,
    assessment: Assessment,
    *,
    shown: Mapping[str, SectionTask],
    wanted: Mapping[str, SectionTask],
) -> int:
    """Give sections to colleagues and return how many changed.

    `shown` is what the page showed by section id, so that a row which it did not touch never
    overwrites what somebody else decided meanwhile.

    Side effects in order: the sections' owners and days, one event, one letter to each person who
    was given something by somebody else; nothing when nothing changed. `NotReadyError` with a
    problem beside each control: a day that has passed, somebody who cannot write there, a row
    that somebody else changed meanwhile. `NotFoundError` for a section outside the profile;
    `SectionLockedError` once the assessment is submitted.
    """
    work.session.flush()
    work.session.refresh(assessment, with_for_update={"read": True})
    if assessment.state == AssessmentState.SUBMITTED:
        raise SectionLockedError
    rows = _locked(work, assessment)
    if not rows.keys() >= wanted.keys():
        raise NotFoundError
    people = {one.id: one for one in queries.colleagues(work.session, assessment)}
    changed = _changes(work, rows, people, shown, wanted)
    if not changed:
        return 0
    given: dict[UUID, list[str]] = {}
    for section_id, task in changed.items():
        row = rows[section_id]
        if task.owner_id is not None and task.owner_id != row.owner_id:
            given.setdefault(task.owner_id, []).append(section_id)
        row.owner_id, row.due_on = task.owner_id, task.due_on
    work.record(
        EventTag.SECTIONS_SHARED_OUT,
        assessment,
        sections={
            section_id: {
                "owner": None if task.owner_id is None else str(task.owner_id),
                "due": None if task.due_on is None else task.due_on.isoformat(),
            }
            for section_id, task in changed.items()
        },
    )
    for owner_id, section_ids in given.items():
        if owner_id != work.actor.person_id:
            _tell(work, assessment, people[owner_id], section_ids, rows)
    return len(changed)


def _locked(work: Work, assessment: Assessment) -> dict[str, AssessmentSection]:
    found = work.session.scalars(
        select(AssessmentSection)
        .where(AssessmentSection.assessment_id == assessment.id)
        .order_by(AssessmentSection.section_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {one.section_id: one for one in found}


def _changes(
    work: Work,
    rows: Mapping[str, AssessmentSection],
    people: Mapping[UUID, Person],
    shown: Mapping[str, SectionTask],
    wanted: Mapping[str, SectionTask],
) -> dict[str, SectionTask]:
    changed: dict[str, SectionTask] = {}
    problems: list[Problem] = []
    for section_id, task in wanted.items():
        now = SectionTask(rows[section_id].owner_id, rows[section_id].due_on)
        before = shown.get(section_id, SectionTask())
        if task not in {now, before}:
            problems += _problems(work, section_id, task, now, before, people)
            changed[section_id] = task
    if problems:
        raise NotReadyError(problems)
    return changed


def _problems(
    work: Work,
    section_id: str,
    task: SectionTask,
    now: SectionTask,
    before: SectionTask,
    people: Mapping[UUID, Person],
) -> list[Problem]:
    found = []
    if now != before:
        found.append(
            Problem(
                "Somebody else changed who looks after this section, or until when, while this"
                " page was open. Look at it again.",
                field=f"{OWNER}{section_id}",
                code="overtaken",
            )
        )
    if task.owner_id is not None and task.owner_id not in people:
        found.append(
            Problem(
                "Choose a colleague who can write in the self-assessment.",
                field=f"{OWNER}{section_id}",
                code="owner",
            )
        )
    if task.due_on is not None and task.due_on != now.due_on and task.due_on < work.now.date():
        found.append(
            Problem(
                "This day has passed. Choose a later one.", field=f"{DUE}{section_id}", code="due"
            )
        )
    return found


def _tell(
    work: Work,
    assessment: Assessment,
    owner: Person,
    section_ids: list[str],
    rows: Mapping[str, AssessmentSection],
) -> None:
    sections = queries.catalogue_of(assessment).sections_in(assessment.profile_id)
    lines = [
        f"{one.id}. {one.title}"
        + (f", until {due.isoformat()}" if (due := rows[one.id].due_on) else "")
        for one in sections
        if one.id in section_ids
    ]
    send(
        work,
        to=owner.email,
        template="section-assigned",
        person_id=owner.id,
        name=owner.name,
        giver=work.actor.name,
        trader=queries.company_of(work.session, assessment),
        sections="\n".join(lines),
        path=f"/traders/{assessment.trader_id}/assessments/{assessment.id}",
    )
