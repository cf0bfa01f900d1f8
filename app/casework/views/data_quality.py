"""The quality of a partner's advance data, as a reviewer sees it: a risk signal and its reasons."""

import uuid

from flask import Response

from app.advance_data.measured import agency_owed, agency_report
from app.advance_data.shown_score import (
    SIGNAL_MEANINGS,
    SIGNAL_WORDS,
    shown_report,
)
from app.advance_data.timing import OWING
from app.advance_data.wording import COLUMN_WORDS
from app.authz.permissions import Permission
from app.casework.views.frame import blueprint, note_file
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work


@blueprint.get("/register/<uuid:trader_id>/data-quality")
@requires(Permission.CASE_VIEW)
def data_quality(trader_id: uuid.UUID) -> Response:
    """The signal, the score that it rests on, and what is owed; looking at it is recorded."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.CASE_VIEW)
    note_file(trader, "trader", "data quality")
    report = shown_report(agency_report(work, trader))
    return render(
        "casework/data_quality.html",
        trader=trader,
        shown=report,
        owed=agency_owed(work, trader.id),
        owing=OWING,
        signal=SIGNAL_WORDS[report.whole.word],
        meaning=SIGNAL_MEANINGS[report.whole.word],
        column_words=COLUMN_WORDS,
    )
