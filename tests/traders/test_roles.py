"""The five roles at a trader as their people meet them: which doors open, and that none mix."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select

from app.authz.actor import TraderRole, system_actor
from app.kernel.errors import NotReadyError
from app.traders import queries, service
from app.traders.models import Appointment, Trader
from app.traders.rules import INVITATIONS_A_DAY
from app.traders.workflow import AppointmentState
from tests.factories.applications import make_application
from tests.factories.identity import make_person
from tests.factories.traders import acting, appoint_person, complete_profile, make_trader

OWN = "/traders/{trader_id}"
PAGES = {
    "overview": f"{OWN}/overview",
    "company": OWN,
    "people": f"{OWN}/people",
    "standing": f"{OWN}/standing",
    "applications": f"{OWN}/applications",
    "documents": f"{OWN}/documents",
    "data": f"{OWN}/advance-data",
    "upload": f"{OWN}/advance-data/upload",
}


@pytest.fixture
def ids(work_as):
    """A trader with an application, and a person in each role."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader = make_trader(work, officer)
        complete_profile(work, trader)
        own = acting(work, officer)
        application = make_application(own, trader)
        people = {TraderRole.OFFICER: officer}
        for role in TraderRole:
            if role is not TraderRole.OFFICER:
                people[role] = make_person(work)
                appoint_person(work, trader, officer, people[role], role)
    return {"trader_id": trader.id, "application_id": application.id, "people": people}


def statuses(browser, ids):
    return {name: browser.get(path.format(**ids)).status for name, path in PAGES.items()}


def test_a_consultant_sees_everything_and_may_not_declare(visit, ids):
    browser = visit(ids["people"][TraderRole.CONSULTANT])
    assert set(statuses(browser, ids).values()) == {200}
    declare = f"{OWN}/applications/{{application_id}}/agreement".format(**ids)
    assert browser.post(declare, {}).status in {400, 403}
    edit = f"{OWN}/sites/new".format(**ids)
    assert browser.get(edit).status == 403
    assert browser.get(f"{OWN}/people/invite".format(**ids)).status == 403


def test_a_consultant_is_marked_as_an_outside_adviser(visit, ids):
    words = visit(ids["people"][TraderRole.OFFICER]).get(PAGES["people"].format(**ids)).words()
    assert words.count("Outside adviser") == 1


def test_a_person_of_the_data_alone_sees_nothing_else(visit, ids):
    browser = visit(ids["people"][TraderRole.DATA_ONLY])
    found = statuses(browser, ids)
    assert {name for name, status in found.items() if status == 200} == {"data", "upload"}
    page = browser.get(PAGES["data"].format(**ids))
    links = {
        one.get("href")
        for one in page.tree.iter("{http://www.w3.org/1999/xhtml}a")
        if (one.get("href") or "").startswith(OWN.format(**ids))
    }
    assert links
    assert {browser.get(link).status for link in links} == {200}


def test_a_person_of_the_data_alone_begins_at_the_data(visit, ids):
    start = visit(ids["people"][TraderRole.DATA_ONLY]).get("/")
    assert (start.status, start.location) == (303, PAGES["data"].format(**ids))


def test_one_person_is_preparer_here_and_officer_there(visit, ids, work_as):
    person = ids["people"][TraderRole.PREPARER]
    with work_as(system_actor("test")) as work:
        other = make_trader(work, person, name="Slackwater Imports LLC").id
    browser = visit(person)
    words = browser.get("/acting-for").words()
    assert "Slackwater Imports LLC" in words
    assert "Preparer" in words
    assert "Officer" in words
    assert browser.get(f"/traders/{other}/people/invite").status == 200
    assert browser.get(f"{OWN}/people/invite".format(**ids)).status == 404


def test_two_tabs_of_two_traders_never_mix(visit, ids, work_as):
    """The address of the form alone says for whom it is; the page opened last says nothing."""
    officer = ids["people"][TraderRole.OFFICER]
    with work_as(system_actor("test")) as work:
        other = make_trader(work, officer, name="Slackwater Imports LLC").id
    browser = visit(officer)
    first, second = (f"/traders/{one}/people/invite" for one in (ids["trader_id"], other))
    typed = browser.get(first).fields()
    assert "Slackwater Imports LLC" in browser.get(second).words()
    sent = browser.post(first, {**typed, "email": "new@example.com", "role": "viewer"})
    assert sent.location == f"/traders/{ids['trader_id']}/people"
    with work_as(system_actor("test")) as work:
        invited = work.session.scalars(
            select(Appointment.trader_id).where(Appointment.invited_email == "new@example.com")
        ).all()
    assert invited == [ids["trader_id"]]


def test_whoever_has_signed_up_finds_the_invitation_without_the_letter(visit, ids, work_as):
    with work_as(system_actor("test")) as work:
        guest, stranger = make_person(work), make_person(work)
        trader = work.session.get_one(Trader, ids["trader_id"])
        invite(acting(work, ids["people"][TraderRole.OFFICER]), trader, guest.email)
    assert "You are invited" not in visit(stranger).get("/").words()
    browser = visit(guest)
    page = browser.get("/")
    assert "You are invited to act for Harbour Lane Imports LLC" in page.words()
    done = browser.post(*own_form(page))
    assert (done.status, done.location) == (303, "/acting-for")
    assert browser.get(PAGES["overview"].format(**ids)).status == 200


def test_an_invitation_of_somebody_else_is_absent(visit, ids, work_as):
    with work_as(system_actor("test")) as work:
        guest, stranger = make_person(work), make_person(work)
        trader = work.session.get_one(Trader, ids["trader_id"])
        invite(acting(work, ids["people"][TraderRole.OFFICER]), trader, guest.email)
    action, fields = own_form(visit(guest).get("/"))
    thief = visit(stranger)
    fields["csrf_token"] = thief.get("/security/password").fields()["csrf_token"]
    assert thief.post(action, fields).status == 404


def own_form(page):
    form = next(
        one
        for one in page.tree.iter("{http://www.w3.org/1999/xhtml}form")
        if "/invitations/own/" in (one.get("action") or "")
    )
    return form.get("action"), page.fields(form.get("action"))


def invite(work, trader, email):
    return service.appoint(
        work,
        trader,
        key=work.new_id(),
        email=email,
        role=TraderRole.VIEWER,
        link=lambda token: f"http://localhost/invitations/{token}",
    )


def test_the_twenty_first_invitation_of_a_day_waits(ids, work_as):
    with work_as(system_actor("test")) as work:
        trader = work.session.get_one(Trader, ids["trader_id"])
        own = acting(work, ids["people"][TraderRole.OFFICER])
        sent = queries.invitations_since(work.session, trader.id, work.now - service.people.DAY)
        for number in range(INVITATIONS_A_DAY - sent):
            invite(own, trader, f"guest-{number}@example.com")
        with pytest.raises(NotReadyError) as refusal:
            invite(own, trader, "one-more@example.com")
        assert refusal.value.problems[0].code == "TOO_MANY_INVITATIONS"


def test_two_officers_who_leave_at_once_leave_one_behind(work_as, engine):
    """Each would be allowed alone; whoever comes second is the last one."""
    with work_as(system_actor("test")) as work:
        first, second = make_person(work), make_person(work)
        trader = make_trader(work, first)
        appoint_person(work, trader, first, second, TraderRole.OFFICER)
        rows = work.session.execute(
            select(Appointment.id, Appointment.person_id).where(Appointment.trader_id == trader.id)
        ).all()
    gate, refused = threading.Barrier(2), []

    def leave(appointment_id: UUID) -> None:
        with work_as(system_actor("test")) as work:
            appointment = work.session.get_one(Appointment, appointment_id)
            gate.wait()
            try:
                service.end_appointment(work, appointment)
            except NotReadyError as refusal:
                refused.append(refusal.problems[0].code)

    threads = [threading.Thread(target=leave, args=(row.id,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with work_as(system_actor("test")) as work:
        left = work.session.scalars(
            select(Appointment.id).where(
                Appointment.trader_id == trader.id,
                queries.APPOINTMENT_STATE == AppointmentState.ACTIVE,
            )
        ).all()
    assert (len(left), refused) == (1, ["LAST_OFFICER"])
