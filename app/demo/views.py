"""One-click sign-in and the mailbox of the demonstration; these routes exist in demo mode only."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.authz.permissions import Permission
from app.db.session import Principal, Role, transaction
from app.demo.accounts import ACCOUNTS, BY_KEY
from app.demo.queries import message_in_mailbox, messages_in_mailbox
from app.identity import queries
from app.identity.entering import enter
from app.identity.rules import Method
from app.kernel.errors import NotAllowedError, NotFoundError
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import by_link, current_work
from app.web.wiring import wiring

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
POSTMAN = Principal("system:mailbox", role=Role.WORKER)
LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")
FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
LINK = re.compile(r"https?://\S+")


@blueprint.app_context_processor
def accounts_on_sign_in() -> dict[str, Any]:
    """The accounts that the sign-in page offers."""
    return {"demo_accounts": ACCOUNTS}


@blueprint.post("/sign-in")
@requires(Permission.DEMO_USE)
@by_link
def sign_in() -> Response:
    _refuse_from_afar()
    account = BY_KEY.get(request.form.get("account", ""))
    if account is None:
        raise NotFoundError
    person = queries.person_by_email(current_work().session, account.email)
    if person is None:
        raise NotFoundError
    enter(person.id, Method.DEMO)
    return redirect(url_for("home.start"), code=303)


@blueprint.get("/mailbox")
@requires(Permission.DEMO_USE)
@by_link
def mailbox() -> Response:
    _refuse_from_afar()
    address = request.args.get("address", "").strip()
    with _postman() as session:
        page = paginate(session, messages_in_mailbox(address), page_number())
    return render("demo/mailbox.html", page=page, address=address)


@blueprint.get("/mailbox/<uuid:message_id>")
@requires(Permission.DEMO_USE)
@by_link
def message(message_id: uuid.UUID) -> Response:
    _refuse_from_afar()
    with _postman() as session:
        found = message_in_mailbox(session, message_id)
    return render("demo/message.html", message=found, parts=_with_links(found.body), form=Form())


@contextmanager
def _postman() -> Iterator[Session]:
    """Letters open ways in, so only who delivers them may read them, here as anywhere."""
    with transaction(wiring().engine, POSTMAN, read_only=True) as session:
        yield session


def _refuse_from_afar() -> None:
    """The demonstration answers to this machine alone, and to no proxy."""
    forwarded = any(name in request.headers for name in FORWARDING)
    if forwarded or not LOOPBACK.fullmatch(request.host):
        raise NotAllowedError(
            gettext("The demonstration can be used on the machine that runs it, and only there.")
        )


def _with_links(body: str) -> list[tuple[str, bool]]:
    """The letter cut into pieces of text and addresses, so that the page can link the latter."""
    parts, end = [], 0
    for match in LINK.finditer(body):
        parts += [(body[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [*parts, (body[end:], False)]
