"""The identifiers of a trader: what they are worth today, claiming one, taking one back."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError, NotReadyError
from app.kernel.identifiers import Identifier, Scheme, masked, warnings
from app.traders import queries, service
from app.traders.forms import ClaimForm, ConfirmForm
from app.traders.models import TraderIdentifier
from app.traders.rules import KEY_SCHEMES, SCHEMES
from app.traders.views.frame import back_to, blueprint, done, may_here, own, page
from app.traders.workflow import IdentifierState
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

TONES = {
    IdentifierState.CLAIMED: "warning",
    IdentifierState.VERIFIED: "success",
    IdentifierState.REFUSED: "danger",
}
STATUS_WORDS = {
    IdentifierState.CLAIMED: "Claimed: the agency has not verified it yet",
    IdentifierState.VERIFIED: "Verified on %(day)s",
    IdentifierState.REFUSED: "Refused:",
    IdentifierState.WITHDRAWN: "Withdrawn",
}
# Where a person's social security number might be typed, with or without its hyphens.
TAX_NUMBERS = frozenset({Scheme.IOR, Scheme.EIN, Scheme.CBP})


@dataclass(frozen=True, slots=True)
class Line:
    """One identifier as pages show it."""

    identifier: TraderIdentifier
    label: str
    shown: str
    status: str
    reason: str
    tone: str
    warnings: tuple[str, ...]
    may_withdraw: bool


def lines(identifiers: Iterable[TraderIdentifier]) -> list[Line]:
    """Identifiers in words."""
    return [_line(one) for one in identifiers]


def _line(one: TraderIdentifier) -> Line:
    state = IdentifierState(one.state)
    unusual = (
        warnings(Identifier(one.scheme, one.value))
        if one.value is not None and state is IdentifierState.CLAIMED
        else ()
    )
    return Line(
        identifier=one,
        label=gettext(one.scheme.label),
        shown=one.shown,
        status=_status(one, state),
        reason=(one.refusal_reason or "") if state is IdentifierState.REFUSED else "",
        tone=TONES.get(state, "neutral"),
        warnings=tuple(f"{gettext(w.message)} {gettext(w.fix)}" for w in unusual),
        may_withdraw="withdraw" in one.available(),
    )


def _status(one: TraderIdentifier, state: IdentifierState) -> str:
    on = "" if one.verified_at is None else format_date(one.verified_at.date(), "d MMMM yyyy")
    return gettext(STATUS_WORDS[state], day=on)


@blueprint.get("/traders/<uuid:trader_id>/identifiers")
@requires(Permission.TRADER_VIEW)
def identifiers(trader_id: uuid.UUID) -> Response:
    """The trader's identifiers, and those that it could claim."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    return render(
        "traders/identifiers.html",
        trader=trader,
        lines=lines(queries.identifiers_of(work.session, trader.id)),
        schemes=SCHEMES[trader.entity_type],
        key_schemes=KEY_SCHEMES.get(trader.entity_type, frozenset()),
        may_edit=may_here(trader, Permission.TRADER_EDIT),
    )


@blueprint.route("/traders/<uuid:trader_id>/identifiers/claim/<scheme>", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def claim(trader_id: uuid.UUID, scheme: str) -> Response | BaseResponse:
    """Claim one identifier. Nothing on this page or after it depends on other traders."""
    trader, work, form = own(trader_id), current_work(), ClaimForm()
    chosen = next((one for one in SCHEMES[trader.entity_type] if one == scheme), None)
    if chosen is None:
        raise NotFoundError
    form.value.label.text = gettext(chosen.label)
    typed = form.value.data or ""
    if form.validate_on_submit():
        try:
            service.claim_identifier(work, trader, key=form.row_id, scheme=chosen, text=typed)
        except NotReadyError as refusal:
            form.show_as_one(refusal.problems)
        else:
            message = gettext("Claimed. It counts once the agency has verified it.")
            return back_to("identifiers", message, trader_id=trader.id)
    hidden = masked(typed, identifier=chosen in TAX_NUMBERS) != typed
    if hidden:
        # A person's number is not written back into a page, whatever is wrong with it.
        form.value.data = ""
    return page("claim.html", form, trader=trader, scheme=chosen, hidden=hidden)


@blueprint.route(
    "/traders/<uuid:trader_id>/identifiers/<uuid:identifier_id>/withdrawal",
    methods=["GET", "POST"],
)
@requires(Permission.TRADER_EDIT)
def withdraw(trader_id: uuid.UUID, identifier_id: uuid.UUID) -> Response | BaseResponse:
    """Take a claim back, after a page that says what that means."""
    trader, work, form = own(trader_id), current_work(), ConfirmForm()
    identifier = queries.visible_row(work, TraderIdentifier, trader, identifier_id)
    if done(form, lambda: service.withdraw_identifier(work, identifier)):
        return back_to("identifiers", gettext("Withdrawn."), trader_id=trader.id)
    return page("withdraw.html", form, trader=trader, line=lines([identifier])[0])
