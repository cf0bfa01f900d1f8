"""The activity log over all traders, for auditors; who reads or exports it is recorded in it."""

import uuid
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext
from sqlalchemy import func, select

from app.activity import queries
from app.activity.forms import LogForm
from app.activity.queries import Found, Names
from app.activity.sentences import log_line
from app.activity.views.frame import as_csv, common_cells, links, wanted_of
from app.audit.access import Seen
from app.authz.permissions import Permission
from app.kernel.errors import NotReadyError, Problem
from app.traders.models import Trader
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("activity_log", __name__, url_prefix="/console")
COLUMNS = ("at_utc", "who", "capacity", "under", "what", "tag", "trader", "address")
KIND = "activity_log"


@blueprint.get("/activity")
@requires(Permission.ACTIVITY_LOG)
def log() -> Response:
    """Everything that was recorded, the newest first."""
    form, chosen, good = _asked()
    found = Found((), Names(), None)
    if good:
        _note("read", form, chosen)
        found = queries.everything(current_work().session, wanted_of(form, trader_id=chosen))
    return render(
        "activity/log.html",
        status=200 if good else 422,
        form=form,
        form_errors=not good,
        lines=[log_line(one, found.names) for one in found.entries],
        **links(form, found, "activity_log.log", "activity_log.log_csv"),
    )


@blueprint.get("/activity.csv")
@requires(Permission.ACTIVITY_LOG)
def log_csv() -> Response:
    """The same as a file, all of it."""
    form, chosen, good = _asked()
    if not good:
        raise NotReadyError([Problem("A filter in the address is not one.", None, "FILTER")])
    _note("exported", form, chosen)
    pages = queries.every_entry(current_work().session, wanted_of(form, trader_id=chosen))
    lines = (log_line(one, page.names) for page in pages for one in page.entries)
    return as_csv(
        "activity-log.csv",
        COLUMNS,
        ((*common_cells(one), one.tag, one.trader, one.address) for one in lines),
    )


def _asked() -> tuple[LogForm, uuid.UUID | None, bool]:
    form = LogForm(request.args).with_choices()
    good = form.validate()
    chosen, problem = _trader(form.trader.data or "")
    if problem:
        form.trader.errors = [*form.trader.errors, problem]
    return form, chosen, good and not problem


def _trader(words: str) -> tuple[uuid.UUID | None, str]:
    """The trader that an id, a name or an unmistakable part of one means, or why there is none."""
    if not words:
        return None, ""
    session = current_work().session
    try:
        found = session.get(Trader, uuid.UUID(words))
        return (found.id, "") if found else (None, gettext("No trader has this id."))
    except ValueError:
        pass
    fits: Any = select(Trader.id).limit(2)
    for condition in (
        func.lower(Trader.name) == words.lower(),
        Trader.name.icontains(words, autoescape=True),
    ):
        ids = session.scalars(fits.where(condition)).all()
        if len(ids) == 1:
            return ids[0], ""
        if ids:
            return None, gettext("Several traders fit. Write more of the name.")
    return None, gettext("No trader has this name.")


def _note(what: str, form: LogForm, chosen: uuid.UUID | None) -> None:
    """Record that the log was looked at; the words that were searched for may name somebody."""
    narrowed = (("from", form.since.data), ("to", form.until.data), ("kind", form.kind.data))
    subject = ", ".join([what, *(f"{word} {value}" for word, value in narrowed if value)])
    note_access(Seen(subject_kind=KIND, subject=subject, answer=what, trader_id=chosen))
