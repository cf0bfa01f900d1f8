"""Identifiers that two traders claim: who keeps them."""

import uuid
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectChoice

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.casework import queries, service
from app.casework.forms import ResolveForm
from app.casework.views.frame import back_to, blueprint, note_file, page
from app.casework.views.identifiers import STATES
from app.casework.views.words import Tag
from app.traders import queries as traders
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.workflow import IdentifierState
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work

NOBODY = "nobody"
Claims = list[tuple[TraderIdentifier, Trader]]


@blueprint.get("/conflicts")
@requires(Permission.CASE_VIEW)
def conflicts() -> Response:
    """Every open conflict, the oldest first, with both claims."""
    work = current_work()
    found = paginate(work.session, traders.open_conflicts(), page_number())
    claims = queries.claims_in_all(work.session, found.items)
    return render(
        "casework/conflicts.html",
        page=found,
        rows=[
            {"conflict": one, "names": [trader.name for _, trader in claims.get(one.id, ())]}
            for one in found.items
        ],
        may_resolve=may_ever(work.actor, Permission.CASE_REVIEW),
    )


@blueprint.get("/conflicts/<uuid:conflict_id>")
@requires(Permission.CASE_VIEW)
def conflict(conflict_id: uuid.UUID) -> Response:
    """One conflict: both claims side by side, and who keeps the identifier."""
    found, claims = _opened(conflict_id)
    return _page(found, claims, _form(claims))


@blueprint.post("/conflicts/<uuid:conflict_id>")
@requires(Permission.CASE_REVIEW)
def resolve(conflict_id: uuid.UUID) -> Response | BaseResponse:
    """Decide who keeps the identifier; every other claim to it is refused."""
    work = current_work()
    found, claims = _opened(conflict_id)
    form = _form(claims)
    kept = next((one for one, _ in claims if str(one.id) == form.keep.data), None)

    def act() -> None:
        service.resolve_conflict(work, found, keep=kept, reason=form.reason.data or "")

    if form.done(act):
        return back_to("conflicts", gettext("Resolved. Whoever lost the claim is told by mail."))
    return _page(found, claims, form)


def _opened(conflict_id: uuid.UUID) -> tuple[IdentifierConflict, Claims]:
    session = current_work().session
    found = traders.conflict(session, conflict_id)
    claims = traders.claims_in(session, found)
    for _, trader in claims:
        note_file(trader, "conflict", str(found.id))
    return found, claims


def _page(found: IdentifierConflict, claims: Claims, form: ResolveForm) -> Response:
    may_review = may_ever(current_work().actor, Permission.CASE_REVIEW)
    return page(
        "conflict.html",
        form,
        conflict=found,
        claims=[_claim(one, trader) for one, trader in claims],
        may_resolve=may_review and "resolve" in found.available(),
    )


def _form(claims: Claims) -> ResolveForm:
    form = ResolveForm()
    form.keep.choices = [
        *(
            SelectChoice(str(one.id), gettext("%(trader)s keeps it", trader=trader.name))
            for one, trader in claims
        ),
        SelectChoice(NOBODY, gettext("Neither: both claims are refused")),
    ]
    return form


def _claim(one: TraderIdentifier, trader: Trader) -> dict[str, Any]:
    words, tone = STATES[IdentifierState(one.state)]
    return {"trader": trader, "claim": one, "tag": Tag(str(words), tone)}
