"""Checking and submitting, the receipt, what was frozen, and taking an application back."""

import uuid

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.applications import queries, service
from app.applications.agreements import declaration
from app.applications.forms import SubmitForm, WithdrawForm
from app.applications.models import Application, Snapshot
from app.applications.rules import tasks
from app.applications.rules.frozen import fingerprint
from app.applications.views.frame import (
    blueprint,
    linked,
    may_here,
    page,
    programme_named,
    reach,
    see,
    stage_of,
)
from app.applications.views.shown import Shown
from app.applications.workflow import ApplicationState
from app.authz.permissions import Permission
from app.db.concurrency import StaleError
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.traders.models import Trader
from app.web.access import requires
from app.web.fragments import render
from app.web.receipts import hand_out, is_sealed
from app.web.requests import current_actor, current_work


@blueprint.get("/traders/<uuid:trader_id>/applications/<uuid:application_id>/check")
@requires(Permission.APPLICATION_VIEW)
def check(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Everything that submitting would freeze, what is still unmet, and the declaration."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    state = ApplicationState(application.state)
    if not tasks.editable(state, application.reopened_tasks, tasks.SUBMIT):
        return see("show", trader_id=trader.id, application_id=application.id)
    return _check(trader, application, SubmitForm())


@blueprint.post("/traders/<uuid:trader_id>/applications/<uuid:application_id>/check")
@requires(Permission.APPLICATION_SUBMIT)
def submit(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Declare and submit. Pressed twice, it is done once, and both see the same receipt."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_SUBMIT)
    form = SubmitForm()
    stale = False
    if form.validate_on_submit() and form.confirm():
        try:
            snapshot = service.submit(
                current_work(),
                application,
                key=form.row_id,
                name=form.name.data or "",
                declared=bool(form.declared.data),
                seen=form.seen.data or "",
            )
        except NotReadyError as refusal:
            # Unmet points stand in their own summary, each with the way to its cause.
            form.show(one for one in refusal.problems if one.field in {"name", "declared"})
        except StaleError:
            stale = True
        else:
            return see(
                "receipt",
                trader_id=trader.id,
                application_id=application.id,
                number=snapshot.number,
            )
    return _check(trader, application, form, stale=stale)


@blueprint.get(
    "/traders/<uuid:trader_id>/applications/<uuid:application_id>/snapshots/<int:number>"
)
@requires(Permission.APPLICATION_VIEW)
def snapshot(trader_id: uuid.UUID, application_id: uuid.UUID, number: int) -> Response:
    """What was submitted, from the snapshot alone."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    return render(
        "applications/snapshot.html",
        trader=trader,
        application=application,
        snapshot=_frozen(application, number),
        shown=Shown(),
    )


@blueprint.get(
    "/traders/<uuid:trader_id>/applications/<uuid:application_id>/snapshots/<int:number>/receipt"
)
@requires(Permission.APPLICATION_VIEW)
def receipt(trader_id: uuid.UUID, application_id: uuid.UUID, number: int) -> Response:
    """The proof of a submission: reference, time, fingerprint, and what happens next."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    found, session = _frozen(application, number), current_work().session
    programme = programme_named(application.programme)
    clock = programme.clock("decision")
    return render(
        "applications/receipt.html",
        trader=trader,
        application=application,
        snapshot=found,
        programme=programme,
        stage=stage_of(application),
        clock=clock,
        decide_by=found.at + clock.period,
        sealed=is_sealed(session, queries.submitted_event(session, found)),
    )


@blueprint.get(
    "/traders/<uuid:trader_id>/applications/<uuid:application_id>/snapshots/<int:number>"
    "/receipt.tlog-proof"
)
@requires(Permission.APPLICATION_VIEW)
def receipt_file(trader_id: uuid.UUID, application_id: uuid.UUID, number: int) -> Response:
    """The receipt as a file that can be checked without the portal."""
    _, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    found, session = _frozen(application, number), current_work().session
    name = f"{application.reference}-{found.number}"
    return hand_out(session, queries.submitted_event(session, found), name)


@blueprint.route(
    "/traders/<uuid:trader_id>/applications/<uuid:application_id>/withdrawal",
    methods=["GET", "POST"],
)
@requires(Permission.APPLICATION_SUBMIT)
def withdrawal(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Take the application back, after a page that says what that means."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_SUBMIT)
    form = WithdrawForm()
    if form.validate_on_submit():
        service.withdraw(current_work(), application)
        return see("index", gettext("The application is withdrawn."), trader_id=trader.id)
    if "withdraw" not in application.available():
        raise ConflictError("The application is closed, so it cannot be withdrawn any more.")
    return page(
        "withdrawal.html",
        form,
        trader=trader,
        application=application,
        programme=programme_named(application.programme),
    )


def _check(
    trader: Trader, application: Application, form: SubmitForm, *, stale: bool = False
) -> Response:
    work = current_work()
    content = queries.present_content(work, application)
    form.seen.data = fingerprint(content)
    problems = queries.unmet(work, application)
    can_submit = may_here(application, Permission.APPLICATION_SUBMIT)
    status = 409 if stale else 422 if form.is_submitted() else 200
    return page(
        "check.html",
        form,
        status=status,
        trader=trader,
        application=application,
        stage=stage_of(application),
        content=content,
        problems=linked(trader, application, problems),
        can_submit=can_submit and not problems,
        is_officer=can_submit,
        officers=queries.officers_of(work.session, trader.id),
        declaration=declaration(),
        signer=current_actor().name,
        stale=stale,
        shown=Shown(),
    )


def _frozen(application: Application, number: int) -> Snapshot:
    found = queries.snapshot_of(current_work().session, application, number)
    if found is None:
        raise NotFoundError
    return found
