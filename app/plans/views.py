"""The pages of an improvement plan; it is made from the gap report."""

import uuid
from typing import Any, BinaryIO, cast

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.db.concurrency import StaleError
from app.documents import service as documents
from app.documents.models import DocumentRevision
from app.documents.queries import reusable
from app.documents.rules import ACCEPT
from app.kernel.errors import NotReadyError
from app.plans import queries, service
from app.plans.forms import ChangeForm, DropForm, FinishForm, id_of
from app.plans.models import Action, Plan
from app.plans.pages import action_rows
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("plans", __name__)
ADDRESS = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>/plan"
ACTION = f"{ADDRESS}/<uuid:action_id>"
OWNER_KIND = "plan_action"


@blueprint.get(ADDRESS)
@requires(Permission.APPLICATION_VIEW)
def show(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Every action by its day, and whether the agency sees the plan."""
    work = current_work()
    assessment = _assessment(trader_id, assessment_id, Permission.APPLICATION_VIEW)
    plan = queries.plan_of(work.session, assessment.id)
    actions = () if plan is None else queries.actions_of(work.session, plan)
    return render(
        "plans/show.html",
        trader=visible_trader(work, trader_id, Permission.APPLICATION_VIEW),
        assessment=assessment,
        plan=plan,
        rows=action_rows(actions, assessments.catalogue_of(assessment), work.now.date()),
        may_promise=may(work.actor, Permission.PLAN_PROMISE, assessment),
        may_share=may(work.actor, Permission.APPLICATION_SUBMIT, assessment),
    )


@blueprint.post(f"{ADDRESS}/share")
@requires(Permission.APPLICATION_SUBMIT)
def share(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """Let the agency's reviewers read it."""
    plan = _plan(trader_id, assessment_id, Permission.APPLICATION_SUBMIT)
    service.share(current_work(), plan)
    flash(gettext("The agency's reviewers can read the plan now."), "success")
    return _to_plan(trader_id, assessment_id)


@blueprint.post(f"{ADDRESS}/keep")
@requires(Permission.APPLICATION_SUBMIT)
def keep(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """Keep it from them again."""
    plan = _plan(trader_id, assessment_id, Permission.APPLICATION_SUBMIT)
    service.keep(current_work(), plan)
    flash(gettext("The agency no longer sees the plan."), "success")
    return _to_plan(trader_id, assessment_id)


@blueprint.get(ACTION)
@requires(Permission.PLAN_PROMISE)
def action(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> Response:
    """One action: change it, show that it is done, or give it up."""
    return _page(*_action(trader_id, assessment_id, action_id))


@blueprint.post(ACTION)
@requires(Permission.PLAN_PROMISE)
def change(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> BaseResponse:
    """Change what is promised, by whom and by when."""
    work = current_work()
    assessment, found = _action(trader_id, assessment_id, action_id)
    form = ChangeForm()
    form.with_owners(queries.owners(work.session, trader_id))
    if not form.validate_on_submit():
        return _page(assessment, found, change=form)
    try:
        service.change(
            work,
            found,
            words=form.promise.data or "",
            owner_id=form.owner_id,
            due_on=form.due_on.data,
            expected_version=form.expected_version,
        )
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page(assessment, found, change=form)
    except StaleError:
        form.show_stale(found)
        return _page(assessment, found, change=form, status=409)
    flash(gettext("Saved."), "success")
    return _to_plan(trader_id, assessment_id)


@blueprint.post(f"{ACTION}/begin")
@requires(Permission.PLAN_PROMISE)
def begin(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> BaseResponse:
    """Say that it is being worked on."""
    _, found = _action(trader_id, assessment_id, action_id)
    service.begin(current_work(), found)
    return _to_plan(trader_id, assessment_id)


@blueprint.post(f"{ACTION}/finish")
@requires(Permission.PLAN_PROMISE)
def finish(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> BaseResponse:
    """Call it done, with the document that shows it."""
    work = current_work()
    assessment, found = _action(trader_id, assessment_id, action_id)
    form = FinishForm().with_documents(reusable(work.session, trader_id))
    if not form.validate_on_submit():
        form.keep_files()
        return _page(assessment, found, finish=form)
    try:
        # A file that is refused leaves nothing behind.
        with work.session.begin_nested():
            service.finish(work, found, proof=_proof(form, found))
    except NotReadyError as refusal:
        form.show(refusal.problems)
        form.keep_files()
        return _page(assessment, found, finish=form)
    flash(gettext("Done, with its proof."), "success")
    return _to_plan(trader_id, assessment_id)


@blueprint.post(f"{ACTION}/drop")
@requires(Permission.PLAN_PROMISE)
def drop(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> BaseResponse:
    """Give it up and say why."""
    assessment, found = _action(trader_id, assessment_id, action_id)
    form = DropForm()
    if not form.validate_on_submit():
        return _page(assessment, found, drop=form)
    try:
        service.drop(current_work(), found, reason=form.reason.data or "")
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page(assessment, found, drop=form)
    flash(gettext("Given up. The reason stays with it."), "info")
    return _to_plan(trader_id, assessment_id)


@blueprint.post(f"{ACTION}/reopen")
@requires(Permission.PLAN_PROMISE)
def reopen(trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID) -> BaseResponse:
    """Promise it again."""
    _, found = _action(trader_id, assessment_id, action_id)
    service.reopen(current_work(), found)
    return _to_plan(trader_id, assessment_id)


def _proof(form: FinishForm, found: Action) -> DocumentRevision | None:
    """The document that was chosen, or the one that a file becomes."""
    work = current_work()
    sent: FileStorage | None = form.file.data
    if sent is not None and sent.filename:
        return documents.store(
            work,
            found.trader_id,
            owner_kind=OWNER_KIND,
            owner_id=found.id,
            filename=sent.filename,
            stream=cast("BinaryIO", sent.stream),
            reuse=True,
        )
    wanted = id_of(form.proof.data)
    return None if wanted is None else work.session.get(DocumentRevision, wanted)


def _assessment(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, permission: Permission
) -> Assessment:
    return assessments.visible_assessment(current_work(), trader_id, assessment_id, permission)


def _plan(trader_id: uuid.UUID, assessment_id: uuid.UUID, permission: Permission) -> Plan:
    assessment = _assessment(trader_id, assessment_id, permission)
    return queries.visible_plan(current_work(), assessment, permission)


def _action(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, action_id: uuid.UUID
) -> tuple[Assessment, Action]:
    assessment = _assessment(trader_id, assessment_id, Permission.PLAN_PROMISE)
    work = current_work()
    plan = queries.visible_plan(work, assessment, Permission.PLAN_PROMISE)
    return assessment, queries.visible_action(work, plan, action_id)


def _page(assessment: Assessment, found: Action, *, status: int = 422, **sent: Form) -> Response:
    """The action with its forms; the one that was `sent` and refused with what was typed."""
    work = current_work()
    if "change" not in sent:
        form = ChangeForm(
            None,
            promise=found.promise,
            owner=str(found.owner_id or ""),
            due_on=found.due_on,
            version=str(found.version),
        )
        form.with_owners(queries.owners(work.session, found.trader_id))
        sent_change: Any = form
    else:
        sent_change = sent["change"]
    (row,) = action_rows([found], assessments.catalogue_of(assessment), work.now.date())
    return render(
        "plans/action.html",
        status=status if sent else 200,
        form_errors=bool(sent),
        trader=visible_trader(work, found.trader_id, Permission.APPLICATION_VIEW),
        assessment=assessment,
        row=row,
        action=found,
        change=sent_change,
        finish=sent.get("finish")
        or FinishForm(None).with_documents(reusable(work.session, found.trader_id)),
        drop=sent.get("drop") or DropForm(None),
        accept=ACCEPT,
    )


def _to_plan(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    address = url_for("plans.show", trader_id=trader_id, assessment_id=assessment_id)
    return redirect(address, code=303)
