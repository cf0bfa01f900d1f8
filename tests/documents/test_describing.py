"""Until when a file holds, and whether it is confidential: said once, seen where it matters."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.applications.queries.content import assessment_of
from app.assessments.queries import evidence_of
from app.assessments.service import attach_evidence
from app.audit.models import AuditEvent
from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.casework.queries import case_of, dossier
from app.documents import service
from app.documents.rules import last_day_problems
from app.kernel.errors import NotReadyError
from app.kernel.identifiers import Scheme
from app.traders.kinds import EntityType
from tests.factories.applications import make_applicant, make_application, make_submitted
from tests.factories.casework import make_staff, signed_in
from tests.factories.delegations import Pair, delegate
from tests.factories.documents import make_document
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, add_identifier, appoint_person, make_trader
from tests.guards.markup import checked, text_of

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HIDDEN = re.compile(r'name="(key|version|page_key)"[^>]*value="([^"]*)"')
TODAY = date(2026, 11, 24)


def test_what_is_cited_is_never_put_off():
    soon, later = TODAY, TODAY + timedelta(days=9)
    assert last_day_problems(later, soon, cited=False) == []
    for after, fine in ((soon, True), (later, False), (None, False), (TODAY - timedelta(1), True)):
        assert (last_day_problems(after, soon, cited=True) == []) is fine, after
    assert last_day_problems(soon, None, cited=True) == []


@pytest.fixture
def scene(app, work_as):
    """An importer's draft with one file beside a criterion, and a broker who may prepare."""
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        viewer, bea = make_person(work), make_person(work)
        appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        own = acting(work, officer)
        assessment = assessment_of(own.session, make_application(own, trader))
        revision = make_document(own, trader.id, filename="certificate.pdf")
        service.note_scan(own, revision, found=None)
        attach_evidence(own, assessment, "1.2", revision.id)
        broker = make_trader(work, bea, name="Sound Brokers", entity_type=EntityType.BROKER)
        add_identifier(work, broker, Scheme.FILER, "406")
        work.session.flush()
        delegate(work, Pair(trader.id, broker.id, officer, bea), {DelegationScope.PREPARE})
        base = f"/traders/{trader.id}"
        ids = (str(revision.id), f"{base}/assessments/{assessment.id}/sections/1")
    browsers = {}
    for name, person in {"officer": officer, "viewer": viewer, "broker": bea}.items():
        browsers[name] = app.test_client()
        sign_in(browsers[name], person)
    return browsers, base, *ids


def send(client, page, address=None, **data):
    shown = client.get(page).text
    hidden = {"csrf_token": TOKEN.findall(shown)[0], **dict(HIDDEN.findall(shown))}
    return client.post(address or page, data={**hidden, **data})


def words(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return text_of(checked(answer.text, whole=True))


def test_from_the_section_to_its_last_day_and_back(scene, work_as):
    browsers, base, revision_id, section = scene
    officer = browsers["officer"]
    assert "Revision 1, SHA-256" in words(officer, section)
    typed = {"q.1.1.1.how_met": "Typed on the way."}
    went = send(officer, section, f"{section}/talk", revision=revision_id, **typed)
    page = f"{base}/documents/{revision_id}"
    assert (went.status_code, went.location) == (303, page)
    assert "Typed on the way." in officer.get(section).text
    wrong = send(officer, page, expires_on="2026-02-31", confidential="y")
    assert wrong.status_code == 422
    assert "2026-02-31" in wrong.text
    assert "checked" in wrong.text
    assert send(officer, page, expires_on="2026-11-23").status_code == 303
    said = words(officer, section)
    assert "Out of date" in said
    assert "It counted until 23 November 2026" in said
    assert "Evidence: " in words(officer, f"{base}/overview"), "a day to keep on the first page"
    assert send(officer, page, expires_on="2026-11-23").status_code == 303
    with work_as(system_actor("test")) as work:
        told = work.session.scalars(
            select(AuditEvent.data).where(AuditEvent.tag == "document:described")
        ).all()
    assert [(one.get("expires_before"), one["expires_on"]) for one in told] == [
        (None, "2026-11-23")
    ], "once, and not again for what is so already"
    assert send(officer, page, expires_on="2026-11-24").status_code == 303
    assert "Counts until 24 November 2026" in words(officer, section), "the day itself counts"
    foreign = send(officer, section, f"{section}/talk", revision=section.split("/")[-3])
    assert foreign.status_code == 404


def test_what_is_confidential_is_not_handed_to_a_broker(scene):
    browsers, base, revision_id, section = scene
    officer, broker, page = (
        browsers["officer"],
        browsers["broker"],
        f"{base}/documents/{revision_id}",
    )
    file = f"/documents/{revision_id}"
    assert broker.get(file).status_code == 200
    assert f'href="{file}"' in broker.get(section).text
    assert send(officer, page, confidential="y").status_code == 303
    assert broker.get(file).status_code == 404
    shown = broker.get(section).text
    assert "certificate.pdf" in shown, "its name stays"
    assert f'href="{file}"' not in shown
    assert "Confidential" in shown
    assert browsers["viewer"].get(file).status_code == 200
    assert broker.get(page).status_code in {403, 404}, "nor can the broker take the mark away"
    assert browsers["viewer"].get(page).status_code in {403, 404}


def test_the_agency_sees_the_mark_of_what_was_submitted(app, work_as):
    with work_as(system_actor("test")) as work:
        application, officer = make_submitted(work)[:2]
        own = acting(work, officer)
        assessment = assessment_of(work.session, application)
        attached = next(iter(evidence_of(work.session, assessment.id).values()))[0]
        revision = attached.revision
        service.describe(own, revision, expires_on=TODAY, confidential=True)
        with pytest.raises(NotReadyError):
            service.describe(own, revision, expires_on=None, confidential=True)
        assert revision.confidential
        case = case_of(work.session, application.id)
        criterion = next(
            one
            for one in dossier(work, case).criteria()
            if any(file.revision_id == str(revision.id) for file in one.evidence)
        )
        address = f"/console/cases/{case.id}/answers/{criterion.section_id}"
        reviewer = make_staff(work)
    client = signed_in(app, reviewer)
    assert "Confidential: not to be passed on" in client.get(address).text
    assert client.get(f"/documents/{revision.id}").status_code == 409, "it waits for its scan alone"
