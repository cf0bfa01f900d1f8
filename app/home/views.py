"""The start page, and the overview of one trader."""

import uuid

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.home.queries import overview, standing_by_trader
from app.traders.queries import traders_of, visible_trader
from app.web.access import requires
from app.web.fragments import render
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
    if len(actor.appointments) == 1:
        (trader_id,) = actor.appointments
        return redirect(url_for("home.trader", trader_id=trader_id), code=303)
    work = current_work()
    page = paginate(work.session, traders_of(actor), page_number())
    return render("home/start.html", page=page, standings=standing_by_trader(work, page.items))


@blueprint.get("/traders/<uuid:trader_id>/overview")
@requires(Permission.TRADER_VIEW)
def trader(trader_id: uuid.UUID) -> Response:
    """What waits on the trader, what waits on the agency, and how things stand."""
    work = current_work()
    found = visible_trader(work, trader_id, Permission.TRADER_VIEW)
    return render("home/trader.html", trader=found, overview=overview(work, found))
