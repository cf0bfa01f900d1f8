"""Signing in and out, and proving again who one is."""

import uuid
from math import ceil

from flask import Response, flash, jsonify, redirect, request, session, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.identity import limits, passkeys, proving, queries, rules, service, sessions, step_up
from app.identity.entering import enter
from app.identity.forms import CodeForm, PasskeyForm, PlainForm, SignInForm
from app.identity.passwords import verify_password
from app.identity.rules import Method
from app.identity.views.blueprint import blueprint
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, circumstances, current_actor, current_work
from app.web.wiring import wiring

NEXT = "next"


@blueprint.get("/sign-in")
@requires(Permission.PUBLIC)
@by_link
def sign_in() -> AnyResponse:
    wanted = rules.local_path(request.args.get("next"))
    if current_actor().kind is ActorKind.PERSON:
        return redirect(wanted, code=303)
    if current_actor().kind is ActorKind.HALF:
        session.setdefault(NEXT, wanted)
        return redirect(url_for("identity.go_on"), code=303)
    return _sign_in_page(SignInForm(), wanted)


@blueprint.post("/sign-in")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
@limits.limiter.limit("10 per 5 minutes", key_func=limits.by_email)
@limits.limiter.limit("1000 per 5 minutes", key_func=limits.by_nobody)
def sign_in_with_password() -> AnyResponse:
    wanted = rules.local_path(request.args.get("next"))
    form = SignInForm()
    if not form.validate_on_submit():
        return _sign_in_page(form, wanted, status=422)
    attempt = limits.begin_attempt("sign-in", form.email.data)
    person = queries.person_by_email(current_work().session, form.email.data)
    known = None if person is None or person.ended_at is not None else person
    kept = None if known is None or attempt.locked else known.password_hash
    right = verify_password(kept, form.password.data)
    if attempt.locked:
        return _locked(form, wanted, attempt)
    if known is None or not right:
        _record(SecurityTag.SIGN_IN_FAILED, None if known is None else known.id)
        if attempt.locks:
            _record(SecurityTag.SIGN_IN_LOCKED, None if known is None else known.id)
        form.form_errors.append(gettext("Email address or password is not right."))
        return _sign_in_page(form, wanted, status=422)
    limits.succeed(attempt)
    if known.mail_verified_at is None:
        session[limits.UNVERIFIED] = str(known.id)
        return redirect(url_for("identity.unverified"), code=303)
    service.renew_hash(known, form.password.data)
    if queries.agency_roles(current_work().session, known.id):
        # Told only to somebody who knows the password, so it tells nobody who is known here.
        _record(SecurityTag.SIGN_IN_FAILED, known.id)
        form.form_errors.append(
            gettext(
                "People of the agency sign in with a passkey, never with a password. If you have"
                " none yet, open your invitation; if you lost yours, ask for a new one."
            )
        )
        return _sign_in_page(form, wanted, status=422)
    enter(known.id, Method.PASSWORD)
    session[NEXT] = wanted
    return redirect(url_for("identity.go_on"), code=303)


@blueprint.post("/sign-out")
@requires(Permission.PUBLIC)
@by_link
def sign_out() -> AnyResponse:
    actor = current_actor()
    if actor.person_id is not None:
        _record(SecurityTag.SIGNED_OUT, actor.person_id)
    opened = session.get("oidc")
    sessions.sign_out()
    if opened is not None:
        session["oidc_signed_out_of"] = opened["side"]
    flash(gettext("You are signed out."), "success")
    response = redirect(url_for("identity.sign_in"), code=303)
    # What scripts of ours have left in the browser goes with the session (ASVS 14.3.1). Pages are
    # never stored, and the cookie is new.
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@blueprint.post("/session/stay")
@requires(Permission.SIGNED_IN)
def stay_signed_in() -> AnyResponse:
    """Any request keeps a session going; this one does nothing else, and tells for how long."""
    return jsonify(lasts=sessions.lasts_in_seconds())


@blueprint.get("/confirm", endpoint="step_up")
@requires(Permission.SIGNED_IN)
def step_up_form() -> AnyResponse:
    wanted = rules.local_path(request.args.get("next"))
    if step_up.is_fresh():
        return redirect(wanted, code=303)
    return _step_up_page(CodeForm(), wanted)


@blueprint.post("/confirm")
@requires(Permission.SIGNED_IN)
def step_up_by_code() -> AnyResponse:
    wanted = rules.local_path(request.args.get("next"))
    form = CodeForm()
    if form.validate_on_submit():
        problem = step_up.prove(form.code.data)
        if problem is None:
            return redirect(wanted, code=303)
        form.code.errors = [problem]
    return _step_up_page(form, wanted, status=422)


@blueprint.post("/confirm/passkey/options")
@requires(Permission.SIGNED_IN)
def step_up_options() -> AnyResponse:
    challenge = sessions.put_challenge("confirm")
    return jsonify(
        passkeys.request_options(proving.site(), challenge, step_up.own_factors().passkeys)
    )


@blueprint.post("/confirm/passkey")
@requires(Permission.SIGNED_IN)
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def step_up_by_passkey() -> AnyResponse:
    """Answered to the script of the page, which then lets the form be sent."""
    if not step_up.prove_by_passkey(PasskeyForm().credential.data or ""):
        return Response(status=422)
    return Response(status=204)


@blueprint.get("/sign-up/unverified")
@requires(Permission.PUBLIC)
@by_link
def unverified() -> AnyResponse:
    if limits.UNVERIFIED not in session:
        return redirect(url_for("identity.sign_in"), code=303)
    return render("identity/unverified.html", form=PlainForm())


@blueprint.post("/sign-up/unverified")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("3 per 6 hours", key_func=limits.by_unverified)
def send_verification_again() -> AnyResponse:
    if limits.UNVERIFIED not in session:
        return redirect(url_for("identity.sign_in"), code=303)
    work = current_work()
    person = queries.person(work.session, uuid.UUID(session[limits.UNVERIFIED]))
    service.send_verification(work, person, site=wiring().settings.address)
    session["letter_to"] = person.email
    return redirect(url_for("identity.sign_up_sent"), code=303)


def _sign_in_page(form: SignInForm, wanted: str, status: int = 200) -> Response:
    return render(
        "identity/sign_in.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        next=wanted,
        lapsed=sessions.this_session().lapsed and request.method == "GET",
    )


def _step_up_page(form: CodeForm, wanted: str, status: int = 200) -> Response:
    return render(
        "identity/confirm.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        next=wanted,
        offers_code=step_up.offers_code(),
        offers_passkey=bool(step_up.own_factors().passkeys),
    )


def _locked(form: SignInForm, wanted: str, attempt: limits.Attempt) -> Response:
    seconds = max(1, ceil(attempt.wait.total_seconds()))
    form.form_errors.append(
        ngettext(
            "Too many attempts with this email address. Wait one minute, then try again.",
            "Too many attempts with this email address. Wait %(num)d minutes, then try again.",
            ceil(seconds / 60),
        )
    )
    response = _sign_in_page(form, wanted, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _record(tag: SecurityTag, person_id: uuid.UUID | None) -> None:
    record_security_event(wiring().engine, tag, circumstances(), person_id=person_id)
