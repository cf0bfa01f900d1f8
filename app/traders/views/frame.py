"""What the pages about traders share: the blueprint, and the way from a form to its answer."""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may
from app.db.concurrency import StaleError
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.forms import Form
from app.web.fragments import render
from app.web.once import VersionForm
from app.web.requests import current_work

blueprint = Blueprint("traders", __name__)


def own(trader_id: uuid.UUID, permission: Permission = Permission.TRADER_EDIT) -> Trader:
    """The trader in the address, when the actor holds the permission there."""
    return visible_trader(current_work(), trader_id, permission)


def may_here(trader: Trader, permission: Permission) -> bool:
    """Whether the page may offer what asks for this permission."""
    return may(current_work().actor, permission, trader)


def done(form: Form, action: Callable[[], object], row: Any = None) -> bool:  # noqa: ANN401
    """Whether the form was sent and the service has done `action`.

    When not, the form carries why: problems beside their fields, or, for a form of a version,
    what `row` holds now beside what was typed.
    """
    if not form.validate_on_submit():
        return False
    try:
        return form.attempt(action)
    except StaleError:
        if not isinstance(form, VersionForm):
            raise
        form.show_stale(row)
        return False


def page(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors, 409 when it was stale."""
    stale = form.stale if isinstance(form, VersionForm) else None
    status = 409 if stale is not None else 422 if form.errors else 200
    return render(
        f"traders/{template}",
        form=form,
        form_errors=status >= HTTPStatus.BAD_REQUEST,
        stale=stale,
        status=status,
        **context,
    )


def back_to(endpoint: str, message: str = "", **values: Any) -> BaseResponse:  # noqa: ANN401
    """The answer to a form that was done: see the page that shows the outcome, and a word on it."""
    if message:
        flash(message, "success")
    return redirect(url_for(f"traders.{endpoint}", **values), code=303)


def address_of(endpoint: str, **values: Any) -> str | None:  # noqa: ANN401
    """The address of a page of another feature, `None` where this surface does not carry it."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def saved() -> str:
    """What is said after every change that needs no further word."""
    return gettext("Saved.")
