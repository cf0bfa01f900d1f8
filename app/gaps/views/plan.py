"""From the gap report to an improvement plan, in one step."""

import uuid
from collections.abc import Mapping

from flask import Response, flash, redirect, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields import SelectChoice

from app.assessments.models import Assessment
from app.assessments.queries import visible_assessment
from app.authz.permissions import Permission
from app.gaps import queries
from app.gaps.pages import GapRow, ReportPage, report_page
from app.gaps.views.own import ADDRESS, blueprint
from app.kernel.errors import NotReadyError
from app.plans import queries as plans
from app.plans import service
from app.plans.forms import PromiseForm
from app.plans.rules import LONGEST_PROMISE
from app.plans.workflow import OPEN
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work


@blueprint.get(f"{ADDRESS}/plan")
@requires(Permission.PLAN_PROMISE)
def promise(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Which gaps to promise something about; those on the shortest way are ticked."""
    assessment, page, offered = _offered(trader_id, assessment_id)
    wanted = {one.criterion_id for one in page.steps}
    form = PromiseForm(None, criteria=[one.id for one in offered if one.id in wanted])
    return _page(assessment, form, offered)


@blueprint.post(f"{ADDRESS}/plan")
@requires(Permission.PLAN_PROMISE)
def make(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """Make an action of each gap that is ticked."""
    work = current_work()
    assessment, page, offered = _offered(trader_id, assessment_id)
    form = PromiseForm()
    _fill(form, assessment, offered)
    if not form.validate_on_submit():
        return _page(assessment, form, offered)
    words = _words(page, offered)
    try:
        service.promise(
            work,
            assessment,
            promises={key: words[key] for key in form.criteria.data or ()},
            owner_id=form.owner_id,
            due_on=form.due_on.data,
        )
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page(assessment, form, offered)
    flash(
        gettext("Promised. Change the words, the person and the day of each as you need."),
        "success",
    )
    address = url_for("plans.show", trader_id=trader_id, assessment_id=assessment_id)
    return redirect(address, code=303)


def _offered(
    trader_id: uuid.UUID, assessment_id: uuid.UUID
) -> tuple[Assessment, ReportPage, list[GapRow]]:
    """The report, and its gaps that have no open action yet."""
    work = current_work()
    assessment = visible_assessment(work, trader_id, assessment_id, Permission.PLAN_PROMISE)
    page = report_page(queries.live(work, assessment), lambda _section, _criterion: "")
    plan = plans.plan_of(work.session, assessment.id)
    actions = () if plan is None else plans.actions_of(work.session, plan)
    taken = {one.criterion_id for one in actions if one.state in OPEN}
    return assessment, page, [one for one in page.gaps if one.id not in taken]


def _words(page: ReportPage, offered: list[GapRow]) -> Mapping[str, str]:
    """What each gap takes, as the first words of its action."""
    found: dict[str, list[str]] = {}
    for step in page.steps:
        found.setdefault(step.criterion_id, []).append(step.text)
    for one in offered:
        lines = found.setdefault(one.id, [])
        if not lines:
            lines += [f"{why.why}: {why.question}" for why in one.reasons]
        if one.missing:
            lines.append(ngettext("Attach %(num)d file.", "Attach %(num)d files.", one.missing))
        if not lines:
            lines.append(one.title)
    return {key: "\n".join(lines)[:LONGEST_PROMISE] for key, lines in found.items()}


def _fill(form: PromiseForm, assessment: Assessment, offered: list[GapRow]) -> None:
    form.with_owners(plans.owners(current_work().session, assessment.trader_id))
    form.criteria.choices = [
        SelectChoice(one.id, f"{one.id} {one.title} ({one.modality}). {one.effect}")
        for one in offered
    ]


def _page(assessment: Assessment, form: PromiseForm, offered: list[GapRow]) -> Response:
    _fill(form, assessment, offered)
    return render(
        "gaps/promise.html",
        status=422 if form.errors else 200,
        form=form,
        form_errors=bool(form.errors),
        trader=visible_trader(current_work(), assessment.trader_id, Permission.APPLICATION_VIEW),
        assessment=assessment,
    )
