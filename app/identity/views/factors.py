"""Setting up passkeys, the authenticator app and recovery codes, and giving them up."""

import secrets
import uuid

import pyotp
import segno
from flask import Response, flash, jsonify, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.identity import limits, passkeys, proving, queries, rules, service, sessions, step_up
from app.identity.entering import enter
from app.identity.factors import factors_of, new_key
from app.identity.forms import CodeForm, NewPasskeyForm
from app.identity.models import Person
from app.identity.passkeys import PasskeyRefusedError
from app.identity.rules import Method
from app.identity.views.blueprint import blueprint
from app.identity.views.going_on import NEXT, half_method, own_id
from app.identity.views.words import browser_words
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_actor, current_work

PENDING = "authenticator_key"


@blueprint.get("/security/passkeys/new")
@requires(Permission.FACTOR_ENROL)
def new_passkey() -> Response:
    _may_enrol()
    form = NewPasskeyForm()
    form.name.data = browser_words(request.user_agent.string or "")
    return _passkey_page(form)


@blueprint.post("/security/passkeys/options")
@requires(Permission.FACTOR_ENROL)
def new_passkey_options() -> Response:
    person = _may_enrol()
    return jsonify(
        passkeys.creation_options(
            proving.site(),
            sessions.put_challenge("enrol"),
            person_id=person.id,
            email=person.email,
            name=person.name,
            existing=factors_of(current_work().session, person.id).passkeys,
        )
    )


@blueprint.post("/security/passkeys/new")
@requires(Permission.FACTOR_ENROL)
@limits.limiter.limit("20 per hour", deduct_when=limits.failed)
def add_passkey() -> AnyResponse:
    person, form = _may_enrol(), NewPasskeyForm()
    if not form.validate_on_submit():
        return _passkey_page(form, status=422)
    # Without a challenge of ours there is nothing that the answer could be an answer to.
    challenge = sessions.take_challenge("enrol") or secrets.token_bytes(32)
    try:
        answer = passkeys.read_answer(form.credential.data or "")
        service.add_passkey(
            current_work(),
            person,
            passkeys.verify_new(proving.site(), challenge, answer),
            name=form.name.data,
            transports=passkeys.transports(answer),
            replace=_replaces(),
        )
    except PasskeyRefusedError:
        form.form_errors.append(gettext("The passkey could not be set up. Try again."))
        return _passkey_page(form, status=422)
    except ConflictError as refusal:
        form.form_errors.append(gettext(refusal.message))
        return _passkey_page(form, status=422)
    return _enrolled(person, Method.PASSKEY, gettext("Your passkey is set up."))


@blueprint.post("/security/passkeys/<uuid:passkey_id>/remove")
@requires(Permission.SIGNED_IN)
def remove_passkey(passkey_id: uuid.UUID) -> AnyResponse:
    step_up.require_fresh()
    work = current_work()
    service.remove_passkey(work, queries.person(work.session, own_id()), passkey_id)
    flash(gettext("The passkey is removed."), "success")
    return redirect(url_for("identity.security"), code=303)


@blueprint.get("/security/authenticator")
@requires(Permission.FACTOR_ENROL)
def authenticator() -> Response:
    _may_enrol(phishable=True)
    return _authenticator_page(CodeForm())


@blueprint.post("/security/authenticator")
@requires(Permission.FACTOR_ENROL)
@limits.limiter.limit("20 per hour", deduct_when=limits.failed)
def set_authenticator() -> AnyResponse:
    person, form = _may_enrol(phishable=True), CodeForm()
    if PENDING not in session:
        return redirect(url_for("identity.authenticator"), code=303)
    if not form.validate_on_submit():
        return _authenticator_page(form, status=422)
    try:
        service.set_authenticator(
            current_work(),
            proving.seal(),
            person,
            key=_pending_key(),
            code=form.code.data,
            replace=_replaces(),
        )
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _authenticator_page(form, status=422)
    session.pop(PENDING)
    return _enrolled(person, Method.PASSWORD_TOTP, gettext("Your authenticator app is set up."))


@blueprint.post("/security/authenticator/remove")
@requires(Permission.SIGNED_IN)
def remove_authenticator() -> AnyResponse:
    step_up.require_fresh()
    work = current_work()
    service.remove_authenticator(work, queries.person(work.session, own_id()))
    flash(gettext("The authenticator app is removed."), "success")
    return redirect(url_for("identity.security"), code=303)


@blueprint.post("/security/recovery-codes")
@requires(Permission.SIGNED_IN)
def renew_recovery_codes() -> AnyResponse:
    step_up.require_fresh()
    _refuse_agency()
    work = current_work()
    person = queries.person(work.session, own_id())
    return _codes_page(
        service.renew_recovery_codes(work, person), go_on=url_for("identity.security")
    )


def _may_enrol(*, phishable: bool = False) -> Person:
    """The person, if this session may set up a factor; a whole one has to be fresh.

    Codes can be phished, so the agency's people have none.
    """
    work = current_work()
    if phishable:
        _refuse_agency()
    if current_actor().kind is ActorKind.HALF:
        owned = factors_of(work.session, own_id())
        if not rules.may_enrol(half_method(), has_factor=owned.any):
            raise NotAllowedError("Give the second proof first, then you can add another.")
    else:
        step_up.require_fresh()
    return queries.person(work.session, own_id())


def _refuse_agency() -> None:
    if queries.agency_roles(current_work().session, own_id()):
        raise NotAllowedError("People of the agency sign in with passkeys alone.")


def _replaces() -> bool:
    """Whether what is set up now takes the place of all that was lost."""
    return current_actor().kind is ActorKind.HALF and half_method() is Method.INVITATION


def _enrolled(person: Person, method: Method, words: str) -> AnyResponse:
    """Lead on; a half session becomes whole, and the first codes are shown, this once."""
    work = current_work()
    go_on = url_for("identity.security")
    if current_actor().kind is ActorKind.HALF:
        go_on = rules.local_path(session.get(NEXT))
        enter(person.id, method)
    flash(words, "success")
    owned = factors_of(work.session, person.id)
    if owned.codes_left or queries.agency_roles(work.session, person.id):
        return redirect(go_on, code=303)
    return _codes_page(service.renew_recovery_codes(work, person), go_on=go_on)


def _pending_key() -> str:
    """The key that the page shows until its first code is typed; sealed for this session."""
    row = sessions.this_session().id
    kept = session.get(PENDING)
    if kept is not None and row is not None:
        return proving.seal().unseal(bytes.fromhex(kept), row)
    key = new_key()
    if row is not None:
        session[PENDING] = proving.seal().seal(key, row).hex()
    return key


def _codes_page(codes: list[str], *, go_on: str) -> Response:
    return render("identity/recovery_codes.html", codes=codes, go_on=go_on)


def _passkey_page(form: NewPasskeyForm, status: int = 200) -> Response:
    return render(
        "identity/new_passkey.html", status=status, form=form, form_errors=bool(form.errors)
    )


def _authenticator_page(form: CodeForm, status: int = 200) -> Response:
    key = _pending_key()
    person = queries.person(current_work().session, own_id())
    address = pyotp.TOTP(key).provisioning_uri(name=person.email, issuer_name="Fairway")
    return render(
        "identity/authenticator.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        key=" ".join(key[start : start + 4] for start in range(0, len(key), 4)),
        picture=segno.make(address).svg_data_uri(scale=5, border=4, light="white"),
    )
