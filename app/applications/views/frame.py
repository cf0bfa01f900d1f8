"""What the pages about applications share: rows in reach, addresses of tasks, refusals."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.applications import queries
from app.applications.models import Application
from app.applications.rules import tasks
from app.applications.rules.stages import STAGES, Stage
from app.applications.workflow import ApplicationState
from app.assessments.models import Assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError, Problem
from app.register.programme import PROGRAMMES, Programme
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.forms import Form
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("applications", __name__)

TONES = {
    tasks.TaskStatus.NOT_STARTED: "neutral",
    tasks.TaskStatus.IN_PROGRESS: "progress",
    tasks.TaskStatus.CHANGES_NEEDED: "warning",
    tasks.TaskStatus.COMPLETED: "success",
    tasks.TaskStatus.NOT_NEEDED: "neutral",
}
PROFILE_PAGES = {
    tasks.COMPANY: "traders.company",
    tasks.IDENTIFIERS: "traders.identifiers",
    tasks.CONTACTS: "traders.contacts",
    tasks.SITES: "traders.sites",
}
OWN_PAGES = {
    tasks.EVIDENCE: "applications.evidence",
    tasks.AGREEMENT: "applications.agreement",
    tasks.SUBMIT: "applications.check",
}


@dataclass(frozen=True, slots=True)
class Linked:
    """A problem whose `field` is the address of the page that closes it."""

    message: str
    params: dict[str, object]
    field: str


def reach(
    trader_id: uuid.UUID, application_id: uuid.UUID, permission: Permission
) -> tuple[Trader, Application]:
    """The trader and its application in the address, when the actor holds the permission."""
    work = current_work()
    application = queries.visible_application(work, application_id, permission, trader_id=trader_id)
    return visible_trader(work, trader_id, Permission.APPLICATION_VIEW), application


def programme_named(name: str) -> Programme:
    """The programme in the address; `NotFoundError` when there is none."""
    found = PROGRAMMES.get(name)
    if found is None:
        raise NotFoundError
    return found


def stage_of(application: Application) -> Stage:
    """The application's state in words."""
    return STAGES[ApplicationState(application.state)]


def may_here(subject: Trader | Application, permission: Permission) -> bool:
    """Whether the page may offer what asks for this permission."""
    return may(current_work().actor, permission, subject)


def profile_page(trader: Trader, task: str, code: str = "") -> str:
    """The address of the profile page on which a task is done."""
    if code == "BOND_MISSING":
        return url_for("traders.bonds", trader_id=trader.id)
    if task == tasks.COMPANY and not may_here(trader, Permission.TRADER_EDIT):
        return url_for("traders.profile", trader_id=trader.id)
    return url_for(PROFILE_PAGES[task], trader_id=trader.id)


@blueprint.app_context_processor
def comments_for_the_assessment() -> dict[str, Any]:
    """Lets the assessment's pages show the agency's comments, of which their package knows nothing.

    `returned_comments_of(assessment)` maps criterion ids to what the agency says in the present
    return of the assessment's application; it asks the database only when a page calls it.
    """
    return {"returned_comments_of": returned_comments_of}


def returned_comments_of(assessment: Assessment) -> dict[str, str]:
    """The agency's comments on an assessment's criteria, while its application is returned."""
    session = current_work().session
    found = queries.application_of_assessment(session, assessment.id)
    return {} if found is None else queries.returned_comments(session, found)


def section_page(application: Application, section_id: str) -> str:
    """The address of a section of the application's assessment."""
    return url_for(
        "assessments.section",
        trader_id=application.trader_id,
        assessment_id=application.assessment_id,
        section_id=section_id,
    )


def criterion_page(
    application: Application, task: str, criterion_id: str, control: str = ""
) -> str:
    """The place of one criterion, or of one of its controls, on its section's page."""
    section_id = tasks.section_of(task) or ""
    anchor = control or f"criterion-{criterion_id}"
    return f"{section_page(application, section_id)}?{urlencode({'open': criterion_id})}#{anchor}"


def task_page(trader: Trader, application: Application, task: str, code: str = "") -> str:
    """The address of the page on which a task of the application is done.

    A returned task of the profile has a page of its own, with what the agency says about it.
    """
    section = tasks.section_of(task)
    if section is not None:
        return section_page(application, section)
    own: dict[str, Any] = {"trader_id": trader.id, "application_id": application.id}
    if task in OWN_PAGES:
        return url_for(OWN_PAGES[task], **own)
    if task in application.reopened_tasks and may_here(trader, Permission.APPLICATION_RESPOND):
        return url_for("applications.task", task=task, **own)
    return profile_page(trader, task, code)


def linked(trader: Trader, application: Application, problems: Sequence[Problem]) -> list[Linked]:
    """The unmet points with the addresses of their causes."""
    return [
        Linked(
            one.message,
            dict(one.params),
            criterion_page(
                application,
                one.field or "",
                str(one.params["criterion"]),
                str(one.params["control"]),
            )
            if "control" in one.params
            else task_page(trader, application, one.field or tasks.SUBMIT, one.code),
        )
        for one in problems
    ]


def page(template: str, form: Form, *, status: int = 0, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 when it carries errors."""
    return render(
        f"applications/{template}",
        form=form,
        form_errors=bool(form.errors),
        status=status or (422 if form.errors else 200),
        **context,
    )


def see(endpoint: str, message: str = "", **values: Any) -> BaseResponse:  # noqa: ANN401
    """The answer to a form that was done: see the page that shows the outcome."""
    if message:
        flash(message, "success")
    return redirect(url_for(f"applications.{endpoint}", **values), code=303)
