"""From the gap report to a plan and through an action's life, in a browser without script."""

import re

import pytest

from app.applications.queries.content import assessment_of
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.casework.queries import case_of
from app.plans import queries, service
from tests.factories.applications import make_applicant, make_application, make_submitted
from tests.factories.casework import make_staff, signed_in
from tests.factories.documents import make_document
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, appoint_person
from tests.guards.markup import checked, text_of

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Browser:
    def __init__(self, client):
        self.client = client

    def words(self, address):
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return text_of(checked(answer.text, whole=True))

    def send(self, page, address, data=None):
        token = TOKEN.findall(self.client.get(page).text)[0]
        return self.client.post(address, data={"csrf_token": token, **(data or {})})


@pytest.fixture
def scene(app, work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        viewer = make_person(work, name="Vera Lock")
        appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        own = acting(work, officer)
        assessment = assessment_of(own.session, make_application(own, trader))
        proof = make_document(own, trader.id)
        own.session.flush()
        base = f"/traders/{trader.id}/assessments/{assessment.id}"
        ids = (assessment.id, proof.id)
    client = app.test_client()
    sign_in(client, officer)
    return Browser(client), base, officer, viewer, ids


def test_gaps_become_actions_in_one_step_and_live_to_their_proof(scene, work_as):
    browser, base, officer, _, (assessment_id, proof_id) = scene
    assert "Make a plan of these gaps" in browser.words(f"{base}/gaps")
    form = f"{base}/gaps/plan"
    assert "checked" in browser.client.get(form).text
    sent = {"criteria": ["1.3", "2.1"], "owner": str(officer.id), "due_on": "2027-02-01"}
    refused = browser.send(form, form, {**sent, "due_on": "2026-11-23"})
    assert refused.status_code == 422
    assert "This day has passed" in refused.text
    assert 'value="2.1"' in refused.text
    assert browser.send(form, form, sent).status_code == 303
    assert browser.send(form, form, sent).status_code == 422, "Both have an open action now."
    words = browser.words(f"{base}/plan")
    assert "Only your company sees this plan" in words
    assert "1 February 2027 Promised" in words
    with work_as(system_actor("test")) as work:
        plan = queries.plan_of(work.session, assessment_id)
        first, second = queries.actions_of(work.session, plan)
        one, other = f"{base}/plan/{first.id}", f"{base}/plan/{second.id}"
    assert browser.send(one, f"{one}/begin").status_code == 303
    nothing = browser.send(one, f"{one}/finish", {"proof": ""})
    assert nothing.status_code == 422
    assert "Choose the document that shows it." in nothing.text
    assert browser.send(one, f"{one}/finish", {"proof": str(proof_id)}).status_code == 303
    empty = browser.send(other, f"{other}/drop", {"reason": ""})
    assert empty.status_code == 422
    assert browser.send(other, f"{other}/drop", {"reason": "Not ours."}).status_code == 303
    words = browser.words(f"{base}/plan")
    assert "Done Proof" in words
    assert "Given up: Not ours." in words


def test_who_only_looks_finds_no_way_to_promise(app, scene):
    _, base, _, viewer, _ = scene
    client = app.test_client()
    sign_in(client, viewer)
    looks = Browser(client)
    assert "Make a plan" not in looks.words(f"{base}/gaps")
    assert "Nothing is promised yet" in looks.words(f"{base}/plan")
    assert client.get(f"{base}/gaps/plan").status_code in {403, 404}


def test_the_agency_reads_a_plan_only_while_it_is_shared(app, work_as):
    with work_as(system_actor("test")) as work:
        application, officer = make_submitted(work)
        reviewer = make_staff(work, AgencyRole.REVIEWER)
        case_id = case_of(work.session, application.id).id
        base = f"/traders/{application.trader_id}/assessments/{application.assessment_id}"
        service.promise(
            acting(work, officer),
            assessment_of(work.session, application),
            promises={"1.3": "Write the audit down."},
            owner_id=officer.id,
            due_on=work.now.date(),
        )
    client = app.test_client()
    sign_in(client, officer)
    own, console = Browser(client), Browser(signed_in(app, reviewer))
    gaps = f"/console/cases/{case_id}/gaps"
    assert "Write the audit down." not in console.words(gaps)
    assert own.send(f"{base}/plan", f"{base}/plan/share").status_code == 303
    assert "Write the audit down." in console.words(gaps)
    assert own.send(f"{base}/plan", f"{base}/plan/keep").status_code == 303
    assert "Write the audit down." not in console.words(gaps)
