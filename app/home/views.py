"""The start page, and the overview of one trader."""

import uuid

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.authz.policy import may
from app.comments.queries import asked_of
from app.delegations import queries as delegations
from app.delegations.wording import SCOPE_NAMES
from app.home.advice import advise, happened
from app.home.clients import clients_of, grants_through
from app.home.dated import duties_of
from app.home.deadlines import deadline
from app.home.queries import overview, standing_by_trader
from app.home.safety import safety
from app.traders.queries import invitations_of, traders_of, visible_trader
from app.traders.rules import ROLE_MEANINGS, ROLE_NAMES
from app.web.access import requires
from app.web.fragments import render
from app.web.navigation import way_in
from app.web.paging import page_number, page_of, paginate
from app.web.requests import current_actor, current_work

blueprint = Blueprint("home", __name__)
SHOWN_OFFERS = 5
SHOWN_ASKS = 10


@blueprint.get("/")
@requires(Permission.PUBLIC)
def start() -> Response:
    """Where a person begins: the agency at its queue, everyone else at their traders."""
    actor = current_actor()
    if actor.kind is not ActorKind.PERSON:
        return render("home/welcome.html")
    if actor.is_agency:
        return redirect(url_for("casework.queue"), code=303)
    work = current_work()
    invitations = invitations_of(work)
    if len(actor.appointments) == 1 and not invitations:
        (trader_id,) = actor.appointments
        return redirect(_first_page(trader_id) or url_for("traders.switch"), code=303)
    page = paginate(work.session, traders_of(actor), page_number())
    shown = [one for one in page.items if may(actor, Permission.STANDING_VIEW, one)]
    return render(
        "home/start.html",
        page=page,
        standings=standing_by_trader(work, shown),
        ways_in={one.id: _first_page(one.id) for one in page.items},
        invitations=invitations,
        role_names=ROLE_NAMES,
        role_meanings=ROLE_MEANINGS,
    )


@blueprint.get("/traders/<uuid:trader_id>/overview")
@requires(Permission.TRADER_VIEW)
def trader(trader_id: uuid.UUID) -> Response:
    """What waits on the trader, what waits on the agency, and how things stand."""
    work = current_work()
    found = visible_trader(work, trader_id, Permission.TRADER_VIEW)
    return render(
        "home/trader.html",
        trader=found,
        overview=overview(work, found),
        asked=asked_of(work.session, found.id, work.actor.person_id, SHOWN_ASKS)
        if may(work.actor, Permission.COMMENT_SHARE, found)
        else (),
        deadlines=[deadline(one, found.id) for one in duties_of(work, found)],
    )


@blueprint.get("/traders/<uuid:trader_id>/security")
@requires(Permission.SECURITY_VIEW)
def security(trader_id: uuid.UUID) -> Response:
    """Who and what can come in for the trader, and what needs attention."""
    work = current_work()
    found = visible_trader(work, trader_id, Permission.SECURITY_VIEW)
    shown = safety(work, found)
    return render(
        "home/safety.html",
        trader=found,
        safety=shown,
        advice=[advise(one, found.id, shown.members) for one in shown.attention],
        happened=happened,
        scope_names=SCOPE_NAMES,
        role_names=ROLE_NAMES,
        own_person=work.actor.person_id,
    )


@blueprint.get("/traders/<uuid:trader_id>/clients")
@requires(Permission.CLIENTS_VIEW)
def clients(trader_id: uuid.UUID) -> Response:
    """Where a broker's people begin: for whom they act, until when, and what is open there."""
    work = current_work()
    broker = visible_trader(work, trader_id, Permission.CLIENTS_VIEW)
    page = page_of(grants_through(work.actor, broker.id), page_number())
    may_see = may(work.actor, Permission.DELEGATION_VIEW, broker)
    return render(
        "home/clients.html",
        fragment="clients",
        trader=broker,
        page=page,
        clients=clients_of(work, broker, page.items),
        ways_in={one.trader_id: way_in(one.trader_id) for one in page.items},
        scope_names=SCOPE_NAMES,
        offers=paginate(work.session, delegations.awaiting(broker.id, work.now), 1, SHOWN_OFFERS)
        if may_see
        else None,
        may_see_delegations=may_see,
        may_grant=may(work.actor, Permission.DELEGATION_GRANT, broker),
    )


def _first_page(trader_id: uuid.UUID) -> str | None:
    """A broker's people begin at their clients, once they have one; others at the trader's own."""
    if grants_through(current_actor(), trader_id):
        return url_for("home.clients", trader_id=trader_id)
    return way_in(trader_id)
