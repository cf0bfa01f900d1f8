"""Correct a file's rejected rows in the page; the file itself stays as it was sent."""

import uuid
from collections.abc import Iterable

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.advance_data import corrections, service
from app.advance_data.corrections import BrokenRow, shown_cell
from app.advance_data.faults import RowFault
from app.advance_data.forms import RowForm
from app.advance_data.kinds import kinds_of
from app.advance_data.models import Batch, FilingFault
from app.advance_data.queries import FaultFilter
from app.advance_data.rows import COLUMNS, PERSONAL_COLUMNS
from app.advance_data.views.frame import blueprint, may_submit, own, own_batch
from app.advance_data.wording import COLUMN_WORDS
from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError
from app.traders.models import Trader
from app.web.access import requires
from app.web.errors import translate
from app.web.fragments import render
from app.web.paging import Page, page_number, page_of
from app.web.requests import current_work

PER_PAGE = 10
ROW = "/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>/rows/<int:file_row>"


@blueprint.get("/traders/<uuid:trader_id>/advance-data/batches/<uuid:batch_id>/rows")
@requires(Permission.FILING_VIEW)
def rows(trader_id: uuid.UUID, batch_id: uuid.UUID) -> Response:
    """The rows that are still not filed, as the file has them, their faulty cells marked."""
    trader, work = own(trader_id), current_work()
    batch = _correctable(trader, batch_id)
    wanted = _wanted()
    numbers = page_of(corrections.open_rows(work, batch, wanted), page_number(), PER_PAGE)
    page = Page(
        corrections.broken_rows(work, batch, numbers.items),
        numbers.number,
        numbers.pages,
        numbers.total,
    )
    return render(
        "advance_data/rows.html",
        fragment="rows",
        trader=trader,
        batch=batch,
        page=page,
        groups=kinds_of(batch.kinds),
        wanted=wanted,
        filtered=wanted != FaultFilter(),
        columns=COLUMNS,
        column_words=COLUMN_WORDS,
        may_submit=may_submit(trader),
    )


@blueprint.get(ROW)
@requires(Permission.FILING_SUBMIT)
def row(trader_id: uuid.UUID, batch_id: uuid.UUID, file_row: int) -> Response:
    """One row to correct, every error beside its cell."""
    trader = own(trader_id, Permission.FILING_SUBMIT)
    batch, broken = _broken(trader, batch_id, file_row)
    form = RowForm(data={column: broken.shown(column) for column in COLUMNS})
    _show(form, broken.faults)
    return _row_page(trader, batch, broken, form)


@blueprint.post(ROW)
@requires(Permission.FILING_SUBMIT)
def correct(trader_id: uuid.UUID, batch_id: uuid.UUID, file_row: int) -> Response | BaseResponse:
    """Check the row as it was typed; file it, unless it has an error or was only to be checked."""
    trader, work = own(trader_id, Permission.FILING_SUBMIT), current_work()
    batch, broken = _broken(trader, batch_id, file_row, corrected_too=True)
    form = RowForm()
    if not form.validate_on_submit():
        return _row_page(trader, batch, broken, form, status=422)
    only_check = request.form.get("do") == "check"
    done = service.correct_row(
        work,
        trader,
        file=batch,
        file_row=file_row,
        line_no=broken.line_no,
        values=_typed(form, broken),
        key=form.row_id,
        only_check=only_check,
    )
    if done.filing is None:
        _show(form, done.faults)
        _hide_personal(form, broken)
        passed = not form.errors
        return _row_page(trader, batch, broken, form, passed=passed, status=200 if passed else 422)
    flash(
        gettext(
            "Row %(row)s is filed: receipt %(receipt)s", row=file_row, receipt=done.filing.receipt
        ),
        "success",
    )
    wanted = _wanted()
    left = corrections.open_rows(work, batch, wanted)
    after = next((one for one in left if one > file_row), left[0] if left else None)
    if after is None:
        place = url_for("advance_data.batch", trader_id=trader.id, batch_id=batch.id)
    else:
        place = url_for(
            "advance_data.row",
            trader_id=trader.id,
            batch_id=batch.id,
            file_row=after,
            code=wanted.code or None,
            field=wanted.field or None,
            severity=wanted.severity or None,
        )
    return redirect(place, code=303)


def _wanted() -> FaultFilter:
    return FaultFilter(
        *(request.args.get(name, "").strip() for name in ("code", "field", "severity"))
    )


def _correctable(trader: Trader, batch_id: uuid.UUID) -> Batch:
    batch = own_batch(trader, batch_id)
    if not corrections.may_be_corrected(batch):
        raise NotFoundError
    return batch


def _broken(
    trader: Trader, batch_id: uuid.UUID, file_row: int, *, corrected_too: bool = False
) -> tuple[Batch, BrokenRow]:
    """The row, when it is still open; also a corrected one, so that a form may be sent twice."""
    work, batch = current_work(), _correctable(trader, batch_id)
    is_open = file_row in corrections.open_rows(work, batch)
    if not is_open and not corrected_too:
        raise NotFoundError
    found = corrections.broken_rows(work, batch, [file_row])
    if not found or not any(one.severity == "error" for one in found[0].faults):
        raise NotFoundError
    return batch, found[0]


def _typed(form: RowForm, broken: BrokenRow) -> dict[str, str]:
    """What was typed; where a personal number was left masked, the one that the file has."""
    values = {}
    for column in COLUMNS:
        text = form[column].data or ""
        if column in PERSONAL_COLUMNS and text and text == broken.shown(column):
            text = broken.values.get(column, "")
        values[column] = text
    return values


def _hide_personal(form: RowForm, broken: BrokenRow) -> None:
    """A personal number that was typed is not put into a page; it is asked for again."""
    for column in PERSONAL_COLUMNS:
        field = form[column]
        text = field.data or ""
        if text != broken.shown(column) and shown_cell(column, text) != text:
            field.data = ""
            field.errors = [
                *field.errors,
                gettext("Type it again: numbers of social-security form are not shown."),
            ]


def _show(form: RowForm, faults: Iterable[FilingFault | RowFault]) -> None:
    """Put each error beside its cell, or on top when it is about the whole row."""
    for fault in faults:
        if fault.severity != "error":
            continue
        text = f"{translate(fault.message)} {translate(fault.fix)}"
        if fault.field in COLUMNS:
            field = form[fault.field]
            field.errors = [*field.errors, text]
        else:
            form.form_errors.append(text)


def _row_page(
    trader: Trader,
    batch: Batch,
    broken: BrokenRow,
    form: RowForm,
    *,
    passed: bool = False,
    status: int = 200,
) -> Response:
    return render(
        "advance_data/row.html",
        status=status,
        trader=trader,
        batch=batch,
        broken=broken,
        form=form,
        passed=passed,
        form_errors=bool(form.errors),
        columns=COLUMNS,
    )
