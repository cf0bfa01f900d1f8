"""Other partners: whom the company asked, who asks it, and the answers of both sides."""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may
from app.identity.limits import limiter
from app.identity.step_up import StepUpForm
from app.kernel.errors import NotFoundError
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.verifications import queries, rules, service
from app.verifications.forms import AskForm, ConfirmForm, GiveForm
from app.verifications.models import Consent, Verification
from app.verifications.words import CONSENTS, VERIFICATIONS, asked_banner, consent_banner
from app.verifications.workflow import ConsentState, VerificationState
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work
from app.web.wiring import wiring

blueprint = Blueprint(
    "verifications", __name__, url_prefix="/traders/<uuid:trader_id>/verifications"
)
ASKED, CONSENTED = "/<uuid:verification_id>", "/consents/<uuid:consent_id>"
Answer = Response | BaseResponse


def by_person() -> str:
    """Count for the person who asks."""
    return f"verification:{current_actor().person_id}"


@blueprint.get("")
@requires(Permission.VERIFICATION_VIEW)
def index(trader_id: uuid.UUID) -> Response:
    """Whom the company asked, the newest first, with what each shows now."""
    work, trader = current_work(), _own(trader_id)
    page = paginate(work.session, queries.verifications_of(trader.id), page_number())
    return render(
        "verifications/index.html",
        fragment="verifications",
        trader=trader,
        page=page,
        rows=[_asked_row(one) for one in page.items],
        waiting=queries.asked_of(work.session, trader.id, work.now),
        may_ask=may(work.actor, Permission.VERIFICATION_ASK, trader),
    )


@blueprint.get("/consents")
@requires(Permission.VERIFICATION_VIEW)
def consents(trader_id: uuid.UUID) -> Response:
    """Who asks the company, the newest first."""
    work, trader = current_work(), _own(trader_id)
    page = paginate(work.session, queries.consents_of(trader.id), page_number())
    return render(
        "verifications/consents.html",
        fragment="consents",
        trader=trader,
        page=page,
        rows=[{"consent": one, "state": CONSENTS[_consent_state(one)]} for one in page.items],
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.VERIFICATION_ASK)
@limiter.limit("60 per hour", key_func=by_person)
def ask(trader_id: uuid.UUID) -> Answer:
    """Ask whoever holds a number; what is answered does not depend on whether anybody does."""
    trader, form = _own(trader_id, Permission.VERIFICATION_ASK), AskForm()
    made: list[Verification] = []

    def act() -> None:
        made.append(
            service.ask(
                current_work(),
                trader,
                key=form.row_id,
                scheme=form.kind,
                number=form.number.data or "",
            )
        )

    if form.done(act):
        flash(gettext("Sent. You see here when somebody has consented."), "success")
        return _to("show", trader, verification_id=made[0].id)
    return _page("ask.html", form, trader=trader)


@blueprint.get(ASKED)
@requires(Permission.VERIFICATION_VIEW)
def show(trader_id: uuid.UUID, verification_id: uuid.UUID) -> Response:
    """One question, and what it shows at this instant."""
    work, trader = current_work(), _own(trader_id)
    found = queries.visible_verification(work, trader, verification_id)
    state = _state(found)
    return render(
        "verifications/show.html",
        trader=trader,
        verification=found,
        top=asked_banner(found, state, _shown(found)),
        scheme=gettext(found.scheme.label),
        over=state not in {VerificationState.WAITING, VerificationState.SHOWN},
        may_ask=may(work.actor, Permission.VERIFICATION_ASK, trader),
    )


@blueprint.route(f"{ASKED}/end", methods=["GET", "POST"])
@requires(Permission.VERIFICATION_ASK)
def end(trader_id: uuid.UUID, verification_id: uuid.UUID) -> Answer:
    """Take a question back, or see no longer."""
    work, trader = current_work(), _own(trader_id, Permission.VERIFICATION_ASK)
    found = queries.visible_verification(work, trader, verification_id)
    form = ConfirmForm()
    _must_be(form, _state(found) in {VerificationState.WAITING, VerificationState.SHOWN})
    if form.done(lambda: service.withdraw(work, found)):
        flash(gettext("Taken back. It took effect at once."), "success")
        return _to("show", trader, verification_id=found.id)
    return _page(
        "confirm.html",
        form,
        trader=trader,
        title=gettext("Take this question back?"),
        body=gettext("You see nothing of the company any more. To go on, ask again."),
        button=gettext("Take it back"),
        variant="danger",
        back=url_for("verifications.show", trader_id=trader.id, verification_id=found.id),
        back_words=found.holder_name or found.number,
    )


@blueprint.get(CONSENTED)
@requires(Permission.VERIFICATION_VIEW)
def consent(trader_id: uuid.UUID, consent_id: uuid.UUID) -> Response:
    """One company that asks: who, what it would see, and what was answered."""
    work, trader = current_work(), _own(trader_id)
    found = queries.visible_consent(work, trader, consent_id)
    officer = may(work.actor, Permission.VERIFICATION_CONSENT, trader)
    state = _consent_state(found)
    return render(
        "verifications/consent.html",
        trader=trader,
        consent=found,
        top=consent_banner(found, state, may_answer=officer),
        scheme=gettext(found.scheme.label),
        may_answer=officer and state is ConsentState.ASKED,
        may_end=officer and state is ConsentState.GIVEN,
    )


@blueprint.route(f"{CONSENTED}/yes", methods=["GET", "POST"])
@requires(Permission.VERIFICATION_CONSENT)
def give(trader_id: uuid.UUID, consent_id: uuid.UUID) -> Answer:
    """Consent, after a page that says to what."""
    return _answered(
        trader_id,
        consent_id,
        GiveForm(),
        service.give,
        while_in=ConsentState.ASKED,
        title=gettext("Show this company whether you are a partner?"),
        body=gettext(
            "From now on they see, at any time, whether your company is an active partner, and get a"
            " letter when that changes. They see no tier, no reason and nothing else. You can end it at"
            " any time."
        ),
        button=gettext("Consent for the company"),
        said=gettext("You consent. They see it from now on."),
        variant=None,
    )


@blueprint.route(f"{CONSENTED}/no", methods=["GET", "POST"])
@requires(Permission.VERIFICATION_CONSENT)
def decline(trader_id: uuid.UUID, consent_id: uuid.UUID) -> Answer:
    """Say no, after a page that says what that means."""
    return _answered(
        trader_id,
        consent_id,
        ConfirmForm(),
        service.decline,
        while_in=ConsentState.ASKED,
        title=gettext("Decline?"),
        body=gettext(
            "They are not told: to them it looks as if nobody had answered. They cannot ask you again"
            " for half a year."
        ),
        button=gettext("Decline"),
        said=gettext("Declined. They see nothing."),
        variant=None,
    )


@blueprint.route(f"{CONSENTED}/end", methods=["GET", "POST"])
@requires(Permission.VERIFICATION_CONSENT)
def end_consent(trader_id: uuid.UUID, consent_id: uuid.UUID) -> Answer:
    """Take a consent back, after a page that says what that means."""
    return _answered(
        trader_id,
        consent_id,
        ConfirmForm(),
        service.end,
        while_in=ConsentState.GIVEN,
        title=gettext("No longer show it?"),
        body=gettext("They see nothing from the next click on, and are told that you ended it."),
        button=gettext("End it now"),
        said=gettext("Ended. It took effect at once."),
        variant="danger",
    )


def _answered(
    trader_id: uuid.UUID,
    consent_id: uuid.UUID,
    form: Form,
    verb: Callable[..., None],
    *,
    while_in: ConsentState,
    said: str,
    **words: Any,  # noqa: ANN401 - title, body, button, variant.
) -> Answer:
    work, trader = current_work(), _own(trader_id, Permission.VERIFICATION_CONSENT)
    found = queries.visible_consent(work, trader, consent_id)
    _must_be(form, _consent_state(found) is while_in)
    if form.done(lambda: verb(work, found)):
        flash(said, "success")
        return _to("consent", trader, consent_id=found.id)
    return _page(
        "confirm.html",
        form,
        trader=trader,
        back=url_for("verifications.consent", trader_id=trader.id, consent_id=found.id),
        back_words=found.asker_name,
        **words,
    )


def _asked_row(one: Verification) -> dict[str, Any]:
    state = _state(one)
    words, tone = VERIFICATIONS[state]
    if state is VerificationState.SHOWN:
        top = asked_banner(one, state, _shown(one))
        words, tone = top.title, top.tone
    return {"verification": one, "state": {"text": words, "tone": tone}}


def _shown(one: Verification) -> queries.Shown | None:
    if one.state != VerificationState.SHOWN:
        return None
    return queries.shown_now(wiring().engine, one, wiring().clock.now())


def _state(one: Verification) -> VerificationState:
    return rules.verification_state(one.state, one.lapses_at, current_work().now)


def _consent_state(one: Consent) -> ConsentState:
    return rules.consent_state(one.state, one.lapses_at, current_work().now)


def _own(trader_id: uuid.UUID, permission: Permission = Permission.VERIFICATION_VIEW) -> Trader:
    return visible_trader(current_work(), trader_id, permission)


def _must_be(form: Form, allowed: bool) -> None:  # noqa: FBT001 - the sentence before says what.
    """No page asks for what cannot be done any more; only a form sent twice may come back."""
    if not allowed and not form.is_submitted():
        raise NotFoundError


def _page(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    wrong = bool(form.errors)
    return render(
        f"verifications/{template}",
        form=form,
        form_errors=wrong,
        proves=isinstance(form, StepUpForm),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        **context,
    )


def _to(page: str, trader: Trader, **ids: Any) -> BaseResponse:  # noqa: ANN401 - ids.
    return redirect(url_for(f"verifications.{page}", trader_id=trader.id, **ids), code=303)
