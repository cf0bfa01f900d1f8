"""What the console's pages share: the blueprint, and the way from a form to its answer."""

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.authz.predicates import HasTrader
from app.web.access import note_access
from app.web.forms import Form
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("casework", __name__, url_prefix="/console")


def may_here(subject: HasTrader, permission: Permission) -> bool:
    """Whether the page may offer what asks for this permission."""
    return may(current_work().actor, permission, subject)


def note_file(subject: HasTrader, kind: str, page: str) -> None:
    """Record that somebody at the agency looked into a trader's file."""
    note_access(Seen(subject_kind=kind, subject=page, trader_id=subject.trader_id))


def page(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    return render(
        f"casework/{template}",
        form=form,
        form_errors=bool(form.errors),
        status=422 if form.errors else 200,
        **context,
    )


def back_to(endpoint: str, message: str = "", **values: Any) -> BaseResponse:  # noqa: ANN401
    """The answer to a form that was done: see the page that shows the outcome, and a word on it."""
    if message:
        flash(message, "success")
    return redirect(url_for(f"casework.{endpoint}", **values), code=303)


def is_me(person_id: uuid.UUID | None) -> bool:
    """Whether this is the person who looks at the page."""
    return person_id is not None and person_id == current_work().actor.person_id
