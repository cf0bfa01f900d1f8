"""The pages about people: inviting, the link in the mail, roles, ends, and the switch."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.notifications.models import Message
from app.traders.models import Appointment
from tests.factories import traders as factory

LINK = re.compile(r"https?://[^/\s]+(/invitations/\S+)")


@pytest.fixture
def officer(person_of):
    return person_of(name="Olga Officer", email="olga@example.com")


@pytest.fixture
def trader(work_as, officer):
    with work_as(system_actor("test")) as work:
        return factory.make_trader(work, officer)


@pytest.fixture
def base(trader):
    return f"/traders/{trader.id}"


@pytest.fixture
def browser(visit, officer, trader):
    return visit(officer)


def appointment_of(work_as, person):
    with work_as(system_actor("test")) as work:
        return work.session.scalars(
            select(Appointment).where(Appointment.person_id == person.id)
        ).one()


def letters(work_as):
    with work_as(system_actor("test")) as work:
        return list(work.session.scalars(select(Message).order_by(Message.id)))


@pytest.fixture
def link(browser, base, work_as):
    """The path that the invitation's letter to pat@example.com holds."""
    answer = browser.send(f"{base}/people/invite", email="pat@example.com", role="preparer")
    assert answer.status == 303
    return LINK.search(letters(work_as)[-1].body)[1]


def test_the_link_leads_a_visitor_to_sign_in_and_then_to_the_company(
    visit, person_of, link, trader, base
):
    page = visit(None).get(link)
    assert page.status == 200
    assert "Harbour Lane Imports LLC" in page.words()
    assert "pat@example.com" not in page.text
    assert f"/sign-in?next={link}" in page.text
    pat = visit(person_of(email="Pat@example.com"))
    assert "Accept" in pat.get(link).words()
    answer = pat.send(link)
    assert (answer.status, answer.location) == (303, base)
    assert "You now act for Harbour Lane Imports LLC" in pat.get(base).words()
    # The back button and a second click lead to the same place.
    assert "You have accepted this invitation" in pat.get(link).words()


def test_the_double_click_on_accept_is_one_acceptance(visit, person_of, link):
    pat = visit(person_of(email="pat@example.com"))
    form = pat.get(link).fields()
    assert [pat.post(link, form).status for _ in range(2)] == [303, 303]


def test_with_another_address_the_page_says_so_and_names_no_company(visit, person_of, link, base):
    other = visit(person_of(email="other@example.com"))
    page = other.get(link)
    assert page.status == 403
    assert "This invitation is for another mail address" in page.words()
    assert "Harbour Lane" not in page.text
    assert "pat@example.com" not in page.text
    form = {"csrf_token": other.get("/acting-for").text.split('X-CSRFToken": "')[1].split('"')[0]}
    assert other.post(link, form).status == 403
    assert other.get(base).status in {403, 404}


def test_the_agency_cannot_accept(visit, person_of, link):
    reviewer = visit(person_of(email="pat@example.com", roles=[AgencyRole.REVIEWER]))
    page = reviewer.get(link)
    assert page.status == 403
    assert "People of the agency cannot act for a company" in page.words()


def test_after_fourteen_days_the_link_is_closed(visit, person_of, link, clock):
    person = person_of(email="pat@example.com")
    clock.advance(timedelta(days=14))
    page = visit(person).get(link)
    assert page.status == 410
    assert "This invitation is no longer open" in page.words()


def test_an_unknown_link_is_absent(visit):
    assert visit(None).get("/invitations/nothing").status == 404


def test_sending_again_closes_the_old_link_and_a_second_click_sends_nothing(
    visit, browser, base, link, work_as
):
    page = browser.get(f"{base}/people")
    assert "Open until 8 December 2026" in page.words()
    form = page.fields("/people/invite")
    assert form["email"] == "pat@example.com"
    assert [browser.post(f"{base}/people/invite", form).status for _ in range(2)] == [303, 303]
    assert len(letters(work_as)) == 2
    assert visit(None).get(link).status == 410


def test_taking_an_invitation_back(browser, visit, base, link, work_as):
    with work_as(system_actor("test")) as work:
        invitation = work.session.scalars(
            select(Appointment).where(Appointment.invited_email == "pat@example.com")
        ).one()
    path = f"{base}/people/{invitation.id}/end"
    assert "The link in the mail stops working at once" in browser.get(path).words()
    assert browser.send(path).status == 303
    assert visit(None).get(link).status == 410


def test_who_has_a_role_is_not_invited_and_the_address_is_kept(browser, base, work_as):
    page = browser.send(f"{base}/people/invite", email="olga@example.com", role="viewer")
    assert page.status == 422
    assert page.tree.find(".//*[@id='email-error']") is not None
    assert page.fields()["email"] == "olga@example.com"
    assert letters(work_as) == []


def test_an_ended_appointment_ends_at_the_next_request(
    browser, visit, person_of, base, officer, trader, work_as
):
    viewer = person_of()
    with work_as(system_actor("test")) as work:
        factory.appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
    theirs = visit(viewer)
    assert theirs.get(base).status == 200
    path = f"{base}/people/{appointment_of(work_as, viewer).id}"
    assert browser.send(path, role="preparer").status == 303
    assert theirs.get(f"{base}/sites/new").status == 200
    form = browser.get(f"{path}/end").fields()
    assert [browser.post(f"{path}/end", form).status for _ in range(2)] == [303, 303]
    assert (browser.get(path).status, browser.get(f"{path}/end").status) == (404, 404)
    assert theirs.get(base).status in {403, 404}
    assert trader.name not in theirs.get("/acting-for").text


def test_the_last_officer_is_told_why_and_stays(browser, base, officer, work_as):
    path = f"{base}/people/{appointment_of(work_as, officer).id}"
    for answer in (browser.send(path, role="viewer"), browser.send(f"{path}/end")):
        assert answer.status == 422
        assert "Appoint another officer first" in answer.words()
    assert browser.get(base).status == 200


def test_leaving_leads_to_ones_other_companies(browser, base, officer, person_of, trader, work_as):
    second = person_of()
    with work_as(system_actor("test")) as work:
        factory.appoint_person(work, trader, officer, second, TraderRole.OFFICER)
        factory.make_trader(work, officer, name="Second Company")
    path = f"{base}/people/{appointment_of_at(work_as, officer, trader).id}/end"
    assert "This is you" in browser.get(path).words()
    answer = browser.send(path)
    assert answer.location == "/acting-for"
    words = browser.get("/acting-for").words()
    assert "Second Company" in words
    assert "Officer: may sign, declare and submit" in words
    assert trader.name not in words


def appointment_of_at(work_as, person, trader):
    with work_as(system_actor("test")) as work:
        return work.session.scalars(
            select(Appointment).where(
                Appointment.person_id == person.id, Appointment.trader_id == trader.id
            )
        ).one()


def test_an_appointment_of_another_trader_is_absent(browser, base, person_of, work_as):
    with work_as(system_actor("test")) as work:
        factory.make_trader(work, stranger := work.session.merge(person_of()), name="Elsewhere")
    foreign = appointment_of(work_as, stranger)
    assert browser.get(f"{base}/people/{foreign.id}").status == 404
    assert browser.get(f"{base}/people/{foreign.id}/end").status == 404


def test_the_switch_page_without_a_company_offers_the_first_step(visit, person_of):
    words = visit(person_of()).get("/acting-for").words()
    assert "You act for no company yet" in words
    assert "Register a company" in words


def test_a_long_list_has_pages(browser, officer, work_as):
    with work_as(system_actor("test")) as work:
        for number in range(30):
            factory.make_trader(work, officer, name=f"Company {number:02}")
    first = browser.get("/acting-for")
    assert "Page 1 of 2, 31 in all" in first.words()
    second = browser.get("/acting-for?page=2", **{"HX-Request-Type": "partial"})
    assert second.text.lstrip().startswith('<div id="traders">')
    assert "Harbour Lane Imports LLC" in second.text
