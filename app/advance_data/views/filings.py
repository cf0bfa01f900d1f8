"""The filings that stand, one of them, and its receipt."""

import uuid

from flask import Response, request

from app.advance_data import measured, queries, receipts
from app.advance_data.shown import bill_of, sections_of
from app.advance_data.shown_score import EVENT_WORDS, TIME_WORDS, turn_of
from app.advance_data.timing import OWING
from app.advance_data.views.frame import blueprint, may_submit, own, own_filing
from app.advance_data.wording import ACTION_WORDS, STANDING_WORDS
from app.authz.permissions import Permission
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.receipts import hand_out, is_sealed
from app.web.requests import current_work

LONGEST_SEARCH = 100


@blueprint.get("/traders/<uuid:trader_id>/advance-data/filings")
@requires(Permission.FILING_VIEW)
def filings(trader_id: uuid.UUID) -> Response:
    """The trader's filings, with a search."""
    trader, work = own(trader_id), current_work()
    search = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    page = paginate(work.session, queries.filings_of(work, trader.id, search), page_number())
    return render(
        "advance_data/filings.html",
        fragment="filings",
        trader=trader,
        page=page,
        search=search,
        standings=queries.standings(work.session, page.items),
        standing_words=STANDING_WORDS,
        bill_of=bill_of,
        may_submit=may_submit(trader),
    )


@blueprint.get("/traders/<uuid:trader_id>/advance-data/filings/<uuid:filing_id>")
@requires(Permission.FILING_VIEW)
def filing(trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response:
    """One filing: its values, its receipt, what came before and after it."""
    return _filing_page("advance_data/filing.html", trader_id, filing_id)


@blueprint.get("/traders/<uuid:trader_id>/advance-data/filings/<uuid:filing_id>/receipt")
@requires(Permission.FILING_VIEW)
def receipt(trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response:
    """The receipt alone, to print or to keep."""
    return _filing_page("advance_data/receipt.html", trader_id, filing_id)


@blueprint.get("/traders/<uuid:trader_id>/advance-data/filings/<uuid:filing_id>/receipt.tlog-proof")
@requires(Permission.FILING_VIEW)
def receipt_file(trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response:
    """The receipt as a file that can be checked without the portal."""
    found = own_filing(own(trader_id), filing_id)
    session = current_work().session
    event = receipts.event_of(session, found)
    more = None if event is None else receipts.way_up(session, found)
    return hand_out(session, event, found.receipt, more)


def _filing_page(page: str, trader_id: uuid.UUID, filing_id: uuid.UUID) -> Response:
    trader, work = own(trader_id), current_work()
    found = own_filing(trader, filing_id)
    history = queries.history_of(work, found)
    place = measured.places(work, trader.id, [found])[found.id]
    return render(
        page,
        trader=trader,
        filing=found,
        batch=next(batch for one, batch in history if one.id == found.id),
        history=history,
        standings=queries.standings(work.session, [one for one, _ in history]),
        standing_words=STANDING_WORDS,
        action_words=ACTION_WORDS,
        times=place.times(work.now),
        told=place.report,
        time_words=TIME_WORDS,
        event_words=EVENT_WORDS,
        owing=OWING,
        owed_turn=turn_of(found, for_client=trader.id in work.actor.grants),
        may_submit=may_submit(trader),
        sections=sections_of(found.content),
        sealed=is_sealed(work.session, receipts.event_of(work.session, found)),
    )
