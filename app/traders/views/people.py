"""Who acts for a trader."""

import uuid

from flask import Response, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.actor import TraderRole
from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError
from app.kernel.ids import new_id
from app.traders import queries, service
from app.traders.forms import ConfirmForm, InviteForm, RoleForm
from app.traders.models import Appointment
from app.traders.rules import INVITATION_LASTS, ROLE_MEANINGS, ROLE_NAMES
from app.traders.views.frame import address_of, back_to, blueprint, done, may_here, own, page, saved
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work
from app.web.wiring import wiring


@blueprint.get("/traders/<uuid:trader_id>/people")
@requires(Permission.TRADER_VIEW)
def people(trader_id: uuid.UUID) -> Response:
    """People and invitations, each with the role in words."""
    trader, work = own(trader_id, Permission.TRADER_VIEW), current_work()
    found = paginate(work.session, queries.appointments(trader.id), page_number())
    return render(
        "traders/people.html",
        fragment="people",
        trader=trader,
        page=found,
        rows=queries.appointment_rows(found.items, work.now),
        role_names=ROLE_NAMES,
        role_meanings=ROLE_MEANINGS,
        own_person=work.actor.person_id,
        # One key for each "Send again": a second click on the same button sends nothing.
        new_key=new_id,
        may_appoint=may_here(trader, Permission.PEOPLE_APPOINT),
        security_href=address_of("home.security", trader_id=trader.id)
        if may_here(trader, Permission.SECURITY_VIEW)
        else None,
    )


@blueprint.route("/traders/<uuid:trader_id>/people/invite", methods=["GET", "POST"])
@requires(Permission.PEOPLE_APPOINT)
def invite(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Invite somebody to a role."""
    trader, work = own(trader_id, Permission.PEOPLE_APPOINT), current_work()
    form = InviteForm()

    def act() -> None:
        service.appoint(
            work,
            trader,
            key=form.row_id,
            email=form.email.data or "",
            role=TraderRole(form.role.data),
            link=lambda token: (
                wiring().settings.address + url_for("traders.invitation", token=token)
            ),
        )

    if done(form, act):
        message = gettext("Invited. A mail with the link is on its way.")
        return back_to("people", message, trader_id=trader.id)
    return page("invite.html", form, trader=trader, days=INVITATION_LASTS.days)


@blueprint.route("/traders/<uuid:trader_id>/people/<uuid:appointment_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_APPOINT)
def appointment(trader_id: uuid.UUID, appointment_id: uuid.UUID) -> Response | BaseResponse:
    """Give somebody another role."""
    trader, work = own(trader_id, Permission.PEOPLE_APPOINT), current_work()
    found = queries.visible_row(work, Appointment, trader, appointment_id)
    form = RoleForm(obj=found)
    _must_be_open(found, form)

    def act() -> None:
        service.change_role(
            work, found, role=TraderRole(form.role.data), version=form.expected_version
        )

    if done(form, act, found):
        return back_to("people", saved(), trader_id=trader.id)
    return page("appointment.html", form, trader=trader, row=_row(found))


@blueprint.route(
    "/traders/<uuid:trader_id>/people/<uuid:appointment_id>/end", methods=["GET", "POST"]
)
@requires(Permission.PEOPLE_APPOINT)
def end_appointment(trader_id: uuid.UUID, appointment_id: uuid.UUID) -> Response | BaseResponse:
    """End an appointment or an invitation, after a page that says what that means."""
    trader, work = own(trader_id, Permission.PEOPLE_APPOINT), current_work()
    found = queries.visible_row(work, Appointment, trader, appointment_id)
    form = ConfirmForm()
    _must_be_open(found, form)
    if done(form, lambda: service.end_appointment(work, found)):
        message = gettext("Ended. It took effect at once.")
        if found.person_id == work.actor.person_id:
            return back_to("switch", message)
        return back_to("people", message, trader_id=trader.id)
    return page(
        "end.html",
        form,
        trader=trader,
        row=_row(found),
        role_names=ROLE_NAMES,
        own_person=work.actor.person_id,
    )


def _must_be_open(found: Appointment, form: Form) -> None:
    """An ended appointment has no page any more; only a form sent twice may come back to it."""
    if not found.available() and not form.is_submitted():
        raise NotFoundError


def _row(found: Appointment) -> queries.AppointmentRow:
    work = current_work()
    person = queries.person_at(work.session, found)
    return queries.appointment_rows([(found, person)], work.now)[0]
