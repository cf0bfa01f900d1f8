"""A trader's own standing; the agency's pages on the register are the console's."""

import uuid

from flask import Blueprint, Response, current_app, url_for

from app.audit.receipts import sealed
from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError
from app.register.models import Determination
from app.register.queries import described
from app.register.receipts import entered_events
from app.traders.queries import verified_identifiers, visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.receipts import hand_out
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
    programmes = described(work.session, trader.id, at=work.now)
    shown = {
        line.standing.determination_id
        for one in programmes
        for line in (*one.past, *one.coming, *([one.now] if one.now else []))
    }
    events = entered_events(work.session, trader.id, shown)
    ready = sealed(work.session, [one.id for one in events.values()])
    return render(
        "register/standing.html",
        trader=trader,
        programmes=programmes,
        sealed={subject: event.id in ready for subject, event in events.items()},
        identifiers=verified_identifiers(work.session, trader.id),
        at=work.now,
        apply=url_for(APPLICATIONS, trader_id=trader.id) if knows else None,
    )


@blueprint.get(
    "/traders/<uuid:trader_id>/standing/determinations/<uuid:determination_id>.tlog-proof"
)
@requires(Permission.STANDING_VIEW)
def receipt_file(trader_id: uuid.UUID, determination_id: uuid.UUID) -> Response:
    """The receipt of a determination that took effect, to be checked without the portal.

    One that is only proposed, or was declined, is the agency's own affair: 404.
    """
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.STANDING_VIEW)
    found = work.session.get(Determination, determination_id)
    if found is None or found.trader_id != trader.id:
        raise NotFoundError
    event = entered_events(work.session, trader.id, [found.id]).get(found.id)
    return hand_out(work.session, event, found.reference)
