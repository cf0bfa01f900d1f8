"""A trader's own record: who saw and did what with its data."""

import uuid

from flask import Blueprint, Response, request

from app.activity import queries
from app.activity.forms import RecordForm
from app.activity.queries import Found, Names
from app.activity.sentences import told_line
from app.activity.views.frame import as_csv, common_cells, links, wanted_of
from app.authz.permissions import Permission
from app.kernel.errors import NotReadyError, Problem
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("activity", __name__)
COLUMNS = ("at_utc", "who", "capacity", "under", "what")


@blueprint.get("/traders/<uuid:trader_id>/activity")
@requires(Permission.ACTIVITY_VIEW)
def record(trader_id: uuid.UUID) -> Response:
    """What happened with the trader's data, the newest first."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.ACTIVITY_VIEW)
    form = RecordForm(request.args).with_choices()
    good = form.validate()
    found = (
        queries.told(work.session, wanted_of(form, trader_id=trader.id))
        if good
        else Found((), Names(), None)
    )
    return render(
        "activity/record.html",
        status=200 if good else 422,
        trader=trader,
        form=form,
        form_errors=not good,
        lines=[told_line(one, found.names, trader.name) for one in found.entries],
        **links(form, found, "activity.record", "activity.record_csv"),
    )


@blueprint.get("/traders/<uuid:trader_id>/activity.csv")
@requires(Permission.ACTIVITY_VIEW)
def record_csv(trader_id: uuid.UUID) -> Response:
    """The same as a file, all of it."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.ACTIVITY_VIEW)
    form = RecordForm(request.args).with_choices()
    if not form.validate():
        raise NotReadyError([Problem("A date in the address is not one.", "since", "DATE")])
    pages = queries.every_told(work.session, wanted_of(form, trader_id=trader.id))
    lines = (told_line(one, page.names, trader.name) for page in pages for one in page.entries)
    return as_csv("activity.csv", COLUMNS, (common_cells(one) for one in lines))
