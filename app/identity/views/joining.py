"""Accepting an invitation to the agency."""

from flask import Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.authz.actor import AgencyRole
from app.authz.permissions import Permission
from app.identity import limits, queries, service
from app.identity.forms import JoinForm, JoinKnownForm
from app.identity.models import LinkPurpose, OneTimeLink
from app.identity.service.links import LinkSpentError
from app.identity.views.blueprint import blueprint
from app.identity.views.words import role_words
from app.kernel.errors import NotReadyError
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

GONE = 410


@blueprint.get("/join/<token>")
@requires(Permission.PUBLIC)
def join(token: str) -> Response:
    link = _link(token)
    if link is None:
        return _spent()
    return _page(link, _form_for(link))


@blueprint.post("/join/<token>")
@requires(Permission.PUBLIC)
@limits.limiter.limit("10 per 5 minutes", deduct_when=limits.failed)
def join_with_password(token: str) -> AnyResponse:
    link = _link(token)
    if link is None:
        return _spent()
    form = _form_for(link)
    if not form.validate_on_submit():
        return _page(link, form, status=422)
    name = form.name.data if isinstance(form, JoinForm) else ""
    try:
        service.join_staff(current_work(), token, name=name, password=form.password.data)
    except LinkSpentError:
        return _spent()
    except NotReadyError as refusal:
        form.show(refusal.problems)
        return _page(link, form, status=422)
    flash(gettext("You have joined. Sign in to begin."), "success")
    return redirect(url_for("identity.sign_in", next="/console/"), code=303)


def _link(token: str) -> OneTimeLink | None:
    work = current_work()
    return queries.live_link(work.session, token, LinkPurpose.JOIN_STAFF.value, work.now)


def _form_for(link: OneTimeLink) -> JoinForm | JoinKnownForm:
    known = queries.person_by_email(current_work().session, link.email or "")
    return JoinForm() if known is None else JoinKnownForm()


def _page(link: OneTimeLink, form: JoinForm | JoinKnownForm, status: int = 200) -> Response:
    return render(
        "identity/join.html",
        status=status,
        form=form,
        form_errors=bool(form.errors),
        known=isinstance(form, JoinKnownForm),
        email=link.email,
        role=role_words(AgencyRole(link.role or "")),
    )


def _spent() -> Response:
    return render("identity/link_spent.html", status=GONE, purpose=LinkPurpose.JOIN_STAFF.value)
