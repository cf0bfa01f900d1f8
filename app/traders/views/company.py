"""Registering, the profile, the company's own page, and the switch between traders."""

import uuid

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.traders import queries, service
from app.traders.forms import CompanyForm, RegisterForm, country_name
from app.traders.kinds import EntityType
from app.traders.rules import OFFICE_COUNTRIES, ROLE_MEANINGS, ROLE_NAMES
from app.traders.views.frame import address_of, back_to, blueprint, done, may_here, own, page, saved
from app.traders.views.identifiers import lines
from app.web.access import requires
from app.web.fragments import render
from app.web.navigation import way_in
from app.web.paging import page_number, paginate
from app.web.requests import current_work

SHOWN_ON_PROFILE = 5
TASK_PAGES = {
    "company": "company",
    "identifiers": "identifiers",
    "contacts": "contacts",
    "sites": "sites",
}


@blueprint.route("/traders/new", methods=["GET", "POST"])
@requires(Permission.TRADER_REGISTER)
def register() -> Response | BaseResponse:
    """Register a company."""
    work, form = current_work(), RegisterForm()
    made: list[uuid.UUID] = []

    def act() -> None:
        kind = EntityType.of(form.entity_type.data)
        trader = service.register_trader(
            work, key=form.row_id, entity_type=kind, details=form.details()
        )
        made.append(trader.id)

    if done(form, act):
        message = gettext("Registered. You are the company's officer.")
        return back_to("profile", message, trader_id=made[0])
    return page("register.html", form)


@blueprint.get("/traders/<uuid:trader_id>")
@requires(Permission.TRADER_VIEW)
def profile(trader_id: uuid.UUID) -> Response:
    """Everything that the trader has said about itself, and what is still missing."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    sites = paginate(work.session, queries.sites_of(trader.id), 1, SHOWN_ON_PROFILE)
    contacts = paginate(work.session, queries.contacts_of(trader.id), 1, SHOWN_ON_PROFILE)
    people = paginate(work.session, queries.appointments(trader.id), 1, SHOWN_ON_PROFILE)
    return render(
        "traders/profile.html",
        trader=trader,
        country=country_name(trader.country),
        office=country_name(trader.office_country) if trader.office_country else None,
        gaps=queries.profile_gaps_of(work.session, trader, work.now.date()),
        task_pages=TASK_PAGES,
        identifiers=lines(queries.identifiers_of(work.session, trader.id)),
        bonds=queries.bonds_of(work.session, trader.id),
        today=work.now.date(),
        sites=sites,
        contacts=contacts,
        people=people,
        people_rows=queries.appointment_rows(people.items, work.now),
        role_names=ROLE_NAMES,
        country_name=country_name,
        may_edit=may_here(trader, Permission.TRADER_EDIT),
    )


@blueprint.route("/traders/<uuid:trader_id>/company", methods=["GET", "POST"])
@requires(Permission.TRADER_EDIT)
def company(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Name, head office, office, activity."""
    trader, work = own(trader_id), current_work()
    form = CompanyForm(obj=trader)
    if not form.is_submitted():
        form.office_country.data = form.present(trader, "office_country")

    def act() -> None:
        service.change_company(work, trader, details=form.details(), version=form.expected_version)

    if done(form, act, trader):
        return back_to("profile", saved(), trader_id=trader.id)
    return page(
        "company.html", form, trader=trader, needs_office=trader.entity_type in OFFICE_COUNTRIES
    )


@blueprint.get("/acting-for")
@requires(Permission.SIGNED_IN)
def switch() -> Response:
    """The traders that the person can act for; choosing one is a link, never a hidden state."""
    work = current_work()
    found = paginate(work.session, queries.traders_of(work.actor), page_number())
    rows = [
        {
            "trader": trader,
            "home": way_in(trader.id),
            "role": work.actor.appointments[trader.id],
            "standing": address_of("register.standing", trader_id=trader.id)
            if may_here(trader, Permission.STANDING_VIEW)
            else None,
        }
        for trader in found.items
    ]
    return render(
        "traders/switch.html",
        fragment="traders",
        page=found,
        rows=rows,
        role_names=ROLE_NAMES,
        role_meanings=ROLE_MEANINGS,
        may_register=may_ever(work.actor, Permission.TRADER_REGISTER),
    )
