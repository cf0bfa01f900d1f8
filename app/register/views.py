"""A trader's own standing; the agency's pages on the register are the console's."""

import uuid

from flask import Blueprint, Response, current_app, url_for

from app.authz.permissions import Permission
from app.register.queries import described
from app.traders.queries import verified_identifiers, visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("register", __name__)
APPLICATIONS = "applications.index"


@blueprint.get("/traders/<uuid:trader_id>/standing")
@requires(Permission.STANDING_VIEW)
def standing(trader_id: uuid.UUID) -> Response:
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.STANDING_VIEW)
    # The way to apply belongs to a feature above this one, which another surface may not carry.
    knows = APPLICATIONS in current_app.view_functions
    return render(
        "register/standing.html",
        trader=trader,
        programmes=described(work.session, trader.id, at=work.now),
        identifiers=verified_identifiers(work.session, trader.id),
        at=work.now,
        apply=url_for(APPLICATIONS, trader_id=trader.id) if knows else None,
    )
