"""One batch: how far it is, what became of it, what is wrong with it."""

import uuid

from flask import Response, request

from app.advance_data import queries
from app.advance_data.answers import has_workbook
from app.advance_data.downloads import answer_abi, faults_csv, rejected_xlsx
from app.advance_data.formats import ABI
from app.advance_data.models import Batch
from app.advance_data.queries import FaultFilter
from app.advance_data.views.frame import blueprint, may_submit, own, own_batch
from app.advance_data.wording import CHANNEL_WORDS, COLUMN_WORDS, SEVERITY_WORDS, stage_of
from app.authz.permissions import Permission
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>")
@requires(Permission.FILING_VIEW)
def batch(trader_id: uuid.UUID, batch_id: uuid.UUID) -> Response:
    """The batch; while it is being checked, the page asks for its outcome every second."""
    trader, work = own(trader_id), current_work()
    found = own_batch(trader, batch_id)
    wanted = FaultFilter(
        *(request.args.get(name, "").strip() for name in ("code", "field", "severity"))
    )
    return render(
        "advance_data/batch.html",
        fragment="outcome",
        trader=trader,
        batch=found,
        stage=_stage(found),
        groups=queries.fault_groups(work.session, found.id),
        page=paginate(work.session, queries.faults_of(found.id, wanted), page_number()),
        wanted=wanted,
        filtered=wanted != FaultFilter(),
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


def _stage(found: Batch) -> object:
    return stage_of(found.state, accepted=found.accepted, rejected=found.rejected)
