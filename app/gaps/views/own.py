"""The gap report for the company that it is about."""

import uuid

from flask import Blueprint, Response, request, url_for

from app.assessments.models import Assessment
from app.assessments.queries import visible_assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.crosswalk.queries import offers_to
from app.gaps import queries
from app.gaps.pages import ReportPage, report_page
from app.gaps.queries import Reported
from app.gaps.views.frame import Exported, as_file, name_of, planned
from app.plans import queries as plans
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("gaps", __name__)
ADDRESS = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>/gaps"


@blueprint.get(ADDRESS)
@requires(Permission.APPLICATION_VIEW)
def show(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Gates first, then what is missing, then the profile of the sections."""
    found, page = _reported(trader_id, assessment_id)
    assessment = current_work().session.get_one(Assessment, assessment_id)
    return render(
        "gaps/own.html",
        trader=visible_trader(current_work(), trader_id, Permission.APPLICATION_VIEW),
        found=found,
        page=page,
        everything=request.args.get("show") == "all",
        offered=len(offers_to(current_work(), assessment)),
        has_plan=plans.plan_of(current_work().session, assessment_id) is not None,
        may_promise=may(current_work().actor, Permission.PLAN_PROMISE, found),
    )


@blueprint.get(f"{ADDRESS}.<any(xlsx, pdf, zip):form>")
@requires(Permission.APPLICATION_VIEW)
def export(trader_id: uuid.UUID, assessment_id: uuid.UUID, form: str) -> Response:
    """The report and the whole assessment as a file."""
    found, page = _reported(trader_id, assessment_id)
    trader = visible_trader(current_work(), trader_id, Permission.APPLICATION_VIEW)
    actions = planned(plans.plan_of(current_work().session, assessment_id), found)
    return as_file(Exported(page, found, trader.name, actions), form, name_of(found))


def _reported(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> tuple[Reported, ReportPage]:
    work = current_work()
    assessment = visible_assessment(work, trader_id, assessment_id, Permission.APPLICATION_VIEW)
    found = queries.live(work, assessment)

    def href(section_id: str, criterion_id: str) -> str:
        return url_for(
            "assessments.section",
            trader_id=trader_id,
            assessment_id=assessment_id,
            section_id=section_id,
            open=criterion_id,
            _anchor=f"criterion-{criterion_id}",
        )

    return found, report_page(found, href)
