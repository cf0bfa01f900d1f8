"""The people whom the agency can reach."""

import uuid

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.traders import queries, service
from app.traders.forms import ConfirmVersionForm, ContactForm, NewContactForm
from app.traders.models import Contact
from app.traders.views.frame import back_to, blueprint, done, may_here, own, page, saved
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work


@blueprint.get("/traders/<uuid:trader_id>/contacts")
@requires(Permission.TRADER_VIEW)
def contacts(trader_id: uuid.UUID) -> Response:
    """The trader's contacts, the primary one first."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    found = paginate(work.session, queries.contacts_of(trader.id), page_number())
    return render(
        "traders/contacts.html",
        fragment="contacts",
        trader=trader,
        page=found,
        may_edit=may_here(trader, Permission.TRADER_EDIT),
    )


@blueprint.route("/traders/<uuid:trader_id>/contacts/new", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def add_contact(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Add a contact."""
    trader, work, form = own(trader_id), current_work(), NewContactForm()

    def act() -> None:
        service.add_contact(work, trader, key=form.row_id, details=form.details())

    if done(form, act):
        return back_to("contacts", saved(), trader_id=trader.id)
    return page("contact.html", form, trader=trader, contact=None)


@blueprint.route("/traders/<uuid:trader_id>/contacts/<uuid:contact_id>", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def contact(trader_id: uuid.UUID, contact_id: uuid.UUID) -> Response | BaseResponse:
    """Change a contact."""
    trader, work = own(trader_id), current_work()
    found = queries.visible_row(work, Contact, trader, contact_id)
    form = ContactForm(obj=found)

    def act() -> None:
        service.change_contact(work, found, details=form.details(), version=form.expected_version)

    if done(form, act, found):
        return back_to("contacts", saved(), trader_id=trader.id)
    return page("contact.html", form, trader=trader, contact=found)


@blueprint.route(
    "/traders/<uuid:trader_id>/contacts/<uuid:contact_id>/removal", methods=["GET", "POST"]
)
@requires(Permission.TRADER_EDIT)
def remove_contact(trader_id: uuid.UUID, contact_id: uuid.UUID) -> Response | BaseResponse:
    """Remove a contact, after a page that says what that means."""
    trader, work = own(trader_id), current_work()
    sent = request.method == "POST"
    found = queries.visible_row(work, Contact, trader, contact_id, even_removed=sent)
    form = ConfirmVersionForm(obj=found)

    def act() -> None:
        service.remove_contact(work, found, version=form.expected_version)

    if done(form, act, found):
        return back_to("contacts", gettext("Removed."), trader_id=trader.id)
    return page(
        "remove.html",
        form,
        trader=trader,
        title=gettext("Remove this contact?"),
        name=found.name,
        meaning=gettext("The agency will no longer write to or call this person."),
        label=gettext("Remove the contact"),
        back="contacts",
    )
