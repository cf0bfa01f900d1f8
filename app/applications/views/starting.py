"""Before an application: the list, what a programme asks for, the eligibility check, the start."""

import uuid
from dataclasses import dataclass

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from app.applications import queries, service
from app.applications.eligibility import Eligibility, for_trader
from app.applications.forms import StartForm, eligibility_form
from app.applications.models import Application, EligibilityCheck
from app.applications.rules.eligible import (
    CHECK_LASTS,
    known_answers,
    opens_start,
    standing_problems,
    start_problems,
)
from app.applications.views.frame import (
    blueprint,
    may_here,
    page,
    programme_named,
    see,
    stage_of,
)
from app.authz.permissions import Permission
from app.catalogues.model import Catalogue, Profile
from app.kernel.errors import NotReadyError
from app.publications.queries import current
from app.register.programme import PROGRAMMES, Programme
from app.register.queries import standing_of
from app.register.rules import Standing
from app.traders.models import Trader
from app.traders.queries import profile_facts, visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work


@dataclass(frozen=True, slots=True)
class Offer:
    """A programme as the list shows it to one trader."""

    programme: Programme
    open: bool
    current: Application | None


def trader_here(
    trader_id: uuid.UUID, permission: Permission = Permission.APPLICATION_VIEW
) -> Trader:
    """The trader in the address, when the actor holds the permission there."""
    return visible_trader(current_work(), trader_id, permission)


@blueprint.get("/traders/<uuid:trader_id>/applications")
@requires(Permission.APPLICATION_VIEW)
def index(trader_id: uuid.UUID) -> Response:
    """The trader's applications, and the programmes to which it can apply."""
    trader, work = trader_here(trader_id), current_work()
    found = paginate(work.session, queries.applications_of(trader.id), page_number())
    present = {one.programme: one for one in queries.open_for(work.session, trader.id)}
    return render(
        "applications/index.html",
        fragment="applications",
        trader=trader,
        page=found,
        rows=[(one, stage_of(one), PROGRAMMES[one.programme]) for one in found.items],
        offers=[
            Offer(one, for_trader(one.id, trader.entity_type) is not None, present.get(one.id))
            for one in PROGRAMMES.values()
        ],
    )


@blueprint.get("/traders/<uuid:trader_id>/applications/programmes/<programme>")
@requires(Permission.APPLICATION_VIEW)
def programme(trader_id: uuid.UUID, programme: str) -> Response:
    """Before the start: what the programme is, who can apply, what is needed."""
    trader, work = trader_here(trader_id), current_work()
    found = programme_named(programme)
    eligibility = for_trader(found.id, trader.entity_type)
    if eligibility is None:
        return _not_open(trader, found)
    standing = standing_of(work.session, trader.id, found.id, valid_at=work.now)
    check = queries.latest_check(work.session, trader.id, found.id)
    return render(
        "applications/programme.html",
        trader=trader,
        programme=found,
        eligibility=eligibility,
        sections=_counts(*_asked(eligibility, trader)),
        obstacles=standing_problems(standing, found, work.now),
        current=queries.open_application(work.session, trader.id, found.id),
        check=check,
        check_opens=opens_start(check, work.now),
        may_prepare=may_here(trader, Permission.APPLICATION_PREPARE),
        start=StartForm(),
    )


@blueprint.get("/traders/<uuid:trader_id>/applications/programmes/<programme>/questions")
@requires(Permission.APPLICATION_VIEW)
def questions(trader_id: uuid.UUID, programme: str) -> Response:
    """Every question of the self-assessment, to read before anybody commits to anything."""
    trader, found = trader_here(trader_id), programme_named(programme)
    eligibility = for_trader(found.id, trader.entity_type)
    if eligibility is None:
        return _not_open(trader, found)
    catalogue, profile = _asked(eligibility, trader)
    return render(
        "applications/questions.html",
        trader=trader,
        programme=found,
        catalogue=catalogue,
        profile=profile,
        sections=catalogue.sections_in(profile.id),
        counts=_counts(catalogue, profile),
    )


@blueprint.route(
    "/traders/<uuid:trader_id>/applications/programmes/<programme>/eligibility",
    methods=["GET", "POST"],
)
@requires(Permission.APPLICATION_PREPARE)
def check_eligibility(trader_id: uuid.UUID, programme: str) -> Response | BaseResponse:
    """The eligibility questions, filled in as far as the profile tells."""
    trader = trader_here(trader_id, Permission.APPLICATION_PREPARE)
    work, found = current_work(), programme_named(programme)
    eligibility = for_trader(found.id, trader.entity_type)
    if eligibility is None:
        return _not_open(trader, found)
    facts = profile_facts(work.session, trader)
    known = known_answers(eligibility, facts, trader.imported_within_year, work.now.date())
    form = eligibility_form(eligibility, known)
    if form.validate_on_submit():
        try:
            check = service.check_eligibility(
                work, trader, key=form.row_id, programme=found.id, answers=form.answers
            )
        except NotReadyError as refusal:
            form.show(refusal.problems)
        else:
            return see("eligibility", trader_id=trader.id, check_id=check.id)
    return page(
        "check_eligibility.html",
        form,
        trader=trader,
        programme=found,
        eligibility=eligibility,
        known=known,
    )


@blueprint.get("/traders/<uuid:trader_id>/applications/eligibility/<uuid:check_id>")
@requires(Permission.APPLICATION_VIEW)
def eligibility(trader_id: uuid.UUID, check_id: uuid.UUID) -> Response:
    """The result of a check: its heading is the answer."""
    trader, work = trader_here(trader_id), current_work()
    check = queries.visible_check(work, check_id, Permission.APPLICATION_VIEW, trader_id=trader.id)
    found = programme_named(check.programme)
    standing = standing_of(work.session, trader.id, found.id, valid_at=work.now)
    return _result(trader, found, check, standing)


@blueprint.post("/traders/<uuid:trader_id>/applications/programmes/<programme>/start")
@requires(Permission.APPLICATION_PREPARE)
def start(trader_id: uuid.UUID, programme: str) -> Response | BaseResponse:
    """Start an application, or open the one that is under way."""
    trader = trader_here(trader_id, Permission.APPLICATION_PREPARE)
    found = programme_named(programme)
    application = service.start(current_work(), trader, programme=found.id)
    return see("show", trader_id=trader.id, application_id=application.id)


def _result(
    trader: Trader, programme: Programme, check: EligibilityCheck, standing: Standing | None
) -> Response:
    work = current_work()
    return render(
        "applications/eligibility.html",
        trader=trader,
        programme=programme,
        check=check,
        valid_until=check.at + CHECK_LASTS,
        obstacles=start_problems(check, standing, programme, work.now) if check.eligible else [],
        current=queries.open_application(work.session, trader.id, programme.id),
        may_prepare=may_here(trader, Permission.APPLICATION_PREPARE),
        start=StartForm(),
    )


def _not_open(trader: Trader, programme: Programme) -> Response:
    return render("applications/not_open.html", trader=trader, programme=programme)


def _asked(eligibility: Eligibility, trader: Trader) -> tuple[Catalogue, Profile]:
    """The catalogue and profile that an application started today would use."""
    kind = str(trader.entity_type)
    work = current_work()
    catalogue = current(work.session, eligibility.heading.programme, kind, work.now.date())
    return catalogue, catalogue.profile_for(kind, eligibility.heading.tier)


@dataclass(frozen=True, slots=True)
class Counted:
    """A section with the numbers of its criteria and questions."""

    id: str
    title: str
    must: int
    should: int
    questions: int


def _counts(catalogue: Catalogue, profile: Profile) -> list[Counted]:
    found = []
    for section in catalogue.sections_in(profile.id):
        must = sum(catalogue.modality(profile.id, one.id) == "must" for one in section.criteria)
        asked = sum(len(one.questions) for one in section.criteria)
        found.append(Counted(section.id, section.title, must, len(section.criteria) - must, asked))
    return found
