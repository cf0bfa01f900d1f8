"""Signing up, proving the address, and a new password by mail.

Nothing here tells whether an address is known: the pages, their status and their work are the same.
"""

from flask import Response, flash, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.identity import limits, queries, service
from app.identity.entering import enter
from app.identity.forms import AskResetForm, NewPasswordForm, SignUpForm, VerifyForm
from app.identity.models import LinkPurpose
from app.identity.rules import Method
from app.identity.service.links import LinkSpentError
from app.identity.views.blueprint import blueprint
from app.kernel.errors import NotReadyError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, circumstances, current_actor, current_work
from app.web.wiring import wiring

LETTER_TO = "letter_to"
GONE = 410


@blueprint.get("/sign-up")
@requires(Permission.PUBLIC)
@by_link
def sign_up() -> AnyResponse:
    if current_actor().kind is ActorKind.PERSON:
        return redirect("/", code=303)
    return _page("identity/sign_up.html", SignUpForm())


@blueprint.post("/sign-up")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("20 per hour", deduct_when=limits.sent)
@limits.limiter.limit("3 per 6 hours", key_func=limits.by_email, deduct_when=limits.sent)
def sign_up_with_password() -> AnyResponse:
    form = SignUpForm()
    if not form.validate_on_submit():
        return _page("identity/sign_up.html", form, status=422)
    try:
        service.sign_up(
            current_work(),
            name=form.name.data,
            email=form.email.data,
            password=form.password.data,
            site=wiring().settings.address,
        )
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page("identity/sign_up.html", form, status=422)
    session[LETTER_TO] = form.email.data
    return redirect(url_for("identity.sign_up_sent"), code=303)


@blueprint.get("/sign-up/sent")
@requires(Permission.PUBLIC)
@by_link
def sign_up_sent() -> Response:
    return render("identity/letter_sent.html", email=session.get(LETTER_TO), reset=False)


@blueprint.get("/verify/<token>")
@requires(Permission.PUBLIC)
@by_link
def verify(token: str) -> Response:
    """Only shows a button: programs that look at links in mail must not use them up."""
    if _link_is_spent(token, LinkPurpose.VERIFY_MAIL):
        return _spent(LinkPurpose.VERIFY_MAIL)
    return _page("identity/verify.html", VerifyForm())


@blueprint.post("/verify/<token>")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def verify_with_password(token: str) -> AnyResponse:
    form = VerifyForm()
    if not form.validate_on_submit():
        return _page("identity/verify.html", form, status=422)
    try:
        person = service.verify_mail(current_work(), token, password=form.password.data)
    except LinkSpentError:
        return _spent(LinkPurpose.VERIFY_MAIL)
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page("identity/verify.html", form, status=422)
    enter(person.id, Method.PASSWORD)
    flash(gettext("Your email address is confirmed."), "success")
    return redirect(url_for("identity.go_on"), code=303)


@blueprint.get("/reset")
@requires(Permission.PUBLIC)
@by_link
def ask_reset() -> Response:
    return _page("identity/ask_reset.html", AskResetForm())


@blueprint.post("/reset")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("20 per hour", deduct_when=limits.sent)
@limits.limiter.limit("5 per day", key_func=limits.by_email, deduct_when=limits.sent)
def send_reset() -> AnyResponse:
    form = AskResetForm()
    if not form.validate_on_submit():
        return _page("identity/ask_reset.html", form, status=422)
    person = service.request_reset(
        current_work(), email=form.email.data, site=wiring().settings.address
    )
    record_security_event(
        wiring().engine,
        SecurityTag.RESET_REQUESTED,
        circumstances(),
        person_id=None if person is None else person.id,
    )
    session[LETTER_TO] = form.email.data
    return redirect(url_for("identity.reset_sent"), code=303)


@blueprint.get("/reset/sent")
@requires(Permission.PUBLIC)
@by_link
def reset_sent() -> Response:
    return render("identity/letter_sent.html", email=session.get(LETTER_TO), reset=True)


@blueprint.get("/reset/<token>")
@requires(Permission.PUBLIC)
@by_link
def reset(token: str) -> Response:
    if _link_is_spent(token, LinkPurpose.RESET_PASSWORD):
        return _spent(LinkPurpose.RESET_PASSWORD)
    return _page("identity/reset.html", NewPasswordForm())


@blueprint.post("/reset/<token>")
@requires(Permission.PUBLIC)
@by_link
def reset_with_password(token: str) -> AnyResponse:
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _page("identity/reset.html", form, status=422)
    try:
        service.reset_password(current_work(), token, password=form.password.data)
    except LinkSpentError:
        return _spent(LinkPurpose.RESET_PASSWORD)
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page("identity/reset.html", form, status=422)
    flash(gettext("Your new password is set. Sign in with it."), "success")
    return redirect(url_for("identity.sign_in"), code=303)


def _page(
    template: str,
    form: SignUpForm | VerifyForm | AskResetForm | NewPasswordForm,
    status: int = 200,
) -> Response:
    return render(
        template, status=status, form=form, form_errors=bool(form.errors), path=request.path
    )


def _link_is_spent(token: str, purpose: LinkPurpose) -> bool:
    work = current_work()
    return queries.live_link(work.session, token, purpose.value, work.now) is None


def _spent(purpose: LinkPurpose) -> Response:
    return render("identity/link_spent.html", status=GONE, purpose=purpose.value)
