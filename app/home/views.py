"""The start page, and the overview of one trader."""

import uuid

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.authz.policy import may
from app.home.queries import overview, standing_by_trader
from app.traders.queries import invitations_of, traders_of, visible_trader
from app.traders.rules import ROLE_MEANINGS, ROLE_NAMES
from app.web.access import requires
from app.web.fragments import render
from app.web.navigation import way_in
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work

blueprint = Blueprint("home", __name__)


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
        return redirect(way_in(trader_id) or url_for("traders.switch"), code=303)
    page = paginate(work.session, traders_of(actor), page_number())
    shown = [one for one in page.items if may(actor, Permission.STANDING_VIEW, one)]
    return render(
        "home/start.html",
        page=page,
        standings=standing_by_trader(work, shown),
        ways_in={one.id: way_in(one.id) for one in page.items},
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
    return render("home/trader.html", trader=found, overview=overview(work, found))
