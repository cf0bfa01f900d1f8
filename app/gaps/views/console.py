"""The gap report of what a case reviews, for the agency; each look at it is recorded."""

import uuid

from flask import Blueprint, Response, request, url_for

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.casework.forms import key_of
from app.casework.models import Case
from app.casework.queries import visible_case
from app.gaps import queries
from app.gaps.pages import ReportPage, report_page
from app.gaps.queries import Reported
from app.gaps.views.frame import Exported, as_file, name_of, planned
from app.plans import queries as plans
from app.plans.pages import ActionRow
from app.traders.models import Trader
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("case_gaps", __name__, url_prefix="/console")
ADDRESS = "/cases/<uuid:case_id>/gaps"


@blueprint.get(ADDRESS)
@requires(Permission.CASE_VIEW)
def show(case_id: uuid.UUID) -> Response:
    """The same report as the company's, of the submitted version and with the verdicts so far."""
    case, found, page = _reported(case_id, "gap report")
    return render(
        "gaps/case.html",
        case=case,
        trader=current_work().session.get_one(Trader, case.trader_id),
        found=found,
        page=page,
        everything=request.args.get("show") == "all",
        actions=_shared(found),
    )


@blueprint.get(f"{ADDRESS}.<any(xlsx, pdf, zip):form>")
@requires(Permission.CASE_VIEW)
def export(case_id: uuid.UUID, form: str) -> Response:
    """The report and the submitted assessment as a file."""
    case, found, page = _reported(case_id, f"gap report as {form}")
    company = current_work().session.get_one(Trader, case.trader_id).name
    return as_file(Exported(page, found, company, _shared(found)), form, name_of(found))


def _shared(found: Reported) -> list[ActionRow]:
    """The actions of the plan, when its company shares it."""
    plan = plans.shared_plan_of(current_work().session, found.assessment_id)
    return planned(plan, found)


def _reported(case_id: uuid.UUID, what: str) -> tuple[Case, Reported, ReportPage]:
    work = current_work()
    case = visible_case(work, case_id)
    note_access(Seen("case", f"{case.reference} {what}", trader_id=case.trader_id))
    found = queries.of_case(work, case)

    def href(section_id: str, criterion_id: str) -> str:
        return url_for(
            "casework.section",
            case_id=case_id,
            section_id=section_id,
            _anchor=f"c-{key_of(criterion_id)}",
        )

    return case, found, report_page(found, href)
