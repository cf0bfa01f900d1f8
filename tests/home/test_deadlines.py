"""The company's first page tells its days, from what services wrote, and nobody else's."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from app.applications.queries.content import assessment_of
from app.assessments import service as assessments
from app.authz.actor import AgencyRole, system_actor
from app.documents import service as documents
from app.documents.models import DocumentRevision
from app.home.dated import duties_of
from app.home.duties import Kind
from app.kernel.identifiers import Scheme
from app.plans import service as plans
from app.publications import service as publications
from app.traders import service as traders
from app.traders.kinds import EntityType
from app.traders.models import Bond
from tests.factories.applications import check_eligibility, make_applicant, make_application
from tests.factories.casework import make_staff
from tests.factories.documents import make_document
from tests.factories.identity import make_person, sign_in
from tests.factories.publications import propose_version
from tests.factories.successions import as_staff
from tests.factories.traders import acting, add_identifier, make_trader
from tests.guards.markup import checked, text_of

pytestmark = pytest.mark.usefixtures("app")


def test_published_criteria_become_a_line_and_proposed_ones_do_not(work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        make_application(own, trader)

        def told():
            return [one.kind for one in duties_of(own, trader)]

        proposer = make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Proposes")
        publication = propose_version(work, proposer)
        work.session.flush()
        assert Kind.CRITERIA not in told()
        signer = make_staff(work, AgencyRole.SUPERVISOR, "Grace Signs")
        publications.publish(as_staff(work, signer), publication)
        work.session.flush()
        assert told().count(Kind.CRITERIA) == 1


def test_every_dated_fact_becomes_a_line_with_its_day(app, work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        application = make_application(own, trader)
        assessment = assessment_of(own.session, application)
        today = work.now.date()
        revision = make_document(own, trader.id)
        documents.note_scan(own, revision, found=None)
        assessments.attach_evidence(own, assessment, "1.3", revision.id)
        own.session.flush()
        own.session.execute(
            update(DocumentRevision)
            .where(DocumentRevision.id == revision.id)
            .values(expires_on=today + timedelta(days=9))
        )
        own.session.execute(
            update(Bond)
            .where(Bond.trader_id == trader.id)
            .values(valid_until=today + timedelta(days=20))
        )
        plans.promise(
            own,
            assessment,
            promises={"2.1": "Assess."},
            owner_id=officer.id,
            due_on=today + timedelta(days=3),
        )
        check_eligibility(own, trader, changes={"no-debt": "yes"})
        own.session.flush()
        found = duties_of(own, trader)
        kinds = {one.kind: one.on for one in found}
        assert kinds == {
            Kind.DEBT: today,
            Kind.ACTION: today + timedelta(days=3),
            Kind.EVIDENCE: today + timedelta(days=9),
            Kind.BOND: today + timedelta(days=20),
        }
        assert [one.on for one in found] == sorted(kinds.values())
        trader_id = trader.id
    client = app.test_client()
    sign_in(client, officer)
    page = client.get(f"/traders/{trader_id}/overview")
    words = text_of(checked(page.text, whole=True))
    for said in (
        "Days to keep",
        "A final debt to the agency is unpaid",
        "Promised improvement: 2.1",
        "Due on 27 November 2026",
        "Counts until 3 December 2026",
        "Binds until 14 December 2026",
    ):
        assert said in words


def test_a_company_without_dated_facts_sees_no_days(app, work_as):
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Ada Brook")
        trader = make_trader(work, officer)
        trader_id = trader.id
        assert duties_of(acting(work, officer), trader) == []
    client = app.test_client()
    sign_in(client, officer)
    assert "Days to keep" not in client.get(f"/traders/{trader_id}/overview").text


def test_a_debt_that_was_settled_is_told_no_more(work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        check_eligibility(own, trader, changes={"no-debt": "yes"})
        work.session.flush()
        assert [one.kind for one in duties_of(own, trader)] == [Kind.DEBT]
    with work_as(system_actor("test")) as work:
        later = acting(work, officer)
        later.now += timedelta(days=1)
        check_eligibility(later, trader)
        work.session.flush()
        assert duties_of(later, trader) == []


def test_a_broker_whose_last_filer_code_was_withdrawn_is_told_of_it(work_as):
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Ada Brook")
        trader = make_trader(work, officer, entity_type=EntityType.BROKER)
        code = add_identifier(work, trader, Scheme.FILER, "406")
        work.session.flush()
        own = acting(work, officer)
        assert duties_of(own, trader) == []
        traders.withdraw_identifier(own, code)
        work.session.flush()
        (found,) = duties_of(own, trader)
        assert (found.kind, found.on, found.name) == (Kind.LICENCE, date(2026, 11, 24), "406")
