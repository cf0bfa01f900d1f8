"""Places of work."""

import uuid

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.traders import queries, service
from app.traders.forms import ConfirmVersionForm, NewSiteForm, SiteForm, country_name
from app.traders.models import Site
from app.traders.views.frame import back_to, blueprint, done, may_here, own, page, saved
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/sites")
@requires(Permission.TRADER_VIEW)
def sites(trader_id: uuid.UUID) -> Response:
    """The trader's sites."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    found = paginate(work.session, queries.sites_of(trader.id), page_number())
    return render(
        "traders/sites.html",
        fragment="sites",
        trader=trader,
        page=found,
        country_name=country_name,
        may_edit=may_here(trader, Permission.TRADER_EDIT),
    )


@blueprint.route("/traders/<uuid:trader_id>/sites/new", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def add_site(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Add a site."""
    trader, work, form = own(trader_id), current_work(), NewSiteForm()

    def act() -> None:
        service.add_site(work, trader, key=form.row_id, details=form.details())

    if done(form, act):
        return back_to("sites", saved(), trader_id=trader.id)
    return page("site.html", form, trader=trader, site=None)


@blueprint.route("/traders/<uuid:trader_id>/sites/<uuid:site_id>", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def site(trader_id: uuid.UUID, site_id: uuid.UUID) -> Response | BaseResponse:
    """Change a site."""
    trader, work = own(trader_id), current_work()
    found = queries.visible_row(work, Site, trader, site_id)
    form = SiteForm(obj=found)

    def act() -> None:
        service.change_site(work, found, details=form.details(), version=form.expected_version)

    if done(form, act, found):
        return back_to("sites", saved(), trader_id=trader.id)
    return page("site.html", form, trader=trader, site=found)


@blueprint.route("/traders/<uuid:trader_id>/sites/<uuid:site_id>/removal", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def remove_site(trader_id: uuid.UUID, site_id: uuid.UUID) -> Response | BaseResponse:
    """Remove a site, after a page that says what that means."""
    trader, work = own(trader_id), current_work()
    sent = request.method == "POST"
    found = queries.visible_row(work, Site, trader, site_id, even_removed=sent)
    form = ConfirmVersionForm(obj=found)

    def act() -> None:
        service.remove_site(work, found, version=form.expected_version)

    if done(form, act, found):
        return back_to("sites", gettext("Removed."), trader_id=trader.id)
    return page(
        "remove.html",
        form,
        trader=trader,
        title=gettext("Remove this site?"),
        name=found.name,
        meaning=gettext(
            "Applications that name this site and are already submitted keep it. New ones will not"
            " ask about it."
        ),
        label=gettext("Remove the site"),
        back="sites",
    )
