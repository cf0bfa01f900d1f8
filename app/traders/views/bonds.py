"""Customs bonds."""

import uuid

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.traders import queries, service
from app.traders.forms import BondForm, NewBondForm
from app.traders.models import Bond
from app.traders.rules import in_force
from app.traders.views.frame import back_to, blueprint, done, may_here, own, page, saved
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/bonds")
@requires(Permission.TRADER_VIEW)
def bonds(trader_id: uuid.UUID) -> Response:
    """The trader's bonds, in force or not."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    today = work.now.date()
    return render(
        "traders/bonds.html",
        trader=trader,
        rows=[(bond, in_force(bond, today)) for bond in queries.bonds_of(work.session, trader.id)],
        today=today,
        may_edit=may_here(trader, Permission.TRADER_EDIT),
    )


@blueprint.route("/traders/<uuid:trader_id>/bonds/new", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def record_bond(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Record a bond."""
    trader, work, form = own(trader_id), current_work(), NewBondForm()

    def act() -> None:
        service.record_bond(work, trader, key=form.row_id, details=form.details())

    if done(form, act):
        return back_to("bonds", saved(), trader_id=trader.id)
    return page("bond.html", form, trader=trader, bond=None)


@blueprint.route("/traders/<uuid:trader_id>/bonds/<uuid:bond_id>", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def bond(trader_id: uuid.UUID, bond_id: uuid.UUID) -> Response | BaseResponse:
    """Correct a bond or set its last day."""
    trader, work = own(trader_id), current_work()
    found = queries.visible_row(work, Bond, trader, bond_id)
    form = BondForm(obj=found)

    def act() -> None:
        service.change_bond(work, found, details=form.details(), version=form.expected_version)

    if done(form, act, found):
        return back_to("bonds", saved(), trader_id=trader.id)
    return page("bond.html", form, trader=trader, bond=found)
