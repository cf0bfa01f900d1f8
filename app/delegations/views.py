"""Who acts for a trader, and for whom a broker acts: offering, asking, consenting, ending."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may
from app.delegations import directory, queries, rules, service
from app.delegations.directory import Party
from app.delegations.forms import (
    AskForm,
    ConsentForm,
    ConsentWithAuthorityForm,
    DeclineForm,
    EndForm,
    FindForm,
    OfferForm,
)
from app.delegations.models import Delegation
from app.delegations.rules import Stage
from app.delegations.wording import SCOPE_MEANINGS, SCOPE_NAMES, SENTENCES, STAGES
from app.delegations.workflow import Side
from app.documents.downloads import hand_out
from app.identity.limits import limiter
from app.identity.step_up import require_fresh
from app.kernel.errors import NotFoundError
from app.kernel.identifiers import Scheme
from app.traders.kinds import EntityType
from app.traders.models import Site, Trader
from app.traders.queries import sites_of, visible_trader
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work
from app.web.wiring import wiring

blueprint = Blueprint("delegations", __name__)
ONE = "/traders/<uuid:trader_id>/delegations/<uuid:delegation_id>"


def by_person() -> str:
    """Count for the person who asks."""
    return f"directory:{current_actor().person_id}"


@blueprint.get("/traders/<uuid:trader_id>/delegations")
@requires(Permission.DELEGATION_VIEW)
def index(trader_id: uuid.UUID) -> Response:
    """Who acts for us: the trader's delegations, the newest first."""
    return _listed(trader_id, Side.TRADER)


@blueprint.get("/traders/<uuid:trader_id>/delegations/to-us")
@requires(Permission.DELEGATION_VIEW)
def given_to_us(trader_id: uuid.UUID) -> Response:
    """All that clients have let this broker do, also what is over."""
    return _listed(trader_id, Side.BROKER)


def _listed(trader_id: uuid.UUID, side: Side) -> Response:
    trader, work = _own(trader_id, Permission.DELEGATION_VIEW), current_work()
    wanted = queries.given_by if side is Side.TRADER else queries.given_to
    page = paginate(work.session, wanted(trader.id), page_number())
    return render(
        "delegations/index.html",
        fragment="delegations",
        trader=trader,
        side=side.value,
        page=page,
        stages={one.id: queries.stage(one, work.now) for one in page.items},
        turns=rules.TURN,
        words=STAGES,
        scope_names=SCOPE_NAMES,
        is_broker=trader.entity_type is EntityType.BROKER,
        may_grant=may(work.actor, Permission.DELEGATION_GRANT, trader),
    )


@blueprint.get("/traders/<uuid:trader_id>/delegations/new")
@requires(Permission.DELEGATION_GRANT)
@limiter.limit("60 per hour", key_func=by_person)
def find(trader_id: uuid.UUID) -> Response:
    """Name the broker by its number; then the offer itself."""
    trader, form = _own(trader_id), FindForm(request.args)
    # Asked for here, so that a file is not chosen in vain.
    require_fresh()
    if not {"scheme", "number"} & set(request.args):
        return _page("find.html", FindForm(), trader=trader)
    if form.validate():
        broker = _broker(form.scheme.data or "", form.number.data or "")
        if broker is not None:
            today = current_work().now.date()
            offer = OfferForm(
                scheme=form.scheme.data, number=form.number.data, first_day=today
            ).with_sites(_sites(trader))
            return _page("offer.html", offer, trader=trader, broker=broker)
        form.number.errors = [_no_broker()]
    return _page("find.html", form, trader=trader)


@blueprint.post("/traders/<uuid:trader_id>/delegations/new")
@requires(Permission.DELEGATION_GRANT)
@limiter.limit("60 per hour", key_func=by_person)
def offer(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Offer it; the broker answers."""
    trader, work = _own(trader_id), current_work()
    form = OfferForm().with_sites(_sites(trader))
    broker = _broker(form.scheme.data or "", form.number.data or "")
    if broker is None:
        found = FindForm(scheme=form.scheme.data, number=form.number.data)
        found.number.errors = [_no_broker()]
        return _page("find.html", found, trader=trader)
    made: list[Delegation] = []

    def act() -> None:
        terms, file = form.terms(), form.file.data
        made.append(
            service.propose(
                work,
                trader,
                broker,
                key=form.row_id,
                side=Side.TRADER,
                scopes=terms.scopes,
                first_day=terms.first_day,
                last_day=terms.last_day,
                sites=terms.sites,
                authority=service.AuthorityFile(file.filename or "", file.stream),
            )
        )

    if form.done(act):
        message = gettext("Offered. %(broker)s has to accept it.", broker=broker.name)
        return _to(trader, made[0], message)
    return _page("offer.html", form, trader=trader, broker=broker)


@blueprint.route("/traders/<uuid:trader_id>/delegations/ask", methods=["GET", "POST"])
@requires(Permission.DELEGATION_GRANT)
@limiter.limit("60 per hour", key_func=by_person)
def ask(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Ask a client; what is answered does not depend on whether there is such a client."""
    trader, work = _own(trader_id), current_work()
    form = AskForm(first_day=work.now.date())

    def act() -> None:
        service.ask(
            work,
            trader,
            key=form.row_id,
            terms=form.terms(),
            find=lambda: _holder(form.scheme.data or "", form.number.data or ""),
        )

    if form.done(act):
        flash(
            gettext(
                "Sent. If a company here holds this number, its officers can see your question"
                " now. You see it once they accept."
            ),
            "success",
        )
        return redirect(url_for("delegations.given_to_us", trader_id=trader.id), code=303)
    return _page("ask.html", form, trader=trader, is_broker=trader.entity_type is EntityType.BROKER)


@blueprint.get(ONE)
@requires(Permission.DELEGATION_VIEW)
def show(trader_id: uuid.UUID, delegation_id: uuid.UUID) -> Response:
    """One delegation for either side: how it stands, what it lets the broker do, who consented."""
    trader, found = _one(trader_id, delegation_id, Permission.DELEGATION_VIEW)
    work = current_work()
    may_grant = may(work.actor, Permission.DELEGATION_GRANT, trader)
    shown = _shown(trader, found)
    stage, side = shown["stage"], queries.side_of(found, trader)
    return render(
        "delegations/show.html",
        **shown,
        history=queries.history_of(work.session, found),
        sentences=SENTENCES,
        may_answer=may_grant and rules.may_answer(stage, side),
        may_end=may_grant and rules.may_end(stage, side),
        may_grant=may_grant,
    )


@blueprint.get(f"{ONE}/authority")
@requires(Permission.DELEGATION_VIEW)
def authority(trader_id: uuid.UUID, delegation_id: uuid.UUID) -> Response:
    """The authority document, for both sides."""
    _, found = _one(trader_id, delegation_id, Permission.DELEGATION_VIEW)
    revision = directory.authority_of(wiring().engine, found)
    if revision is None:
        raise NotFoundError
    return hand_out(revision)


@blueprint.route(f"{ONE}/consent", methods=["GET", "POST"])
@requires(Permission.DELEGATION_GRANT)
def accept(trader_id: uuid.UUID, delegation_id: uuid.UUID) -> Response | BaseResponse:
    """Consent to what the other side proposed."""
    trader, found = _one(trader_id, delegation_id)
    # Sent twice, the form finds the document that it brought the first time.
    needs_file = found.authority_revision_id is None
    form = ConsentWithAuthorityForm() if needs_file else ConsentForm()
    _must_be(rules.may_answer, form, trader, found)

    def act() -> None:
        file = form.file.data if isinstance(form, ConsentWithAuthorityForm) else None
        service.accept(
            current_work(),
            found,
            by=trader,
            authority=service.AuthorityFile(file.filename or "", file.stream) if file else None,
        )

    if form.done(act):
        return _to(trader, found, gettext("Accepted. Both sides consent now."))
    return _page("accept.html", form, **_shown(trader, found), needs_file=needs_file)


@blueprint.route(f"{ONE}/refusal", methods=["GET", "POST"])
@requires(Permission.DELEGATION_GRANT)
def decline(trader_id: uuid.UUID, delegation_id: uuid.UUID) -> Response | BaseResponse:
    """Say no, after a page that says what that means."""
    trader, found = _one(trader_id, delegation_id)
    form = DeclineForm()
    _must_be(rules.may_answer, form, trader, found)
    if form.done(lambda: service.decline(current_work(), found, by=trader)):
        return _to(trader, found, gettext("Declined. It gave nobody anything."))
    return _page("end.html", form, **_shown(trader, found), declines=True)


@blueprint.route(f"{ONE}/end", methods=["GET", "POST"])
@requires(Permission.DELEGATION_GRANT)
def end(trader_id: uuid.UUID, delegation_id: uuid.UUID) -> Response | BaseResponse:
    """Revoke, hand back or take back, after a page that says what that means."""
    trader, found = _one(trader_id, delegation_id)
    form = EndForm()
    _must_be(rules.may_end, form, trader, found)
    if form.done(lambda: service.revoke(current_work(), found, by=trader)):
        return _to(trader, found, gettext("Ended. It took effect at once."))
    return _page("end.html", form, **_shown(trader, found), declines=False)


def _sites(trader: Trader) -> Sequence[Site]:
    return current_work().session.scalars(sites_of(trader.id)).all()


def _own(trader_id: uuid.UUID, permission: Permission = Permission.DELEGATION_GRANT) -> Trader:
    return visible_trader(current_work(), trader_id, permission)


def _one(
    trader_id: uuid.UUID,
    delegation_id: uuid.UUID,
    permission: Permission = Permission.DELEGATION_GRANT,
) -> tuple[Trader, Delegation]:
    trader = _own(trader_id, permission)
    return trader, queries.visible_delegation(current_work(), trader, delegation_id)


def _broker(scheme: str, number: str) -> Party | None:
    """The broker that holds the number; any other company is nobody here."""
    found = _holder(scheme, number)
    return found if found and found.entity_type is EntityType.BROKER else None


def _holder(scheme: str, number: str) -> Party | None:
    known = {one.value: one for one in Scheme}
    if scheme not in known:
        return None
    return directory.holder_of(wiring().engine, known[scheme], number)


def _no_broker() -> str:
    return gettext("No broker here holds this number. Ask the broker how it is written.")


def _shown(trader: Trader, found: Delegation) -> Mapping[str, Any]:
    """What every page about one delegation says of it."""
    stage = queries.stage(found, current_work().now)
    side = queries.side_of(found, trader)
    return {
        "trader": trader,
        "delegation": found,
        "side": side.value,
        "other": found.broker_name if side is Side.TRADER else found.trader_name,
        "stage": stage,
        "stage_words": STAGES[stage],
        "next_step": STAGES[stage].next_step(side),
        "turn": rules.TURN.get(stage),
        "scopes": [one for one in SCOPE_NAMES if one in found.scope_set],
        "scope_names": SCOPE_NAMES,
        "scope_meanings": SCOPE_MEANINGS,
    }


def _must_be(
    allowed: Callable[[Stage, Side], bool], form: Form, trader: Trader, found: Delegation
) -> None:
    """No page asks for what cannot be done any more; only a form sent twice may come back."""
    stage = queries.stage(found, current_work().now)
    if not allowed(stage, queries.side_of(found, trader)) and not form.is_submitted():
        raise NotFoundError


def _page(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    form.keep_files()
    wrong = bool(form.errors)
    return render(
        f"delegations/{template}",
        form=form,
        form_errors=wrong,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        **context,
    )


def _to(trader: Trader, found: Delegation, message: str) -> BaseResponse:
    flash(message, "success")
    address = url_for("delegations.show", trader_id=trader.id, delegation_id=found.id)
    return redirect(address, code=303)
