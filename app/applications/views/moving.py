"""Newer criteria: what moving would do, moving, and confirming what was carried."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from app.applications import service
from app.applications.forms import CarriedForm, MoveForm
from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.applications.queries.moving import MOVES, offer_of, preview_of
from app.applications.rules.tasks import assessment_task
from app.applications.views.frame import (
    blueprint,
    criterion_page,
    may_here,
    page,
    reach,
    see,
)
from app.applications.workflow import ApplicationState
from app.assessments import carrying_queries as carrying
from app.assessments import queries as assessments
from app.assessments import service as assessment_service
from app.assessments.models import Assessment, CarriedAnswer
from app.assessments.rules import spoken
from app.authz.permissions import Permission
from app.catalogues.carrying import Carriage
from app.catalogues.model import Criterion, Question, Section
from app.traders.models import Trader
from app.web.access import requires
from app.web.requests import current_work

KINDS: Final = {
    "editorial": _l("Wording only"),
    "clarified": _l("Reworded"),
    "substantive": _l("Changed in substance"),
    "new": _l("New"),
    "split": _l("Split off"),
    "merged": _l("Merged"),
}
"""The classes of change, as a company reads them."""
ADDRESS = "/traders/<uuid:trader_id>/applications/<uuid:application_id>"


@dataclass(frozen=True, slots=True)
class CarriedLine:
    """A carried answer as the page shows it, with the place where it can be changed."""

    question: Question
    criterion: Criterion
    row: CarriedAnswer
    spoken: str
    href: str


@blueprint.app_context_processor
def carried_answers() -> dict[str, Any]:
    """Lets pages of an assessment say what waits for confirmation, and where that is done.

    `carried_waiting(assessment)` asks the database only when a page calls it.
    """
    return {"carried_waiting": carried_waiting}


def carried_waiting(assessment: Assessment) -> int:
    """How many carried answers wait for a person; no question to the database where none can."""
    if assessment.carried_from is None:
        return 0
    return len(carrying.pending_of(current_work().session, assessment))


def shown_on_the_list(application: Application) -> dict[str, Any]:
    """What the task list says of newer criteria and of carried answers."""
    if application.state not in MOVES:
        return {"offer": None, "carried": 0}
    work = current_work()
    return {
        "offer": offer_of(work, application),
        "carried": carried_waiting(assessment_of(work.session, application)),
    }


@blueprint.get(f"{ADDRESS}/criteria")
@requires(Permission.APPLICATION_VIEW)
def criteria(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response:
    """What moving to the newer criteria would do, before anything is done."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    return _preview(trader, application, MoveForm())


@blueprint.post(f"{ADDRESS}/criteria")
@requires(Permission.APPLICATION_PREPARE)
def move_criteria(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Move to the newer criteria."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_PREPARE)
    form = MoveForm()
    if form.validate_on_submit():
        service.move_to_criteria(current_work(), application, seen=form.seen.data or "")
        message = gettext("Moved. Your earlier answers are kept.")
        return see("carried", message, trader_id=trader.id, application_id=application.id)
    return _preview(trader, application, form)


@blueprint.get(f"{ADDRESS}/carried")
@requires(Permission.APPLICATION_VIEW)
def carried(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response:
    """Answers that were carried: to confirm, to set aside, or to answer anew."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_VIEW)
    return _carried_page(trader, application, CarriedForm())


@blueprint.post(f"{ADDRESS}/carried")
@requires(Permission.APPLICATION_PREPARE)
def settle_carried(trader_id: uuid.UUID, application_id: uuid.UUID) -> Response | BaseResponse:
    """Confirm the chosen answers of a section, or set them aside."""
    trader, application = reach(trader_id, application_id, Permission.APPLICATION_PREPARE)
    form = CarriedForm()
    if form.validate_on_submit():
        if not form.question.data:
            form.question.errors = [gettext("Choose at least one answer.")]
            return _carried_page(trader, application, form)
        assessment = assessment_of(current_work().session, application)
        act = (
            assessment_service.confirm_carried
            if form.act.data == "confirm"
            else assessment_service.set_aside
        )
        act(current_work(), assessment, form.section.data or "", form.question.data)
        message = (
            gettext("Confirmed: these are your answers now.")
            if form.act.data == "confirm"
            else gettext("Set aside. They stay readable in the earlier version.")
        )
        return see("carried", message, trader_id=trader.id, application_id=application.id)
    return _carried_page(trader, application, form)


def _preview(trader: Trader, application: Application, form: MoveForm) -> Response:
    offer = offer_of(current_work(), application)
    if offer is None:
        return page("criteria_kept.html", form, trader=trader, application=application)
    found = preview_of(current_work(), offer)
    form.seen.data = offer.catalogue.sha256
    return page(
        "criteria.html",
        form,
        trader=trader,
        application=application,
        offer=offer,
        returned=application.state == ApplicationState.RETURNED,
        before=offer.assessment.catalogue_version,
        kinds=KINDS,
        kept=found.of(Carriage.KEPT),
        reworded=found.of(Carriage.REWORDED),
        unconfirmed=found.of(Carriage.UNCONFIRMED),
        suggested=found.of(Carriage.SUGGESTED),
        # Open before and open after is nothing new; what has no forerunner is.
        fresh=[one for one in found.of(Carriage.FRESH) if one.source is None],
        unanswered=[one for one in found.of(Carriage.FRESH) if one.source is not None],
        dropped=found.dropped,
        may_move=may_here(application, Permission.APPLICATION_PREPARE) and not offer.obstacle,
    )


def _carried_page(trader: Trader, application: Application, form: CarriedForm) -> Response:
    session = current_work().session
    assessment = assessment_of(session, application)
    waiting = carrying.pending_of(session, assessment)
    rows = carrying.carried_of(session, assessment.id)
    answers = assessments.contents_of(session, assessment.id)
    offered = {
        question_id: row
        for question_id, row in rows.items()
        if row.how == Carriage.SUGGESTED and question_id not in answers
    }
    sections = assessments.catalogue_of(assessment).sections_in(assessment.profile_id)
    earlier = _earlier(assessment)
    form.question.choices = [(one, one) for one in waiting]
    return page(
        "carried.html",
        form,
        trader=trader,
        application=application,
        assessment=assessment,
        earlier=earlier,
        waiting=_by_section(application, earlier, sections, waiting),
        offered=_by_section(application, earlier, sections, offered),
        taken=sum(row.how in {Carriage.KEPT, Carriage.REWORDED} for row in rows.values()),
        reworded=_by_section(
            application,
            earlier,
            sections,
            {key: row for key, row in rows.items() if row.how == Carriage.REWORDED},
        ),
        may_prepare=may_here(application, Permission.APPLICATION_PREPARE),
        chosen=set(request.form.getlist("question")),
    )


def _earlier(assessment: Assessment) -> Assessment | None:
    if assessment.carried_from is None:
        return None
    return current_work().session.get_one(Assessment, assessment.carried_from)


def _by_section(
    application: Application,
    earlier: Assessment | None,
    sections: Sequence[Section],
    rows: dict[str, CarriedAnswer],
) -> list[tuple[Section, list[CarriedLine]]]:
    found = []
    if earlier is None:
        return []
    before = assessments.catalogue_of(earlier)
    for section in sections:
        lines = [
            CarriedLine(
                question,
                criterion,
                rows[question.id],
                spoken(
                    before.question(rows[question.id].source_question_id), rows[question.id].value
                ),
                criterion_page(application, assessment_task(section.id), criterion.id),
            )
            for criterion in section.criteria
            for question in criterion.questions
            if question.id in rows
        ]
        if lines:
            found.append((section, lines))
    return found
