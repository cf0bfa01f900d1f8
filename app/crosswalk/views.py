"""What another self-assessment offers, and taking some of it."""

import uuid

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment
from app.assessments.queries import visible_assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.crosswalk import queries, service
from app.crosswalk.forms import AcceptForm
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.errors import translate
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("crosswalk", __name__)
ADDRESS = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>/offers"


@blueprint.get(ADDRESS)
@requires(Permission.APPLICATION_VIEW)
def offers(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """What the company's other self-assessments hold for this one; looking copies nothing."""
    work = current_work()
    assessment = visible_assessment(work, trader_id, assessment_id, Permission.APPLICATION_VIEW)
    return _page(assessment)


@blueprint.post(f"{ADDRESS}/<criterion_id>")
@requires(Permission.APPLICATION_PREPARE)
def accept(trader_id: uuid.UUID, assessment_id: uuid.UUID, criterion_id: str) -> BaseResponse:
    """Take what was ticked of one offer."""
    work = current_work()
    assessment = visible_assessment(work, trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    form = AcceptForm()
    source_id = form.source_id
    if not form.validate_on_submit() or source_id is None:
        raise NotFoundError
    try:
        service.accept(
            work,
            assessment,
            criterion_id=criterion_id,
            source_assessment_id=source_id,
            source_criterion_id=form.source_criterion.data or "",
            revision_ids=form.paper_ids,
            take_words=bool(form.words.data),
        )
    except NotReadyError as refusal:
        return _page(assessment, translate(refusal.problems[0].message, {}), 422)
    except (ConflictError, SectionLockedError) as refusal:
        return _page(assessment, translate(refusal.message, refusal.params), 409)
    flash(
        gettext(
            "Taken over for %(id)s. Look at it there: it counts as your answer now.",
            id=criterion_id,
        ),
        "success",
    )
    address = url_for("crosswalk.offers", trader_id=trader_id, assessment_id=assessment_id)
    return redirect(address, code=303)


def _page(assessment: Assessment, refused: str = "", status: int = 200) -> Response:
    work = current_work()
    found = queries.offers_to(work, assessment)
    return render(
        "crosswalk/offers.html",
        status=status,
        trader=visible_trader(work, assessment.trader_id, Permission.APPLICATION_VIEW),
        assessment=assessment,
        offers=found,
        form_errors=bool(refused),
        refused=refused,
        may_prepare=may(work.actor, Permission.APPLICATION_PREPARE, assessment),
        writable={one.section.id for one in found if assessment.editable(one.section.id)},
    )
