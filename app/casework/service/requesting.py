"""Asking the trader for information, and ceasing to wait for it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from app.applications import queries as applications
from app.applications import service as application_service
from app.applications.models import Application
from app.applications.service import Point
from app.casework import queries
from app.casework.models import Case, InformationRequest
from app.casework.rules import requesting
from app.casework.service.assignment import require_holder
from app.casework.service.letters import day_in_words, to_officers
from app.db.concurrency import first_with, lock_row
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.work import Work, move


def ask(
    work: Work,
    case: Case,
    *,
    key: uuid.UUID,
    tasks: Sequence[str],
    comments: Mapping[str, str],
    message: str,
    due_on: date | None,
    snapshot_number: int,
) -> InformationRequest:
    """Ask the trader for information; only the named tasks and criteria can be changed by it.

    `comments` maps the criteria that are returned to the words that the trader reads on each.
    Side effects in order: the application is returned, with its event and its letter to every
    officer; the request, with `key` as its id; the case's move, with its one event. The same key
    again gives the first request back.
    Errors: as `require_holder`; `ConflictError` when the trader has answered meanwhile;
    `IllegalTransitionError` while another request is open; `NotReadyError` with the fields
    `tasks`, `criteria`, `comment-<criterion>`, `message` and `due_on`.
    Source: reference on the interface, rule 8.
    """
    application = work.session.get_one(Application, case.application_id)
    # Always the application before its case: the trader's own acts lock them in that order.
    lock_row(work.session, application)
    earlier = first_with(work.session, InformationRequest, key)
    if earlier is not None and earlier.case_id == case.id:
        return earlier
    require_holder(work, case)
    case.workflow.move(case.state, "ask")
    if snapshot_number != case.snapshot_number:
        raise ConflictError(
            "The trader has answered again since you opened this page. Look at the new answers"
            " before you ask."
        )
    dossier = queries.dossier(work, case)
    problems = requesting.problems(
        tasks=tasks,
        comments=comments,
        message=message,
        due_on=due_on,
        known_tasks=[task.key for task in queries.askable_tasks(dossier)],
        known_criteria=list(dossier.by_id),
        today=work.now.date(),
    )
    if problems or due_on is None or work.actor.person_id is None:
        raise NotReadyError(problems)
    application_service.return_to_trader(
        work,
        application,
        tasks=list(tasks),
        message=message,
        points=[
            Point(comment=words.strip(), criterion_id=criterion)
            for criterion, words in comments.items()
        ],
        due_on=due_on,
    )
    request = InformationRequest(
        id=key if earlier is None else work.new_id(),
        case_id=case.id,
        trader_id=case.trader_id,
        application_id=case.application_id,
        round=case.snapshot_number,
        tasks=list(tasks),
        criteria=list(comments),
        message=message.strip(),
        due_on=due_on,
        sent_at=work.now,
        sent_by=work.actor.person_id,
        sent_by_name=work.actor.name,
    )
    work.session.add(request)
    work.session.flush()
    case.answered_at = None
    move(
        work,
        case,
        "ask",
        request_id=request.id,
        round=request.round,
        tasks=tasks,
        criteria=list(comments),
        due_on=due_on.isoformat(),
    )
    work.session.flush()
    return request


def stop_waiting(work: Work, case: Case) -> None:
    """Stop waiting for an answer that is overdue, and go on with what there is.

    The application stays with the trader, who can still answer; meanwhile it can only be refused.
    Side effects in order: the request's move, with its event; the case's move, with its event; a
    letter to every officer.
    Errors: as `require_holder`; `NotFoundError` without an open request; `NotReadyError` before
    the day that the request names is over.
    """
    require_holder(work, case)
    request = queries.open_request(work.session, case)
    if request is None:
        raise NotFoundError
    problems = requesting.stop_problems(request.due_on, work.now.date())
    if problems:
        raise NotReadyError(problems)
    move(work, request, "close", case_id=case.id)
    request.ended_at = work.now
    move(work, case, "resume", reason="not-answered")
    work.session.flush()
    application = work.session.get_one(Application, case.application_id)
    to_officers(
        work,
        applications.officers_of(work.session, case.trader_id),
        case.trader_id,
        "casework-not-waiting",
        reference=application.reference,
        due=day_in_words(request.due_on),
    )
