"""The list of batches, and the upload."""

import uuid

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.advance_data import queries, service
from app.advance_data.csv_export import template_csv
from app.advance_data.formats import CSV
from app.advance_data.forms import UploadForm
from app.advance_data.models import Batch
from app.advance_data.rows import COLUMNS
from app.advance_data.views.frame import blueprint, may_submit, own, own_batch
from app.advance_data.wording import CHANNEL_WORDS, COLUMN_WORDS, stage_of
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError, NotReadyError
from app.traders.models import Trader
from app.traders.queries import verified_identifiers
from app.web.access import requires
from app.web.attachments import as_attachment
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/advance-data")
@requires(Permission.FILING_VIEW)
def index(trader_id: uuid.UUID) -> Response:
    """The trader's batches, and the quality of its data in figures."""
    trader, work = own(trader_id), current_work()
    page = paginate(work.session, queries.batches_of(work, trader.id), page_number())
    return render(
        "advance_data/index.html",
        fragment="batches",
        trader=trader,
        page=page,
        still_open=queries.still_open(work.session, page.items),
        quality=queries.quality_of(work, trader.id),
        quality_days=queries.QUALITY_DAYS,
        may_submit=may_submit(trader),
        stage_of=stage_of,
        channel_words=CHANNEL_WORDS,
        column_words=COLUMN_WORDS,
    )


@blueprint.get("/traders/<uuid:trader_id>/advance-data/upload")
@requires(Permission.FILING_VIEW)
def upload(trader_id: uuid.UUID) -> Response:
    """Choose a file; whoever may not send one is told who may."""
    trader, form = own(trader_id), UploadForm(corrects=request.args.get("corrects", ""))
    return _upload_page(trader, form, _corrected(trader, form))


@blueprint.post("/traders/<uuid:trader_id>/advance-data/upload")
@requires(Permission.FILING_SUBMIT)
def receive(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Take the file in."""
    trader, work, form = own(trader_id, Permission.FILING_SUBMIT), current_work(), UploadForm()
    corrected = _corrected(trader, form)
    if form.validate_on_submit():
        file = form.file.data
        try:
            batch = service.receive_batch(
                work,
                trader,
                stream=file.stream,
                filename=file.filename or "",
                channel=service.Channel.FILE,
                key=form.row_id,
                corrects=corrected,
            )
        except NotReadyError as refusal:
            form.show(refusal.problems)
        else:
            flash(gettext("Uploaded: %(name)s", name=batch.filename), "success")
            return redirect(
                url_for("advance_data.batch", trader_id=trader.id, batch_id=batch.id), code=303
            )
    return _upload_page(trader, form, corrected, status=422)


@blueprint.get("/traders/<uuid:trader_id>/advance-data/template.csv")
@requires(Permission.FILING_VIEW)
def template(trader_id: uuid.UUID) -> Response:
    """The header and one example row, to begin a file with."""
    own(trader_id)
    response = Response(template_csv(), content_type=f"{CSV}; charset=utf-8")
    return as_attachment(response, "fairway-filings-template.csv")


def _corrected(trader: Trader, form: UploadForm) -> Batch | None:
    """The file whose rows the upload brings again, if the form names one that is the trader's."""
    if not form.corrects.data:
        return None
    try:
        return own_batch(trader, uuid.UUID(form.corrects.data))
    except ValueError:
        raise NotFoundError from None


def _upload_page(
    trader: Trader, form: UploadForm, corrected: Batch | None, status: int = 200
) -> Response:
    verified = verified_identifiers(current_work().session, trader.id)
    return render(
        "advance_data/upload.html",
        status=status,
        trader=trader,
        form=form,
        corrected=corrected,
        form_errors=bool(form.errors),
        may_submit=may_submit(trader),
        may_see_identifiers=may(current_work().actor, Permission.TRADER_VIEW, trader),
        importer_numbers=[one.shown for one in verified if one.scheme == "ior"],
        columns=COLUMNS,
        column_words=COLUMN_WORDS,
    )
