"""Pages of signing in through a provider: away, back, the first time, and confirming anew.

The routes to and from the provider are fetched, since a browser is sent there and back. They
write nothing in the business transaction: what has to be kept waits in the session until the
person sends a form.
"""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.identity import limits, queries, sessions, step_up
from app.identity.entering import enter
from app.identity.oidc import flow, rules, service
from app.identity.oidc import queries as subjects
from app.identity.oidc.forms import FirstForm, PlainForm
from app.identity.oidc.providers import Provider, configured
from app.identity.oidc.rules import Identity, Purpose, Reason, Side
from app.identity.oidc.words import reason_words
from app.identity.rules import Method, local_path
from app.kernel.errors import NotFoundError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, circumstances, current_actor, current_work, settle
from app.web.wiring import wiring

blueprint = Blueprint("oidc", __name__)
SIDE = "<any(trader, agency):side>"
SIGNED_OUT_OF = "oidc_signed_out_of"


@blueprint.app_context_processor
def provider_context() -> dict[str, Any]:
    """What the pages of signing in and of one's security show about providers."""
    return {
        "sign_in_providers": lambda: [
            {"side": one.side.value, "name": one.name} for one in configured().values()
        ],
        "own_identities": _own_identities,
        "provider_logout": lambda: _logout_of(session.pop(SIGNED_OUT_OF, None)),
    }


@blueprint.get(f"/sign-in/with/{SIDE}")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("30 per 5 minutes")
def start(side: str) -> Response:
    provider = flow.provider_for(side)
    wanted = local_path(request.args.get("next"))
    if current_actor().kind is ActorKind.PERSON:
        return redirect(wanted, code=303)
    return _away(provider, Purpose.SIGN_IN, wanted)


@blueprint.get(f"/confirm/with/{SIDE}")
@requires(Permission.SIGNED_IN)
@limits.limiter.limit("30 per 5 minutes")
def confirm(side: str) -> Response:
    provider = flow.provider_for(side)
    return _away(provider, Purpose.STEP_UP, local_path(request.args.get("next")))


@blueprint.get(f"/security/identities/link/{SIDE}")
@requires(Permission.SIGNED_IN)
def link(side: str) -> Response:
    """A page of ours before the way leads away.

    Browsers follow no sent form to another site, and whoever comes here has often just sent one.
    """
    provider = flow.provider_for(side)
    step_up.require_fresh()
    return render("identity/oidc/link.html", side=side, provider=provider.name)


@blueprint.get(f"/security/identities/link/{SIDE}/go")
@requires(Permission.SIGNED_IN)
@limits.limiter.limit("30 per 5 minutes")
def link_at_provider(side: str) -> Response:
    provider = flow.provider_for(side)
    step_up.require_fresh(back=url_for("oidc.link", side=side))
    return _away(provider, Purpose.LINK, url_for("identity.security"))


@blueprint.get(f"/sign-in/with/{SIDE}/callback")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("30 per 5 minutes")
def callback(side: str) -> Response:
    provider = flow.provider_for(side)
    try:
        begun, identity = flow.come_back(provider)
        match begun.purpose:
            case Purpose.SIGN_IN:
                return _sign_in(identity, begun.wanted)
            case Purpose.STEP_UP:
                return _step_up(identity, begun)
            case Purpose.LINK:
                return _offer_link(identity, begun)
    except flow.StoppedError as stopped:
        return _stopped(provider, stopped.reason, stopped.detail)


@blueprint.get(f"/sign-in/with/{SIDE}/stopped")
@requires(Permission.PUBLIC)
@by_link
def stopped(side: str) -> Response:
    provider = flow.provider_for(side)
    reason = Reason(session.get(flow.STOPPED, Reason.STATE.value))
    heading, advice = reason_words(reason, provider.name)
    signed_in = current_actor().kind is ActorKind.PERSON
    return render(
        "identity/oidc/stopped.html",
        side=side,
        provider=provider.name,
        head=heading,
        advice=advice,
        known=reason is Reason.KNOWN,
        signed_in=signed_in,
    )


@blueprint.get(f"/sign-in/with/{SIDE}/first")
@requires(Permission.PUBLIC)
@by_link
def first(side: str) -> Response:
    flow.provider_for(side)
    found = flow.waiting(Side(side), Purpose.SIGN_IN)
    if found is None:
        return redirect(url_for("identity.sign_in"), code=303)
    form = FirstForm()
    form.name.data = found[0].name
    return _first_page(form, found[0])


@blueprint.post(f"/sign-in/with/{SIDE}/first")
@requires(Permission.PUBLIC)
@by_link
def begin_first(side: str) -> Response:
    provider = flow.provider_for(side)
    found = flow.waiting(Side(side), Purpose.SIGN_IN)
    if found is None:
        return redirect(url_for("identity.sign_in"), code=303)
    identity, wanted = found
    form = FirstForm()
    if not form.validate_on_submit():
        return _first_page(form, identity, status=422)
    work = current_work()
    try:
        person = service.begin_with_identity(work, identity, name=form.name.data)
    except service.IdentityRefusedError as refused:
        work.session.rollback()
        return _stopped(provider, refused.reason)
    # The session opens under a transaction of its own, so the person must be there already.
    settle()
    _open(identity, person.id)
    flash(gettext("Welcome to Fairway."), "success")
    return redirect(wanted, code=303)


@blueprint.get(f"/security/identities/add/{SIDE}")
@requires(Permission.SIGNED_IN)
def add(side: str) -> Response:
    provider = flow.provider_for(side)
    found = flow.waiting(Side(side), Purpose.LINK)
    if found is None:
        return redirect(url_for("identity.security"), code=303)
    return render(
        "identity/oidc/add.html",
        side=side,
        form=PlainForm(),
        provider=provider.name,
        email=found[0].address,
    )


@blueprint.post(f"/security/identities/add/{SIDE}")
@requires(Permission.SIGNED_IN)
def add_identity(side: str) -> Response:
    provider = flow.provider_for(side)
    step_up.require_fresh()
    found = flow.waiting(Side(side), Purpose.LINK)
    if found is None:
        return redirect(url_for("identity.security"), code=303)
    work = current_work()
    flow.forget_waiting()
    try:
        service.link_identity(work, queries.person(work.session, _person_id()), found[0])
    except service.IdentityRefusedError as refused:
        work.session.rollback()
        return _stopped(provider, refused.reason)
    flash(gettext("You can now sign in through %(name)s.", name=provider.name), "success")
    return redirect(url_for("identity.security"), code=303)


@blueprint.post("/security/identities/<uuid:subject_id>/remove")
@requires(Permission.SIGNED_IN)
def remove(subject_id: uuid.UUID) -> Response:
    work, person_id = current_work(), _person_id()
    bound = subjects.own_subject(work.session, person_id, subject_id)
    step_up.require_fresh()
    service.unlink_identity(
        work, queries.person(work.session, person_id), bound, keep=current_actor().session_id
    )
    flash(gettext("That way to sign in is removed."), "success")
    return redirect(url_for("identity.security"), code=303)


def _away(provider: Provider, purpose: Purpose, wanted: str) -> Response:
    try:
        return flow.send_away(provider, purpose, wanted=wanted)
    except flow.StoppedError as stopped:
        return _stopped(provider, stopped.reason, stopped.detail)


def _sign_in(identity: Identity, wanted: str) -> Response:
    work = current_work()
    bound = subjects.subject_of(work.session, identity.issuer, identity.subject)
    if bound is not None:
        person = queries.person(work.session, bound.person_id)
        account = subjects.account_of(work.session, person)
        refusal = (
            Reason.UNVERIFIED
            if account is None
            else rules.refusal_of_linked(identity.side, account)
        )
        if refusal is not None:
            raise flow.StoppedError(refusal)
        _open(identity, person.id)
        return redirect(wanted, code=303)
    known = queries.person_by_email(work.session, identity.address) if identity.address else None
    refusal = rules.refusal_of_new(
        identity,
        subjects.account_of(work.session, known),
        invited=bool(subjects.invitations(work.session, identity.address, work.now)),
    )
    if refusal is not None:
        raise flow.StoppedError(refusal)
    flow.keep_waiting(identity, Purpose.SIGN_IN, wanted)
    return redirect(url_for("oidc.first", side=identity.side.value), code=303)


def _step_up(identity: Identity, begun: flow.Begun) -> Response:
    """The same person, at the same provider, by a proof that is newer than the question."""
    work = current_work()
    bound = subjects.subject_of(work.session, identity.issuer, identity.subject)
    actor = current_actor()
    if bound is None or actor.person_id is None or bound.person_id != actor.person_id:
        raise flow.StoppedError(Reason.OTHER_PERSON)
    if not rules.proved_since(identity.auth_time, begun.at):
        raise flow.StoppedError(Reason.STALE)
    sessions.mark_fresh()
    record_security_event(
        wiring().engine,
        SecurityTag.STEPPED_UP,
        circumstances(by="oidc", issuer=identity.issuer),
        person_id=actor.person_id,
    )
    return redirect(begun.wanted, code=303)


def _offer_link(identity: Identity, begun: flow.Begun) -> Response:
    if current_actor().kind is not ActorKind.PERSON:
        raise flow.StoppedError(Reason.STATE)
    if not rules.proved_since(identity.auth_time, begun.at):
        raise flow.StoppedError(Reason.STALE)
    flow.keep_waiting(identity, Purpose.LINK, begun.wanted)
    return redirect(url_for("oidc.add", side=identity.side.value), code=303)


def _open(identity: Identity, person_id: uuid.UUID) -> None:
    """Begin a session whose reach is that of the provider's side alone."""
    enter(person_id, Method.OIDC)
    session[flow.OPENED_BY] = flow.opened_by(identity)


def _stopped(provider: Provider, reason: Reason, detail: str = "") -> Response:
    if reason is not Reason.CANCELLED:
        record_security_event(
            wiring().engine,
            SecurityTag.PROVIDER_REFUSED,
            circumstances(why=reason.value, side=provider.side.value, detail=detail),
            person_id=current_actor().person_id,
        )
    session[flow.STOPPED] = reason.value
    return redirect(url_for("oidc.stopped", side=provider.side.value), code=303)


def _first_page(form: FirstForm, identity: Identity, status: int = 200) -> Response:
    return render(
        "identity/oidc/first.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        side=identity.side.value,
        email=identity.address,
        staff=identity.side is Side.AGENCY,
    )


def _own_identities() -> list[dict[str, object]]:
    names = {one.issuer: one.name for one in configured().values()}
    return [
        {"id": one.id, "name": names.get(one.issuer, one.issuer), "linked_at": one.linked_at}
        for one in subjects.subjects_of_person(current_work().session, _person_id())
    ]


def _logout_of(side: str | None) -> dict[str, str] | None:
    address = None if side is None else flow.logout_address(side)
    if side is None or address is None:
        return None
    return {"address": address, "name": configured()[Side(side)].name}


def _person_id() -> uuid.UUID:
    person_id = current_actor().person_id
    if person_id is None:
        raise NotFoundError
    return person_id
