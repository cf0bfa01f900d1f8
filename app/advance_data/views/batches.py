"""One batch: how far it is, what became of it, what is wrong with it."""

import uuid
from collections.abc import Sequence

from flask import Response, request

from app.advance_data import measured, queries
from app.advance_data.answers import has_workbook
from app.advance_data.corrections import may_be_corrected, open_rows
from app.advance_data.downloads import answer_abi, faults_csv, rejected_xlsx
from app.advance_data.formats import ABI
from app.advance_data.kinds import kinds_of
from app.advance_data.models import Batch, FilingFault
from app.advance_data.queries import FaultFilter
from app.advance_data.shown_score import shown, text_of
from app.advance_data.views.frame import blueprint, may_submit, own, own_batch
from app.advance_data.wording import (
    BY_LISTS,
    CHANNEL_WORDS,
    COLUMN_WORDS,
    LIST_WORDS,
    SEVERITY_WORDS,
    stage_of,
)
from app.authz.permissions import Permission
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import PER_PAGE, Page, page_number
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>")
@requires(Permission.FILING_VIEW)
def batch(trader_id: uuid.UUID, batch_id: uuid.UUID) -> Response:
    """The batch; while it is being checked, the page asks for its outcome every second."""
    trader, work = own(trader_id), current_work()
    found, now = own_batch(trader, batch_id), work.now
    correctable = may_be_corrected(found)
    left = open_rows(work, found) if correctable else []
    still_open = len(left) if correctable else found.rejected
    score = measured.file_score(work, found)
    wanted = FaultFilter(
        *(request.args.get(name, "").strip() for name in ("code", "field", "severity"))
    )
    return render(
        "advance_data/batch.html",
        fragment="outcome",
        trader=trader,
        batch=found,
        stage=stage_of(
            found.state,
            accepted=found.accepted,
            rejected=found.rejected,
            still_open=still_open,
        ),
        still_open=still_open,
        correctable=correctable,
        first_open=left[0] if left else None,
        corrected=work.session.get(Batch, found.corrects_id) if found.corrects_id else None,
        score=score and shown(score.figures),
        as_sent=text_of(score.as_sent) if score else "",
        groups=kinds_of(found.kinds),
        page=_page(found, wanted),
        wanted=wanted,
        filtered=wanted != FaultFilter(),
        judged=[
            (LIST_WORDS[one.kind], one.as_of, one.days((found.finished_at or now).date()))
            for one in found.judged_by
        ],
        by_lists=BY_LISTS,
        may_submit=may_submit(trader),
        has_workbook=has_workbook(found),
        is_message=found.media_type == ABI,
        channel_words=CHANNEL_WORDS,
        column_words=COLUMN_WORDS,
        severity_words=SEVERITY_WORDS,
    )


@blueprint.get("/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>/faults.csv")
@requires(Permission.FILING_VIEW)
def faults(trader_id: uuid.UUID, batch_id: uuid.UUID) -> Response:
    """Every fault of the batch as a CSV file."""
    return faults_csv(own_batch(own(trader_id), batch_id))


@blueprint.get(
    "/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>/answer.<any(xlsx,abi):form>"
)
@requires(Permission.FILING_VIEW)
def answer(trader_id: uuid.UUID, batch_id: uuid.UUID, form: str) -> Response:
    """The rows that were not filed, to correct and send again; or the answer to messages."""
    found = own_batch(own(trader_id), batch_id)
    return rejected_xlsx(found) if form == "xlsx" else answer_abi(found)


def _page(found: Batch, wanted: FaultFilter) -> Page[FilingFault]:
    total = queries.faults_wanted(found, wanted)
    pages = max(1, -(-total // PER_PAGE))
    number = min(page_number(), pages)
    first = (number - 1) * PER_PAGE
    items: Sequence[FilingFault] = ()
    if total and found.finished_at is not None:
        items = queries.faults_from(
            current_work().session, found, wanted, first=first, limit=PER_PAGE
        )
    return Page(items=items, number=number, pages=pages, total=total)
