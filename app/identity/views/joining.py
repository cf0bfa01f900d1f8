"""Accepting an invitation to the agency."""

from flask import Response, flash, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.authz.actor import ActorKind, AgencyRole
from app.authz.permissions import Permission
from app.identity import limits, queries, service
from app.identity.entering import enter
from app.identity.factors import factors_of
from app.identity.forms import JoinForm, JoinKnownForm
from app.identity.models import LinkPurpose, OneTimeLink
from app.identity.rules import Method
from app.identity.service.links import LinkSpentError
from app.identity.views.blueprint import blueprint
from app.identity.views.words import role_words
from app.kernel.errors import NotReadyError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, current_actor, current_work, settle

GONE = 410


@blueprint.get("/join/<token>")
@requires(Permission.PUBLIC)
@by_link
def join(token: str) -> Response:
    link = _link(token)
    if link is None:
        return _spent()
    return _page(link, _form_for(link))


@blueprint.post("/join/<token>")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def join_with_password(token: str) -> AnyResponse:
    link = _link(token)
    if link is None:
        return _spent()
    form = _form_for(link)
    if _must_sign_in(link) or not form.validate_on_submit():
        return _page(link, form, status=422)
    name = form.name.data if isinstance(form, JoinForm) else ""
    try:
        person = service.join_staff(current_work(), token, name=name, password=form.password.data)
    except LinkSpentError:
        return _spent()
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page(link, form, status=422)
    if factors_of(current_work().session, person.id).passkeys:
        flash(gettext("You have joined. Sign in with your passkey to begin."), "success")
        return redirect(url_for("identity.sign_in", next="/console/"), code=303)
    settle()
    enter(person.id, Method.INVITATION)
    session["next"] = "/console/"
    flash(gettext("You have joined. Set up a passkey to begin."), "success")
    return redirect(url_for("identity.go_on"), code=303)


@blueprint.get("/recover/<token>")
@requires(Permission.PUBLIC)
@by_link
def recover(token: str) -> Response:
    work = current_work()
    if queries.live_link(work.session, token, LinkPurpose.RECOVER.value, work.now) is None:
        return _spent(LinkPurpose.RECOVER)
    return _recover_page(JoinKnownForm())


@blueprint.post("/recover/<token>")
@requires(Permission.PUBLIC)
@by_link
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def recover_with_password(token: str) -> AnyResponse:
    form = JoinKnownForm()
    if not form.validate_on_submit():
        return _recover_page(form, status=422)
    try:
        person = service.come_back(current_work(), token, password=form.password.data)
    except LinkSpentError:
        return _spent(LinkPurpose.RECOVER)
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _recover_page(form, status=422)
    enter(person.id, Method.INVITATION)
    return redirect(url_for("identity.go_on"), code=303)


def _recover_page(form: JoinKnownForm, status: int = 200) -> Response:
    return render("identity/recover.html", status=status, form=form, form_errors=bool(form.errors))


def _link(token: str) -> OneTimeLink | None:
    work = current_work()
    return queries.live_link(work.session, token, LinkPurpose.JOIN_STAFF.value, work.now)


def _form_for(link: OneTimeLink) -> JoinForm | JoinKnownForm:
    known = queries.person_by_email(current_work().session, link.email or "")
    return JoinForm() if known is None else JoinKnownForm()


def _must_sign_in(link: OneTimeLink) -> bool:
    """Whether the invited person has a second factor and has not shown it in this session.

    A link and a password must not be a way around it.
    """
    session_of_db = current_work().session
    known = queries.person_by_email(session_of_db, link.email or "")
    if known is None or not factors_of(session_of_db, known.id).any:
        return False
    actor = current_actor()
    return actor.kind is not ActorKind.PERSON or actor.person_id != known.id


def _page(link: OneTimeLink, form: JoinForm | JoinKnownForm, status: int = 200) -> Response:
    return render(
        "identity/join.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        must_sign_in=_must_sign_in(link),
        here=request.path,
        known=isinstance(form, JoinKnownForm),
        email=link.email,
        role=role_words(AgencyRole(link.role or "")),
    )


def _spent(purpose: LinkPurpose = LinkPurpose.JOIN_STAFF) -> Response:
    return render("identity/link_spent.html", status=GONE, purpose=purpose.value)
