"""The agency asks for something; the trader answers, task by task."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from app.applications import queries
from app.applications.models import Application, ApplicationReturn, ReturnedPoint, TaskReply
from app.applications.queries.content import assessment_of
from app.applications.rules.returns import catalogue_tasks, return_problems
from app.applications.rules.tasks import PROFILE, reopened_by, section_of
from app.applications.service.letters import day_in_words, to_officers
from app.applications.workflow import ApplicationState
from app.assessments import service as assessments
from app.assessments.queries import catalogue_of
from app.audit.tags import EventTag
from app.db.concurrency import lock_row
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.work import Work, move


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that the agency says in a return: about a criterion, or about a task.

    Exactly one of `criterion_id` and `task` is given; the trader reads `comment`.
    """

    comment: str
    criterion_id: str | None = None
    task: str | None = None


def return_to_trader(
    work: Work,
    application: Application,
    *,
    tasks: Collection[str],
    message: str,
    points: Sequence[Point] = (),
    due_on: date | None = None,
) -> ApplicationReturn:
    """Give a submitted application back; only the named tasks can be changed from now on.

    The section of each criterion among `points` is named thereby, and so is the evidence.
    Side effects in order: the assessment's named sections are reopened; the return with its
    points; the move, with its one event; a letter to every officer.
    Errors: `NotReadyError` without a message, without any task, or for unknown tasks and criteria
    (fields `message`, `tasks`, `points`); `IllegalTransitionError` unless it is submitted.
    Source: reference on the interface, rule 8: a return names each question and unlocks only those.
    """
    lock_row(work.session, application)
    application.workflow.move(application.state, "return")
    assessment = assessment_of(work.session, application)
    catalogue = catalogue_of(assessment)
    known = catalogue_tasks(catalogue, assessment.profile_id)
    named = [*tasks, *(point.task for point in points if point.task is not None)]
    criteria = [point.criterion_id for point in points if point.criterion_id is not None]
    problems = return_problems(known, named, criteria, message)
    if problems:
        raise NotReadyError(problems)
    reopened = reopened_by(named, (known.sections[one] for one in criteria))
    sections = [one for one in (section_of(task) for task in sorted(reopened)) if one]
    if sections:
        assessments.reopen(work, assessment, sections)
    found = ApplicationReturn(
        id=work.new_id(),
        application_id=application.id,
        trader_id=application.trader_id,
        round=application.snapshot_count,
        tasks=sorted(reopened),
        message=message.strip(),
        due_on=due_on,
        returned_at=work.now,
        returned_by=work.actor.person_id,
    )
    work.session.add(found)
    work.session.flush()
    work.session.add_all(
        ReturnedPoint(
            id=work.new_id(),
            application_id=application.id,
            round=found.round,
            position=position,
            task=point.task or _task_of(known.sections, point.criterion_id),
            criterion_id=point.criterion_id,
            comment=point.comment.strip(),
        )
        for position, point in enumerate(points)
    )
    application.reopened_tasks = sorted(reopened)
    work.session.flush()
    move(work, application, "return", round=found.round, tasks=sorted(reopened), criteria=criteria)
    to_officers(
        work,
        application,
        "application-returned",
        message=found.message,
        due="" if due_on is None else f"Please answer by {day_in_words(due_on)}.",
    )
    return found


def reply_to_task(work: Work, application: Application, *, task: str, reply: str) -> TaskReply:
    """Say what was changed in a returned task of the profile, or why nothing had to change.

    Side effects in order: the reply; one event. The same words again are the first reply.
    Errors: `ConflictError` unless the task is reopened now; `NotReadyError` with the field
    `reply` when nothing is said, or while the profile still has a gap there.
    """
    lock_row(work.session, application)
    returned = queries.current_return(work.session, application)
    if (
        ApplicationState(application.state) is not ApplicationState.RETURNED
        or returned is None
        or task not in application.reopened_tasks
        or task not in PROFILE
    ):
        raise ConflictError("The agency has not asked about this task, or not any more.")
    words = reply.strip()
    if not words:
        raise NotReadyError(
            [Problem("Say what you changed, or why nothing had to change.", "reply")]
        )
    earlier = queries.replies_of(work.session, returned).get(task)
    if earlier is not None and earlier.reply == words:
        return earlier
    found = TaskReply(
        id=work.new_id(),
        application_id=application.id,
        round=returned.round,
        task=task,
        reply=words,
        at=work.now,
        person_id=work.actor.person_id,
    )
    work.session.add(found)
    work.session.flush()
    work.record(EventTag.TASK_COMPLETED, application, task=task, round=returned.round)
    return found


def _task_of(sections: dict[str, str], criterion_id: str | None) -> str:
    return "assessment:" + sections[criterion_id or ""]
