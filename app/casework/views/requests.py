"""Requests for information: what was asked and answered, asking, and ceasing to wait."""

import uuid
from typing import Any

from flask import Response
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.casework import queries, service
from app.casework.forms import AskForm, ask_form, key_of
from app.casework.models import InformationRequest
from app.casework.rules.dossier import FrozenCriterion
from app.casework.rules.requesting import USUAL_PERIOD, stop_problems
from app.casework.rules.verdicts import Judged, judged
from app.casework.views.case import Opened, frame, opened
from app.casework.views.frame import back_to, blueprint, page
from app.casework.views.words import Tag
from app.casework.workflow import RequestState
from app.kernel.errors import NotReadyError, Problem
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

STATES = {
    RequestState.OPEN: (_l("Waits for the trader"), "warning"),
    RequestState.ANSWERED: (_l("Answered"), "success"),
    RequestState.CLOSED: (_l("Closed without an answer"), "neutral"),
}
OWN_TASKS = ("company", "identifiers", "contacts", "sites", "agreement")
"""What can be asked for by itself; a section of the assessment is asked for by its criteria."""


@blueprint.get("/cases/<uuid:case_id>/requests")
@requires(Permission.CASE_VIEW)
def requests(case_id: uuid.UUID) -> Response:
    """Every request of the case, what was said in it, and what came of it."""
    work, found = current_work(), opened(case_id, "requests")
    points = queries.returned_points(work, found.case)
    titles = {one.key: one.title for one in queries.askable_tasks(found.dossier)}
    waiting = found.request
    overdue = waiting is not None and not stop_problems(waiting.due_on, work.now.date())
    return render(
        "casework/requests.html",
        **frame(found, "requests"),
        rows=[
            _row(found, one, points.get(one.round, {}), titles)
            for one in queries.requests_of(work.session, found.case)
        ],
        may_ask=found.offers("ask"),
        to_ask=found.gates.returned,
        may_stop=overdue and found.offers("resume"),
        stop_after=None if overdue or not found.offers("resume") else waiting,
    )


def _row(
    found: Opened, one: InformationRequest, points: dict[str, str], titles: dict[str, str]
) -> dict[str, Any]:
    words, tone = STATES[RequestState(one.state)]
    return {
        "request": one,
        "state": Tag(str(words), tone),
        "tasks": [gettext(titles.get(task, task)) for task in one.tasks],
        "points": [
            {"id": key, "title": _title(found, key), "comment": comment}
            for key, comment in points.items()
        ],
    }


def _title(found: Opened, criterion_id: str) -> str:
    criterion = found.dossier.criterion(criterion_id)
    return criterion.title if criterion else ""


def _returned(found: Opened) -> tuple[list[FrozenCriterion], dict[str, str]]:
    """The criteria that the reviewer noted as returned, and the comments on them."""
    reviews = queries.reviews_of(current_work().session, found.case)
    criteria = [
        one
        for one in found.dossier.criteria()
        if judged(reviews.get(one.id), one.fingerprint) is Judged.RETURNED
    ]
    return criteria, {one.id: reviews[one.id].comment for one in criteria}


@blueprint.route("/cases/<uuid:case_id>/requests/new", methods=["GET", "POST"])
@requires(Permission.CASE_REVIEW)
def ask(case_id: uuid.UUID) -> Response | BaseResponse:
    """Ask the trader: the returned criteria with their comments, other tasks, a message, a day."""
    work, found = current_work(), opened(case_id, "ask", Permission.CASE_REVIEW)
    criteria, comments = _returned(found)
    tasks = [
        (one.key, gettext(one.title))
        for one in queries.askable_tasks(found.dossier)
        if one.key in OWN_TASKS
    ]
    form = ask_form(criteria, comments, tasks)
    if not form.is_submitted():
        form.snapshot.data = str(found.case.snapshot_number)
        form.due_on.data = work.now.date() + USUAL_PERIOD

    def act() -> None:
        try:
            service.ask(
                work,
                found.case,
                key=form.row_id,
                tasks=form.tasks.data or [],
                comments=form.comments(criteria),
                message=form.message.data or "",
                due_on=form.due_on.data,
                snapshot_number=form.snapshot_number,
            )
        except NotReadyError as refusal:
            raise NotReadyError([_beside(one) for one in refusal.problems]) from refusal

    if form.done(act):
        message = gettext("Sent. The trader is told by mail, and can change only what you named.")
        return back_to("requests", message, case_id=case_id)
    return page(
        "ask.html",
        form,
        **frame(found, "requests"),
        criteria=[_fields(form, one) for one in criteria],
    )


def _beside(problem: Problem) -> Problem:
    """A problem of a criterion's comment beside the control that this form has for it."""
    field = problem.field or ""
    if field.startswith("comment-"):
        return Problem(problem.message, key_of(field), problem.code, problem.params)
    if field == "criteria":
        return Problem(problem.message, "tasks", problem.code, problem.params)
    return problem


def _fields(form: AskForm, one: FrozenCriterion) -> dict[str, Any]:
    key = key_of(one.id)
    return {
        "criterion": one,
        "include": form[f"include-{key}"],
        "comment": form[f"comment-{key}"],
    }


@blueprint.post("/cases/<uuid:case_id>/requests/stop")
@requires(Permission.CASE_REVIEW)
def stop_waiting(case_id: uuid.UUID) -> Response | BaseResponse:
    """Stop waiting for an answer that is overdue."""
    work = current_work()
    case = queries.visible_case(work, case_id, Permission.CASE_REVIEW)
    service.stop_waiting(work, case)
    message = gettext("The case is in review again. The trader was told by mail.")
    return back_to("requests", message, case_id=case_id)
