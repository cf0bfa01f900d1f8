"""Where each person begins."""

from datetime import timedelta

import pytest

from app.authz.actor import AgencyRole, system_actor
from tests.factories.advance_data import make_batch, rows
from tests.factories.applications import make_applicant, make_application, make_submitted
from tests.factories.identity import make_person, sign_in
from tests.factories.register import decide
from tests.factories.traders import acting, add_identifier, make_trader

SYSTEM = system_actor("test")


def start(client):
    return client.get("/", follow_redirects=True)


def test_a_stranger_learns_what_this_is(client):
    page = start(client)
    assert page.status_code == 200
    assert "Trade with the customs agency as a partner" in page.text


def test_somebody_without_a_trader_is_led_to_register_one(client, work_as):
    with work_as(SYSTEM) as work:
        person = make_person(work)
    sign_in(client, person)
    assert "Register your company" in start(client).text


def test_one_trader_is_shown_at_once_and_several_are_a_choice(client, work_as):
    with work_as(SYSTEM) as work:
        person = make_person(work)
        first = make_trader(work, person, name="First Quay Imports")
    sign_in(client, person)
    page = client.get("/")
    assert page.headers["Location"] == f"/traders/{first.id}/overview"
    with work_as(SYSTEM) as work:
        make_trader(work, person, name="Second Quay Imports")
    page = start(client)
    assert "First Quay Imports" in page.text
    assert "Second Quay Imports" in page.text
    assert "No standing yet" in page.text


@pytest.mark.parametrize("role", list(AgencyRole))
def test_the_agency_begins_at_its_queue(client, work_as, role):
    with work_as(SYSTEM) as work:
        person = make_person(work, roles=[role])
    sign_in(client, person)
    assert client.get("/").headers["Location"] == "/console/"


def test_the_overview_says_what_waits_on_whom(client, work_as):
    with work_as(SYSTEM) as work:
        trader, officer = make_applicant(work)
        draft = make_application(acting(work, officer), trader)
        reference = draft.reference
    sign_in(client, officer)
    yours, theirs = start(client).text.split("Waiting on the agency")
    assert reference in yours
    assert reference not in theirs


def test_a_submitted_application_waits_on_the_agency(client, work_as):
    with work_as(SYSTEM) as work:
        application, officer = make_submitted(work)
        reference = application.reference
    sign_in(client, officer)
    yours, theirs = start(client).text.split("Waiting on the agency")
    assert reference not in yours
    assert reference in theirs


def test_a_new_trader_sees_what_its_profile_lacks(client, work_as):
    with work_as(SYSTEM) as work:
        officer = make_person(work)
        make_trader(work, officer)
    sign_in(client, officer)
    page = start(client).text
    assert "Record a continuous bond that is in force." in page
    assert "Add at least one site." in page


def test_rows_that_were_not_filed_wait_on_the_trader(client, work_as):
    with work_as(SYSTEM) as work:
        officer = make_person(work)
        trader = make_trader(work, officer)
        add_identifier(work, trader, verified=True)
        bad = make_batch(acting(work, officer), trader, rows(2, quantity="1.5"))
        reference = bad.reference
    sign_in(client, officer)
    assert f"Batch {reference}: correct what could not be filed" in start(client).text
    with work_as(SYSTEM) as work:
        own = acting(work, officer)
        own.now += timedelta(minutes=1)
        make_batch(own, work.session.get_one(type(trader), trader.id), rows(1))
    assert "correct what could not be filed" not in start(client).text


def test_whoever_chooses_between_companies_sees_their_standing(client, work_as):
    with work_as(SYSTEM) as work:
        officer = make_person(work)
        partner = make_trader(work, officer, name="Harbour Imports")
        make_trader(work, officer, name="Vale Imports")
        partner_id = partner.id
    decide(work_as, partner_id, "certify", tier=1)
    sign_in(client, officer)
    page = client.get("/")
    assert page.status_code == 200
    assert "Harbour Imports" in page.text
    assert "Certified, tier 1" in " ".join(page.text.split())
    assert "No standing yet" in page.text
