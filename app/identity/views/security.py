"""A person's own page: where they are signed in, what happened, and the password."""

import uuid

from flask import Response, flash, redirect, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.permissions import Permission
from app.db.session import transaction
from app.identity import limits, queries, service, session_store
from app.identity.factors import factors_of
from app.identity.forms import ChangePasswordForm
from app.identity.sessions import KEEPER
from app.identity.views.blueprint import blueprint
from app.identity.views.words import browser_words, event_words, method_words
from app.kernel.errors import NotFoundError, NotReadyError
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import circumstances, current_actor, current_work
from app.web.wiring import wiring

EVENTS_PER_PAGE = 10


@blueprint.get("/security")
@requires(Permission.SIGNED_IN)
def security() -> Response:
    work, person_id = current_work(), _person_id()
    events = paginate(
        work.session, queries.security_events(person_id), page_number(), EVENTS_PER_PAGE
    )
    return render(
        "identity/security.html",
        person=queries.person(work.session, person_id),
        owned=factors_of(work.session, person_id),
        sessions=[
            {
                "id": one.id,
                "browser": browser_words(one.user_agent),
                "address": one.address,
                "last_seen_at": one.last_seen_at,
                "method": method_words(one.method or ""),
                "current": one.id == current_actor().session_id,
            }
            for one in queries.open_sessions(work.session, person_id, work.now)
        ],
        page=events,
        events=[
            {"at": one.at, "words": event_words(one.tag), "address": one.address}
            for one in events.items
        ],
    )


@blueprint.post("/security/sessions/<uuid:session_id>/end")
@requires(Permission.SIGNED_IN)
def end_session(session_id: uuid.UUID) -> AnyResponse:
    wired = wiring()
    with transaction(wired.engine, KEEPER) as db:
        ended = session_store.end_of_person(db, _person_id(), wired.clock.now(), only=session_id)
    if not ended:
        raise NotFoundError
    _record_ended(1)
    flash(gettext("That session has ended."), "success")
    return redirect(url_for("identity.security"), code=303)


@blueprint.post("/security/sessions/end-others")
@requires(Permission.SIGNED_IN)
def end_other_sessions() -> AnyResponse:
    wired = wiring()
    with transaction(wired.engine, KEEPER) as db:
        ended = session_store.end_of_person(
            db, _person_id(), wired.clock.now(), keep=current_actor().session_id
        )
    if ended:
        _record_ended(ended)
    flash(
        ngettext("One other session has ended.", "%(num)d other sessions have ended.", ended)
        if ended
        else gettext("There was no other session."),
        "success",
    )
    return redirect(url_for("identity.security"), code=303)


@blueprint.get("/security/password")
@requires(Permission.SIGNED_IN)
def password() -> Response:
    return _password_page(ChangePasswordForm())


@blueprint.post("/security/password")
@requires(Permission.SIGNED_IN)
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def change_password() -> AnyResponse:
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return _password_page(form, status=422)
    work = current_work()
    try:
        service.change_password(
            work,
            queries.person(work.session, _person_id()),
            present=form.present.data,
            password=form.password.data,
            keep=current_actor().session_id,
        )
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _password_page(form, status=422)
    flash(gettext("Your password is changed. You are signed out everywhere else."), "success")
    return redirect(url_for("identity.security"), code=303)


def _password_page(form: ChangePasswordForm, status: int = 200) -> Response:
    person = queries.person(current_work().session, _person_id())
    return render(
        "identity/password.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        email=person.email,
    )


def _person_id() -> uuid.UUID:
    person_id = current_actor().person_id
    if person_id is None:
        raise NotFoundError
    return person_id


def _record_ended(count: int) -> None:
    record_security_event(
        wiring().engine,
        SecurityTag.SESSION_REVOKED,
        circumstances(sessions=count),
        person_id=_person_id(),
    )
    work = current_work()
    service.tell(work, queries.person(work.session, _person_id()), "sessions of yours were ended")
