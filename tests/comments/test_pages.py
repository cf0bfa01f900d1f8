"""Asking a colleague from the section, answering from the first page; in a browser without script."""

import re

import pytest
from sqlalchemy import select

from app.applications.queries.content import assessment_of
from app.assessments.queries import answers_of
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.comments.models import ColleagueComment
from tests.factories.applications import make_applicant, make_application
from tests.factories.casework import signed_in
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, appoint_person, make_trader
from tests.guards.markup import checked, text_of

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HIDDEN = re.compile(r'name="(key|version|page_key)"[^>]*value="([^"]*)"')
QUESTION = "q.1.1.1"


class Browser:
    def __init__(self, client):
        self.client = client

    def page(self, address):
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return checked(answer.text, whole=True)

    def words(self, address):
        return text_of(self.page(address))

    def send(self, page, address=None, **data):
        shown = self.client.get(page).text
        hidden = {"csrf_token": TOKEN.findall(shown)[0], **dict(HIDDEN.findall(shown))}
        return self.client.post(address or page, data={**hidden, **data})


@pytest.fixture
def scene(app, work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        maya = make_person(work, name="Maya Preston")
        vera = make_person(work, name="Vera Lock")
        appoint_person(work, trader, officer, maya, TraderRole.PREPARER)
        appoint_person(work, trader, officer, vera, TraderRole.VIEWER)
        own = acting(work, officer)
        assessment = assessment_of(own.session, make_application(own, trader))
        stranger = make_person(work, name="Stan Ranger")
        make_trader(work, stranger, name="Other Imports LLC")
        auditor = make_person(work, roles=[AgencyRole.AUDITOR])
        own.session.flush()
        home = f"/traders/{trader.id}/overview"
        base = f"/traders/{trader.id}/assessments/{assessment.id}"
        assessment_id = assessment.id
    browsers = {}
    for name, person in {"officer": officer, "maya": maya, "vera": vera, "stan": stranger}.items():
        client = app.test_client()
        sign_in(client, person)
        browsers[name] = Browser(client)
    browsers["auditor"] = Browser(signed_in(app, auditor))
    return browsers, base, home, (maya.id, assessment_id)


def test_from_the_question_to_its_answer(scene, work_as):
    browsers, base, home, (maya_id, assessment_id) = scene
    officer, maya = browsers["officer"], browsers["maya"]
    section, thread = f"{base}/sections/1", f"{base}/talk/on/{QUESTION}"
    assert "Ask a colleague" in officer.words(section)
    typed = {f"{QUESTION}.how_met": "We hold a board meeting each May."}
    went = officer.send(section, f"{section}/talk", question=QUESTION, **typed)
    assert (went.status_code, went.location) == (303, thread)
    with work_as(system_actor("test")) as work:
        kept = answers_of(work.session, assessment_id)[QUESTION]
        assert kept.how_met == typed[f"{QUESTION}.how_met"], "what was typed is saved on the way"

    shown = officer.words(thread)
    assert "The agency never sees it, nor does another company." in shown
    assert typed[f"{QUESTION}.how_met"] in shown
    refused = officer.send(thread, body="x" * 4001, asked=str(maya_id))
    assert refused.status_code == 422
    assert "At most 4,000 characters fit." in refused.text
    assert "x" * 4001 in refused.text
    assert f'<option selected value="{maya_id}">' in refused.text
    asked = officer.send(thread, body="Where are the minutes?", asked=str(maya_id))
    assert asked.status_code == 303

    assert "Where are the minutes?" in maya.words(home)
    assert "1 question of a colleague open (1 for you)" in maya.words(base)
    assert "1 question of a colleague open" in officer.words(base)
    assert "Where are the minutes?" not in officer.words(home)
    assert "asks you" in maya.words(section)
    assert "1 comment" in browsers["vera"].words(section), "on a page to be read too"
    with work_as(system_actor("test")) as work:
        ask = f"{base}/talk/{work.session.scalars(select(ColleagueComment.id)).one()}"
    assert maya.send(ask, body="").status_code == 422
    page = maya.client.get(ask).text
    assert maya.send(ask, body="In the safe.").status_code == 303
    assert "Where are the minutes?" not in maya.words(home)
    assert maya.client.get(ask).status_code == 303, "there is nothing left to answer"
    late = maya.client.post(
        ask, data={"csrf_token": TOKEN.findall(page)[0], "body": "In the cellar."}
    )
    assert late.status_code == 409
    assert "Somebody answered or closed this meanwhile" in late.text
    assert "In the cellar." in late.text
    said = officer.words(thread)
    assert "In the safe." in said
    assert "In the cellar." not in said


def test_strangers_and_the_agency_find_nothing(scene):
    browsers, base, _, (maya_id, _) = scene
    thread = f"{base}/talk/on/{QUESTION}"
    assert browsers["officer"].send(thread, body="Quietly.", asked=str(maya_id)).status_code == 303
    assert browsers["stan"].client.get(thread).status_code == 404
    assert browsers["auditor"].client.get(thread).status_code in {403, 404}
    absent = browsers["officer"].client.get(f"{base}/talk/on/q.99.9.9")
    assert absent.status_code == 404
    section = f"{base}/sections/1"
    lost = browsers["officer"].send(section, f"{section}/talk", question="q.2.1.1")
    assert lost.status_code == 404
