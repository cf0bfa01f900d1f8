"""The pages about applications: who sees them, what they show, and what they never do twice."""

import re
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import event, func, select

from app.applications import queries, service
from app.applications.models import Application, EligibilityCheck, Snapshot
from app.applications.service import Point
from app.audit.models import AuditEvent
from app.authz.actor import TraderRole, system_actor
from app.traders.kinds import EntityType
from app.traders.models import Trader
from tests.factories.applications import (
    SECURITY,
    check_eligibility,
    good_answers,
    make_applicant,
    make_application,
    make_ready,
    make_submitted,
)
from tests.factories.identity import make_person, prove_again, sign_in
from tests.factories.traders import acting, add_site, appoint_person, make_trader


class Scene:
    """One trader with its application, its officer, and test clients that are signed in."""

    def __init__(self, app, work_as, clock):
        self.app, self.work_as, self.clock = app, work_as, clock

    @contextmanager
    def system(self):
        with self.work_as(system_actor("test")) as work:
            yield work

    def build(self, make):
        with self.system() as work:
            self.trader, self.officer, self.application = make(work)
            work.session.flush()
        return self

    def client(self, person=None):
        client = self.app.test_client()
        sign_in(client, person or self.officer)
        return client

    def preparer(self):
        with self.system() as work:
            trader = work.session.get_one(Trader, self.trader.id)
            person = make_person(work, name="Pat Preparer")
            appoint_person(work, trader, self.officer, person, TraderRole.PREPARER)
        return person

    def count(self, model):
        with self.system() as work:
            return work.session.scalar(select(func.count()).select_from(model))

    def tags(self):
        with self.system() as work:
            return set(work.session.scalars(select(AuditEvent.tag)))

    @property
    def home(self):
        return f"/traders/{self.trader.id}/applications"

    @property
    def own(self):
        return f"{self.home}/{self.application.id}"


@pytest.fixture
def scene(app, work_as, clock):
    return Scene(app, work_as, clock)


def applicant(work):
    trader, officer = make_applicant(work)
    return trader, officer, None


def draft(work):
    trader, officer = make_applicant(work)
    return trader, officer, make_application(acting(work, officer), trader)


def ready(work):
    trader, officer, application = draft(work)
    make_ready(acting(work, officer), application)
    return trader, officer, application


def submitted(work):
    application, officer = make_submitted(work)
    return work.session.get_one(Trader, application.trader_id), officer, application


def returned(work):
    trader, officer, application = submitted(work)
    service.return_to_trader(
        work,
        application,
        tasks=["sites"],
        message="Please add the cross-dock.",
        points=[Point("Where is it?", task="sites"), Point("Who leads?", criterion_id="1.2")],
    )
    return trader, officer, application


def hidden(response, name):
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', response.text)
    assert found, f"no field {name}"
    return unescape(found[1])


def words(text):
    """What a reader sees of a part of a page."""
    bare = re.sub(r"<[^>]+>", " ", text)
    return " ".join(unescape(bare).split())


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


def form_of(client, address, **values):
    page = client.get(address)
    names = re.findall(r'<input[^>]*type="hidden"[^>]*>|<input[^>]*hidden[^>]*>', page.text)
    fields = {
        re.search(r'name="([^"]+)"', one)[1]: unescape(re.search(r'value="([^"]*)"', one)[1])
        for one in names
        if "name=" in one and "value=" in one
    }
    return {**fields, **values}


# Before the start.


def test_the_start_page_offers_one_main_action(scene):
    scene.build(applicant)
    page = scene.client().get(f"{scene.home}/programmes/security")
    assert page.status_code == 200
    assert page.text.count('class="usa-button"') == 1
    assert "Check eligibility" in page.text
    assert "Seal security" in page.text


def test_all_questions_can_be_read_before_anybody_commits(scene):
    scene.build(applicant)
    page = scene.client().get(f"{scene.home}/programmes/security/questions")
    assert "Has a senior company leader signed a statement of commitment" in words(page.text)
    assert page.text.count("<h2") == 12


def test_a_no_is_a_page_whose_heading_is_the_result(scene):
    scene.build(applicant)
    client = scene.client()
    address = f"{scene.home}/programmes/security/eligibility"
    answers = {**good_answers(scene.trader), "office": "no"}
    answer = client.post(address, data=form_of(client, address, **answers))
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert page.status_code == 200
    assert words(between(page.text, "<h1", "</h1>")).endswith("You cannot apply yet")
    shown = words(page.text)
    assert "The company has no staffed office in the United States or Canada." in shown
    assert "Why it matters:" in shown
    assert "What to do:" in shown
    assert "Source: CTPAT eligibility requirements for importers, business office" in shown
    assert "Start application" not in shown


def test_missing_answers_keep_what_was_chosen(scene):
    scene.build(applicant)
    client = scene.client()
    address = f"{scene.home}/programmes/security/eligibility"
    answers = {**good_answers(scene.trader), "no-debt": "yes"}
    del answers["officer"]
    page = client.post(address, data=form_of(client, address, **answers))
    assert page.status_code == 422
    assert "Error:" in between(page.text, "<title>", "</title>")
    assert 'href="#officer-0"' in page.text
    assert re.search(r'checked[^>]*name="no-debt"[^>]*value="yes"', page.text)
    assert scene.count(EligibilityCheck) == 0


def test_what_the_profile_tells_is_filled_in(scene):
    scene.build(applicant)
    page = scene.client().get(f"{scene.home}/programmes/security/eligibility")
    assert page.text.count("Filled in from the company") == 4
    assert re.search(r'checked[^>]*name="continuous-bond"[^>]*value="yes"', page.text)
    assert not re.search(r'checked[^>]*name="no-debt"', page.text)


def test_a_check_sent_twice_is_one_check_and_one_page(scene):
    scene.build(applicant)
    client = scene.client()
    address = f"{scene.home}/programmes/security/eligibility"
    data = form_of(client, address, **good_answers(scene.trader))
    places = {client.post(address, data=data).location for _ in range(2)}
    assert len(places) == 1
    assert scene.count(EligibilityCheck) == 1


def test_a_double_click_on_start_opens_one_application(scene):
    scene.build(applicant)
    with scene.system() as work:
        check_eligibility(
            acting(work, scene.officer), work.session.get_one(Trader, scene.trader.id)
        )
    client = scene.client()
    page = client.get(f"{scene.home}/programmes/security")
    data = {"csrf_token": hidden(page, "csrf_token")}
    places = {
        client.post(f"{scene.home}/programmes/security/start", data=data).location for _ in "12"
    }
    assert len(places) == 1
    assert scene.count(Application) == 1
    assert "Continue application AP-2026-00001" in client.get(scene.home).text


def test_a_start_without_a_fresh_check_is_refused_with_words(scene):
    scene.build(applicant)
    client = scene.client()
    data = {
        "csrf_token": hidden(
            client.get(scene.home + "/programmes/security/eligibility"), "csrf_token"
        )
    }
    page = client.post(f"{scene.home}/programmes/security/start", data=data)
    assert page.status_code == 422
    assert "Check first whether the company can apply." in page.text


def test_a_kind_without_rules_gets_a_page_that_says_so(scene):
    def carrier(work):
        officer = make_person(work)
        return make_trader(work, officer, entity_type=EntityType.CARRIER), officer, None

    scene.build(carrier)
    client = scene.client()
    for address in ("", "/questions", "/eligibility"):
        page = client.get(f"{scene.home}/programmes/security{address}")
        assert page.status_code == 200
        assert "Not open yet for companies of your kind" in page.text
    assert client.get(f"{scene.home}/programmes/nonsense").status_code == 404


# Who sees what.


def every_page(scene):
    return [
        scene.home,
        f"{scene.home}/programmes/security",
        f"{scene.home}/programmes/security/questions",
        f"{scene.home}/programmes/security/eligibility",
        f"{scene.home}/eligibility/{scene.application.check_id}",
        scene.own,
        f"/traders/{scene.trader.id}/assessments/{scene.application.assessment_id}/application",
        f"{scene.own}/evidence",
        f"{scene.own}/agreement",
        f"{scene.own}/check",
        f"{scene.own}/tasks/sites",
        f"{scene.own}/snapshots/1",
        f"{scene.own}/snapshots/1/receipt",
        f"{scene.own}/withdrawal",
    ]


def test_every_page_opens_for_the_officer(scene):
    scene.build(returned)
    client = scene.client()
    for address in every_page(scene):
        page = client.get(address)
        assert page.status_code in {200, 303}, address


def test_to_a_stranger_every_page_is_as_absent_as_one_that_never_was(scene):
    scene.build(returned)
    with scene.system() as work:
        _, stranger = make_applicant(work, name="Sam Stranger")
        absent = str(work.new_id())
    client = scene.client(stranger)
    changing = re.compile(
        r"[0-9a-f]{32}|csrf_token[^>]*|X-CSRFToken[^}]*|[0-9a-f]{8}-[0-9a-f-]{27}"
    )
    for address in every_page(scene):
        foreign = client.get(address)
        never = client.get(address.replace(str(scene.trader.id), absent))
        assert (foreign.status_code, never.status_code) == (404, 404), address
        assert changing.sub("", foreign.text) == changing.sub("", never.text)
    for address in ("agreement", "check", "withdrawal"):
        data = {"csrf_token": hidden(client.get("/traders/new"), "csrf_token")}
        assert client.post(f"{scene.own}/{address}", data=data).status_code == 404


def test_an_application_of_another_trader_is_absent_under_this_traders_address(scene):
    scene.build(draft)
    with scene.system() as work:
        other = make_trader(work, scene.officer, name="Second Company LLC")
    page = scene.client().get(f"/traders/{other.id}/applications/{scene.application.id}")
    assert page.status_code == 404


def test_a_preparer_sees_who_must_sign_and_who_can_submit(scene):
    scene.build(ready)
    client = scene.client(scene.preparer())
    check = client.get(f"{scene.own}/check")
    assert "Only an officer of the company can declare and submit." in check.text
    assert scene.officer.email in check.text
    assert "Submit application" not in check.text
    token = hidden(client.get(f"{scene.home}/programmes/security/eligibility"), "csrf_token")
    answer = client.post(f"{scene.own}/check", data={"csrf_token": token})
    assert answer.status_code == 403
    assert scene.count(Snapshot) == 0


def test_a_preparer_reads_the_agreement_and_whom_to_ask(scene):
    scene.build(draft)
    page = scene.client(scene.preparer()).get(f"{scene.own}/agreement")
    assert "Your officer must sign" in page.text
    assert scene.officer.name in page.text
    assert "Sign the agreement" not in page.text


# The task list.


def test_a_draft_offers_every_task_and_says_whose_turn_it_is(scene):
    scene.build(draft)
    page = scene.client().get(scene.own)
    assert page.text.count("task-list__link") == 19
    assert "Locked" not in page.text
    shown = words(page.text)
    assert "In preparation" in shown
    assert "Whose turn Yours" in shown


def test_a_return_locks_what_was_not_named(scene):
    scene.build(returned)
    page = scene.client().get(scene.own)
    links = re.findall(r"task-list__link\"[^>]*>([^<]+)<", page.text)
    assert links == ["Sites", "Security vision and responsibility", "Evidence", "Check and submit"]
    assert page.text.count(">Locked<") == 15
    shown = words(page.text)
    assert "Please add the cross-dock." in shown
    assert "Who leads?" in shown
    assert "/sections/1?open=1.2#criterion-1.2" in page.text


def test_a_reply_to_a_returned_task_is_kept_and_settles_it(scene):
    scene.build(returned)
    client = scene.client()
    address = f"{scene.own}/tasks/sites"
    empty = client.post(address, data=form_of(client, address, reply="  "))
    assert empty.status_code == 422
    done = client.post(address, data=form_of(client, address, reply="It closed in May."))
    assert done.status_code == 303
    assert "It closed in May." in client.get(address).text
    assert client.get(f"{scene.own}/tasks/company").status_code == 404


def test_the_lists_take_the_same_number_of_statements_however_long_they_are(scene, engine):
    scene.build(draft)
    client = scene.client()
    client.get(scene.home)
    with counting(engine) as one:
        client.get(scene.home)
    for _ in range(2):
        scene.clock.advance(timedelta(minutes=1))
        with scene.system() as work:
            own = acting(work, scene.officer)
            trader = work.session.get_one(Trader, scene.trader.id)
            service.withdraw(own, queries.open_application(work.session, trader.id, SECURITY))
            work.session.flush()
            service.start(own, trader, programme=SECURITY)
    client.get(scene.home)  # The session's own touch is due after some minutes.
    with counting(engine) as three:
        page = client.get(scene.home)
    assert page.text.count("AP-2026-0000") >= 3
    assert len(one) == len(three) > 0


@contextmanager
def counting(engine):
    found = []

    def note(connection, cursor, statement, parameters, context, executemany):
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


# Signing and submitting.


def test_signing_asks_for_a_fresh_proof_and_loses_nothing(scene):
    scene.build(draft)
    client = scene.client()
    address = f"{scene.own}/agreement"
    data = form_of(client, address, agreed="y", name=scene.officer.name)
    scene.clock.advance(timedelta(minutes=10))
    page = client.post(address, data=data)
    assert page.status_code == 422
    assert "Confirm with your passkey, then send the form." in page.text
    assert f'value="{scene.officer.name}"' in page.text
    assert "application:agreement-signed" not in scene.tags()
    prove_again(client)
    page = client.post(address, data=data)
    assert page.status_code == 303
    assert "application:agreement-signed" in scene.tags()


def test_the_check_page_links_each_open_point_to_its_cause(scene):
    scene.build(draft)
    page = scene.client().get(f"{scene.own}/check")
    summary = between(page.text, 'id="error-summary"', "</ul>")
    assert summary.count("<li>") == 13
    assert "/sections/1" in summary
    assert f"{scene.own}/agreement" in summary
    assert "Submit application" not in page.text


def test_submitted_twice_it_is_submitted_once_and_leads_to_the_same_receipt(scene):
    scene.build(ready)
    client = scene.client()
    address = f"{scene.own}/check"
    data = form_of(client, address, declared="y", name=scene.officer.name)
    answers = [client.post(address, data=data) for _ in range(2)]
    assert {one.status_code for one in answers} == {303}
    assert len({one.location for one in answers}) == 1
    assert scene.count(Snapshot) == 1
    receipt = client.get(answers[0].location)
    with scene.system() as work:
        sha256 = work.session.scalar(select(Snapshot.sha256))
    for wanted in ("AP-2026-00001", sha256, "22 February 2027", "24 November 2026, 12:00 UTC"):
        assert wanted in receipt.text
    # The way back in the browser leads to the task list, not to a second form.
    assert client.get(address).location == scene.own


def test_the_frozen_view_says_what_the_check_page_said_and_never_more(scene):
    scene.build(ready)
    client = scene.client()
    address = f"{scene.own}/check"
    checked = client.get(address)
    client.post(address, data=form_of(client, address, declared="y", name=scene.officer.name))
    with scene.system() as work:
        trader = work.session.get_one(Trader, scene.trader.id)
        add_site(work, trader, "Built after submitting")
        trader.name = "Renamed after submitting"
    frozen = client.get(f"{scene.own}/snapshots/1")
    start = "<h2>Company</h2>"
    before = words(between(checked.text, start, 'id="declaration"')).removesuffix("<h2").strip()
    after = words(between(frozen.text, start, "<h2>Declaration</h2>"))
    assert before == after
    assert "Has a senior company leader signed a statement of commitment" in after
    main = between(frozen.text, "<main", "</main>")
    assert "after submitting" not in main


def test_a_page_that_is_out_of_date_submits_nothing_and_shows_what_is_there_now(scene):
    scene.build(ready)
    client = scene.client()
    address = f"{scene.own}/check"
    data = form_of(client, address, declared="y", name=scene.officer.name)
    with scene.system() as work:
        add_site(work, work.session.get_one(Trader, scene.trader.id), "Just added")
    page = client.post(address, data=data)
    assert page.status_code == 409
    assert "Something changed after you opened this page" in page.text
    assert "Just added" in page.text
    assert f'value="{scene.officer.name}"' in page.text
    assert scene.count(Snapshot) == 0
    again = {**data, "seen": hidden(page, "seen")}
    assert client.post(address, data=again).status_code == 303


def test_a_wrong_name_is_said_beside_its_field(scene):
    scene.build(ready)
    client = scene.client()
    address = f"{scene.own}/check"
    page = client.post(address, data=form_of(client, address, name="Somebody Else"))
    assert page.status_code == 422
    assert "Type your own name, as Fairway has it: Ada Brook." in page.text
    assert "Make the declaration to submit." in page.text
    assert "Somebody Else" in page.text


def test_withdrawing_asks_once_more_and_then_it_is_closed(scene):
    scene.build(submitted)
    client = scene.client()
    address = f"{scene.own}/withdrawal"
    assert client.get(address).status_code == 200
    assert client.post(address, data=form_of(client, address)).status_code == 303
    assert client.get(address).status_code == 409
    assert "You can apply again at any time." in client.get(scene.own).text


def test_what_became_of_it_is_said_on_top(scene):
    scene.build(submitted)
    with scene.system() as work:
        service.refuse(
            work,
            work.session.get_one(Application, scene.application.id),
            reason="There is no evidence.",
        )
    page = scene.client().get(scene.own)
    assert "There is no evidence." in page.text
    assert "task-list" not in page.text
