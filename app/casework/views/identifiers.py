"""Identifiers that a trader claims: verify, refuse; in a case and for partners alike."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.casework import queries, service
from app.casework.forms import RefusalForm
from app.casework.views.case import frame, opened
from app.casework.views.frame import back_to, blueprint, may_here, note_file, page
from app.casework.views.words import Tag
from app.kernel.identifiers import Identifier, warnings
from app.traders import queries as traders
from app.traders import service as trader_service
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.workflow import IdentifierState
from app.web.access import requires
from app.web.filters import day
from app.web.fragments import render
from app.web.requests import current_work

STATES = {
    IdentifierState.CLAIMED: (_l("Claimed: to verify"), "warning"),
    IdentifierState.VERIFIED: (_l("Verified"), "success"),
    IdentifierState.REFUSED: (_l("Refused"), "danger"),
    IdentifierState.WITHDRAWN: (_l("Withdrawn"), "neutral"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One identifier with what can be done about it here."""

    id: uuid.UUID
    label: str
    shown: str
    tag: Tag
    note: str
    warnings: tuple[str, ...]
    conflict_href: str | None
    may_verify: bool
    may_refuse: bool


def lines_of(trader: Trader) -> list[Line]:
    """The trader's identifiers, as the agency sees them."""
    session = current_work().session
    conflicts = {
        (one.scheme, one.lookup_key): one for one in queries.open_conflicts_of(session, trader.id)
    }
    may_act = may_here(trader, Permission.CASE_REVIEW)
    return [
        _line(one, conflicts.get((one.scheme, one.lookup_key)), may_act=may_act)
        for one in traders.identifiers_of(session, trader.id)
    ]


def _line(one: TraderIdentifier, conflict: IdentifierConflict | None, *, may_act: bool) -> Line:
    state = IdentifierState(one.state)
    words, tone = STATES[state]
    unusual: Iterable[str] = ()
    if one.value is not None and state is IdentifierState.CLAIMED:
        unusual = (
            f"{gettext(each.message)} {gettext(each.fix)}"
            for each in warnings(Identifier(one.scheme, one.value))
        )
    note = {
        IdentifierState.CLAIMED: gettext("Claimed on %(day)s", day=day(one.claimed_at)),
        IdentifierState.VERIFIED: gettext("Verified on %(day)s", day=day(one.verified_at)),
        IdentifierState.REFUSED: one.refusal_reason or "",
    }.get(state, "")
    available = one.available()
    return Line(
        id=one.id,
        label=gettext(one.scheme.label),
        shown=one.shown,
        tag=Tag(str(words), tone),
        note=note,
        warnings=tuple(unusual),
        conflict_href=None
        if conflict is None
        else url_for("casework.conflict", conflict_id=conflict.id),
        may_verify=may_act and "verify" in available and conflict is None,
        may_refuse=may_act and "refuse" in available,
    )


@blueprint.get("/cases/<uuid:case_id>/identifiers")
@requires(Permission.CASE_VIEW)
def identifiers(case_id: uuid.UUID) -> Response:
    """What the trader claims to be known by, and what the agency made of it."""
    found = opened(case_id, "identifiers")
    return render(
        "casework/identifiers.html",
        **frame(found, "identifiers"),
        lines=lines_of(found.trader),
    )


@blueprint.post("/traders/<uuid:trader_id>/identifiers/<uuid:identifier_id>/verify")
@requires(Permission.CASE_REVIEW)
def verify_identifier(trader_id: uuid.UUID, identifier_id: uuid.UUID) -> BaseResponse:
    """Say that the agency has seen proof."""
    work = current_work()
    trader = traders.visible_trader(work, trader_id, Permission.CASE_REVIEW)
    identifier = traders.visible_row(work, TraderIdentifier, trader, identifier_id)
    if identifier.state != IdentifierState.VERIFIED:
        trader_service.verify_identifier(work, identifier)
    message = gettext("Verified: %(shown)s now names the company.", shown=identifier.shown)
    return _back(trader, message)


@blueprint.route(
    "/traders/<uuid:trader_id>/identifiers/<uuid:identifier_id>/refuse", methods=["GET", "POST"]
)
@requires(Permission.CASE_REVIEW)
def refuse_identifier(trader_id: uuid.UUID, identifier_id: uuid.UUID) -> Response | BaseResponse:
    """Do not accept an identifier, with a reason for the trader."""
    work, form = current_work(), RefusalForm()
    trader = traders.visible_trader(work, trader_id, Permission.CASE_REVIEW)
    identifier = traders.visible_row(work, TraderIdentifier, trader, identifier_id)
    note_file(trader, "trader", "refuse identifier")

    def act() -> None:
        service.refuse_identifier(work, identifier, reason=form.reason.data or "")

    if form.done(act):
        return _back(trader, gettext("Refused. The trader is told by mail."))
    return page(
        "refuse_identifier.html",
        form,
        trader=trader,
        line=_line(identifier, None, may_act=True),
        back_href=_address(trader),
    )


def _address(trader: Trader) -> str:
    """Where the reviewer came from: the trader's open case, or its page in the register."""
    case = queries.open_case_of(current_work().session, trader.id)
    if case is not None:
        return url_for("casework.identifiers", case_id=case.id)
    return url_for("casework.partner", trader_id=trader.id)


def _back(trader: Trader, message: str) -> BaseResponse:
    case = queries.open_case_of(current_work().session, trader.id)
    if case is not None:
        return back_to("identifiers", message, case_id=case.id)
    return back_to("partner", message, trader_id=trader.id)
