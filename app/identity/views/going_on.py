"""From the first proof to the second: what a half session can do, and the sign-in by passkey."""

import uuid
from typing import Any

from flask import Response, flash, jsonify, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.authz.permissions import Permission
from app.identity import limits, passkeys, proving, queries, rules, service, sessions
from app.identity.entering import enter
from app.identity.factors import Factors, factors_of
from app.identity.forms import CodeForm, PasskeyForm, PlainForm, RecoveryCodeForm, SignInForm
from app.identity.rules import Method
from app.identity.views.blueprint import blueprint
from app.kernel.errors import NotFoundError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, current_actor, current_work

NEXT = "next"


def half_method() -> Method:
    """By what the half session of this request began."""
    found = sessions.this_session().found
    return Method.PASSWORD if found is None or found.method is None else found.method


def own_id() -> uuid.UUID:
    """The person of this session, whole or half."""
    person_id = current_actor().person_id
    if person_id is None:
        raise NotFoundError
    return person_id


def arrive(person_id: uuid.UUID, method: Method) -> AnyResponse:
    """Begin the whole session and lead on to where the person wanted to go."""
    wanted = rules.local_path(session.get(NEXT))
    enter(person_id, method)
    return redirect(wanted, code=303)


@blueprint.get("/sign-in/go-on")
@requires(Permission.SIGN_IN_GO_ON)
def go_on() -> Response:
    return _page()


@blueprint.post("/sign-in/code")
@requires(Permission.SIGN_IN_GO_ON)
def sign_in_with_code() -> AnyResponse:
    form, person_id = CodeForm(), own_id()
    if not form.validate_on_submit() or half_method() is not Method.PASSWORD:
        return _page(code_form=form, status=422)
    problem = proving.judge_code(person_id, form.code.data)
    if problem is None:
        return arrive(person_id, Method.PASSWORD_TOTP)
    form.code.errors = [problem]
    return _page(code_form=form, status=422)


@blueprint.post("/sign-in/recovery-code")
@requires(Permission.SIGN_IN_GO_ON)
def sign_in_with_recovery_code() -> AnyResponse:
    form, person_id = RecoveryCodeForm(), own_id()
    if not form.validate_on_submit() or half_method() is not Method.PASSWORD:
        return _page(recovery_form=form, status=422)
    problem = proving.judge_recovery_code(person_id, form.recovery_code.data)
    if problem is not None:
        form.recovery_code.errors = [problem]
        return _page(recovery_form=form, status=422)
    enter(person_id, Method.PASSWORD_RECOVERY)
    work = current_work()
    person = queries.person(work.session, person_id)
    service.tell(work, person, "a recovery code was used to sign in")
    flash(
        gettext("You are in, and that code is used up. Set up a new way to sign in now."), "warning"
    )
    return redirect(url_for("identity.security"), code=303)


@blueprint.post("/sign-in/passkey/options")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("100 per 5 minutes")
def passkey_options() -> Response:
    """For anybody: without a name, any passkey of this site may answer."""
    return jsonify(passkeys.request_options(proving.site(), sessions.put_challenge("sign-in")))


@blueprint.post("/sign-in/passkey")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
@limits.limiter.limit("1000 per 5 minutes", key_func=limits.by_nobody)
def sign_in_with_passkey() -> AnyResponse:
    form = PasskeyForm()
    wanted = rules.local_path(request.args.get("next") or session.get(NEXT))
    person_id = proving.judge_passkey(form.credential.data or "", "sign-in")
    if person_id is None:
        blank = SignInForm(formdata=None)
        blank.form_errors.append(proving.not_believed())
        return render(
            "identity/sign_in.html",
            status=422,
            form=blank,
            form_errors=True,
            next=wanted,
            lapsed=False,
        )
    enter(person_id, Method.PASSKEY)
    return redirect(wanted, code=303)


def _page(
    *,
    code_form: CodeForm | None = None,
    recovery_form: RecoveryCodeForm | None = None,
    status: int = 200,
) -> Response:
    db, person_id = current_work().session, own_id()
    owned: Factors = factors_of(db, person_id)
    sent = code_form or recovery_form
    context: dict[str, Any] = {
        "status": status,
        "form_errors": bool(sent and sent.errors),
        "at_agency": bool(queries.agency_roles(db, person_id)),
        "leave": PlainForm(formdata=None),
    }
    if rules.may_enrol(half_method(), has_factor=owned.any):
        return render(
            "identity/enrol.html",
            replaces=half_method() is Method.INVITATION and owned.any,
            **context,
        )
    return render(
        "identity/second_factor.html",
        owned=owned,
        code_form=code_form or CodeForm(formdata=None),
        recovery_form=recovery_form or RecoveryCodeForm(formdata=None),
        sent=sent or code_form,
        **context,
    )
