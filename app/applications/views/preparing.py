"""Working on an application: the task list, evidence, the agreement, a returned task."""

import uuid
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.applications import queries, service
from app.applications.agreements import agreement_for, clauses
from app.applications.forms import AgreementForm, ReplyForm
from app.applications.models import Application
from app.applications.rules import tasks
from app.applications.rules.tasks import PROFILE, TITLES, Task, TaskGroup
from app.applications.views import moving
from app.applications.views.frame import (
    TONES,
    blueprint,
    criterion_page,
    may_here,
    page,
    profile_page,
    programme_named,
    reach,
    see,
    stage_of,
    task_page,
)
from app.applications.workflow import ApplicationState
from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError, NotReadyError
from app.traders.models import Trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_actor, current_work


@blueprint.get("/traders/<uuid:trader_id>/applications/<uuid:application_id>")
@requires(Permission.APPLICATION_VIEW)
def show(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response:
    """The task list, or what became of the application."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    work = current_work()
    standing = queries.tasks(work, application)
    done, total = tasks.progress(standing.groups)
    programme = programme_named(application.programme)
    snapshots = queries.snapshots_of(work.session, application)
    return render(
        "applications/show.html",
        fragment="tasks",
        trader=trader,
        application=application,
        programme=programme,
        tier=programme.tier(application.tier),
        stage=stage_of(application),
        done=done,
        total=total,
        groups=[_group(trader, application, one, standing) for one in standing.groups],
        editing=tasks.editable(standing.facts.state, application.reopened_tasks, tasks.SUBMIT),
        returned=standing.returned,
        points=_points(trader, application, standing),
        snapshots=snapshots,
        decide_by=(
            None
            if application.submitted_at is None
            else application.submitted_at + programme.clock("decision").period
        ),
        may_prepare=may_here(application, Permission.APPLICATION_PREPARE),
        may_submit=may_here(application, Permission.APPLICATION_SUBMIT),
        unmet=len(standing.unmet),
        **moving.shown_on_the_list(application),
    )


@blueprint.get("/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>/application")
@requires(Permission.APPLICATION_VIEW)
def of_assessment(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """The task list that an assessment belongs to; the assessment's own pages link here."""
    found = queries.application_after(current_work().session, assessment_id)
    if found is None:
        raise NotFoundError
    trader, application = reach(trader_id, found.id, Permission.APPLICATION_VIEW)
    return see("show", trader_id=trader.id, application_id=application.id)


@blueprint.get("/traders/<uuid:trader_id>/applications/<uuid:application_id>/evidence")
@requires(Permission.APPLICATION_VIEW)
def evidence(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response:
    """Which criteria need documents, and which have enough."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    facts = queries.section_facts(current_work().session, application)
    return render(
        "applications/evidence.html",
        trader=trader,
        application=application,
        facts=facts,
        rows=[
            (
                one,
                criterion_page(application, tasks.assessment_task(one.section.id), one.criterion.id)
                if _editable(application, tasks.assessment_task(one.section.id))
                else None,
            )
            for one in sorted(facts.evidence, key=lambda one: one.files >= one.wanted)
        ],
    )


@blueprint.get("/traders/<uuid:trader_id>/applications/<uuid:application_id>/agreement")
@requires(Permission.APPLICATION_VIEW)
def agreement(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response:
    """The partner agreement: to sign, to read, or as it was signed."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    return _agreement(trader, application, AgreementForm())


@blueprint.post("/traders/<uuid:trader_id>/applications/<uuid:application_id>/agreement")
@requires(Permission.APPLICATION_SUBMIT)
def sign(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Sign the agreement."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_SUBMIT)
    form = AgreementForm()
    if form.validate_on_submit() and form.confirm():
        try:
            service.sign_agreement(
                current_work(),
                application,
                name=form.name.data or "",
                agreed=bool(form.agreed.data),
                version=form.version.data or "",
            )
        except NotReadyError as refusal:
            form.show(refusal.problems)
        else:
            return see(
                "show",
                gettext("The agreement is signed."),
                trader_id=trader.id,
                application_id=application.id,
            )
    return _agreement(trader, application, form)


@blueprint.route(
    "/traders/<uuid:trader_id>/applications/<uuid:application_id>/tasks/<task>",
    methods=["GET", "POST"],
)
@requires(Permission.APPLICATION_RESPOND)
def task(trader_id: uuid.UUID, application_id: uuid.UUID, task: str) -> Response | BaseResponse:
    """A returned task of the profile: what the agency says, and what the trader did about it."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_RESPOND)
    work, form = current_work(), ReplyForm()
    if task not in PROFILE:
        raise NotFoundError
    if form.validate_on_submit():
        try:
            service.reply_to_task(work, application, task=task, reply=form.reply.data or "")
        except NotReadyError as refusal:
            form.show(refusal.problems)
        else:
            return see(
                "show", gettext("Saved."), trader_id=trader.id, application_id=application.id
            )
    standing = queries.tasks(work, application)
    if task not in application.reopened_tasks:
        raise NotFoundError
    if not form.is_submitted() and task in standing.replies:
        form.reply.data = standing.replies[task].reply
    return page(
        "task.html",
        form,
        trader=trader,
        application=application,
        title=TITLES[task],
        comments=[one.comment for one in standing.points if one.task == task],
        message=standing.returned.message if standing.returned else "",
        gaps=[one for one in standing.unmet if one.field == task and one.code != "REPLY_MISSING"],
        profile_page=profile_page(trader, task),
    )


def _agreement(trader: Trader, application: Application, form: AgreementForm) -> Response:
    work = current_work()
    signed = queries.agreement_of(work.session, application)
    text = agreement_for(application.programme)
    if signed is not None and not _to_sign(application, signed.for_snapshot):
        return render(
            "applications/agreement.html",
            trader=trader,
            application=application,
            signed=signed,
            text_version=signed.text_version,
            clauses=clauses(signed.text),
            form=None,
            officers=(),
        )
    form.version.data = text.version
    can_sign = may_here(application, Permission.APPLICATION_SUBMIT) and _editable(
        application, tasks.AGREEMENT
    )
    return render(
        "applications/agreement.html",
        trader=trader,
        application=application,
        signed=None,
        text_version=text.version,
        clauses=clauses(text.text),
        form=form if can_sign else None,
        form_errors=bool(form.errors),
        signer=current_actor().name,
        officers=queries.officers_of(work.session, trader.id),
        status=422 if form.errors else 200,
    )


def _to_sign(application: Application, for_snapshot: int) -> bool:
    """Whether the agency asked for a new signature since that one."""
    return (
        tasks.AGREEMENT in application.reopened_tasks and for_snapshot <= application.snapshot_count
    )


def _editable(application: Application, key: str) -> bool:
    state = ApplicationState(application.state)
    return tasks.editable(state, application.reopened_tasks, key)


def _group(
    trader: Trader, application: Application, group: TaskGroup, standing: queries.TaskList
) -> dict[str, Any]:
    return {
        "title": gettext(group.title),
        "tasks": [_line(trader, application, one, standing) for one in group.tasks],
    }


def _line(
    trader: Trader, application: Application, task: Task, standing: queries.TaskList
) -> dict[str, Any]:
    locked = standing.returned is not None and not task.open
    return {
        "title": gettext(task.title),
        "href": task_page(trader, application, task.key) if task.open else None,
        "hint": gettext("Locked") if locked else _hint(task, standing),
        "status": gettext(task.status.value),
        "tone": TONES[task.status],
    }


def _hint(task: Task, standing: queries.TaskList) -> str | None:
    if task.key == tasks.SUBMIT:
        if not task.open:
            return None
        if standing.ready:
            return gettext("Everything is there. An officer can submit.")
        return gettext("Open points: %(count)s", count=len(standing.unmet))
    if task.total is None or not task.total:
        return None
    if task.key == tasks.EVIDENCE:
        return gettext(
            "%(done)s of %(total)s criteria have their documents", done=task.done, total=task.total
        )
    return gettext("%(done)s of %(total)s criteria answered", done=task.done, total=task.total)


def _points(
    trader: Trader, application: Application, standing: queries.TaskList
) -> list[dict[str, Any]]:
    """What the agency asked for, each with the page on which it is done."""
    titles = {one.key: one.title for group in standing.groups for one in group.tasks}
    return [
        {
            "title": gettext(titles.get(point.task, point.task)),
            "criterion": point.criterion_id,
            "comment": point.comment,
            "href": task_page(trader, application, point.task)
            if point.criterion_id is None
            else criterion_page(application, point.task, point.criterion_id),
        }
        for point in standing.points
    ]
