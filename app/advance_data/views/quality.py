"""The quality of a trader's data, what it owes and by when, and when its ships leave and arrive."""

import uuid

from flask import Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.advance_data import measured, service
from app.advance_data.forms import VoyageForm
from app.advance_data.models import Filing
from app.advance_data.shown_score import TIME_WORDS, certain, shown_report, turn_of
from app.advance_data.timing import OWING
from app.advance_data.views.frame import blueprint, may_submit, own, own_filing
from app.advance_data.wording import COLUMN_WORDS
from app.authz.permissions import Permission
from app.kernel.errors import NotReadyError
from app.traders.models import Trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/advance-data/quality")
@requires(Permission.FILING_VIEW)
def quality(trader_id: uuid.UUID) -> Response:
    """The score of the last weeks with everything that it is made of, and what to mend first."""
    trader, work = own(trader_id), current_work()
    others = measured.filed_for_others(work, trader) if trader.acts_for_others else None
    return render(
        "advance_data/quality.html",
        trader=trader,
        shown=shown_report(measured.report_of(work, trader)),
        others=others and shown_report(others),
        column_words=COLUMN_WORDS,
    )


@blueprint.get("/traders/<uuid:trader_id>/advance-data/owed")
@requires(Permission.FILING_VIEW)
def owed(trader_id: uuid.UUID) -> Response:
    """What has still to be filed, by when, and whose turn it is."""
    trader, work = own(trader_id), current_work()
    return render(
        "advance_data/owed.html",
        trader=trader,
        owed=[
            (one, turn_of(one.filing, for_client=trader.id in work.actor.grants))
            for one in measured.owed_by(work, trader.id)
        ],
        owing=OWING,
        time_words=TIME_WORDS,
        may_submit=may_submit(trader),
    )


@blueprint.get("/traders/<uuid:trader_id>/advance-data/filings/<uuid:filing_id>/voyage")
@requires(Permission.FILING_SUBMIT)
def voyage(trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response:
    """Tell when the ship leaves and arrives."""
    trader = own(trader_id, Permission.FILING_SUBMIT)
    found = own_filing(trader, filing_id)
    times = measured.times_by_filing(current_work(), trader.id, [found])[found.id]
    form = VoyageForm(
        departs_at=certain(times.voyage.departure), arrives_at=certain(times.voyage.arrival)
    )
    return _voyage_page(trader, found, form)


@blueprint.post("/traders/<uuid:trader_id>/advance-data/filings/<uuid:filing_id>/voyage")
@requires(Permission.FILING_SUBMIT)
def tell_voyage(trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response | BaseResponse:
    """Keep what was told."""
    trader = own(trader_id, Permission.FILING_SUBMIT)
    found, form = own_filing(trader, filing_id), VoyageForm()
    if form.validate_on_submit():
        try:
            service.tell_voyage(
                current_work(),
                found,
                departs_at=form.departs_at.instant,
                arrives_at=form.arrives_at.instant,
                key=form.row_id,
            )
        except NotReadyError as refusal:
            form.show(refusal.problems)
        else:
            flash(gettext("Saved: when the ship leaves and arrives"), "success")
            return redirect(
                url_for("advance_data.filing", trader_id=trader.id, filing_id=found.id), code=303
            )
    return _voyage_page(trader, found, form, status=422)


def _voyage_page(trader: Trader, found: Filing, form: VoyageForm, status: int = 200) -> Response:
    return render(
        "advance_data/voyage.html",
        status=status,
        trader=trader,
        filing=found,
        form=form,
        form_errors=bool(form.errors),
    )
