"""Promising, finishing with proof, giving up and sharing: one event each, and none twice."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.applications.queries.content import assessment_of
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.db.concurrency import StaleError
from app.documents import service as documents
from app.kernel.errors import ConflictError, NotReadyError
from app.plans import queries, service
from tests.factories.applications import make_applicant, make_application
from tests.factories.documents import make_document
from tests.factories.identity import make_person
from tests.factories.traders import acting, make_trader

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def own(work_as):
    """The officer's unit of work, with an assessment and one action promised."""
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        mine = acting(work, officer)
        assessment = assessment_of(mine.session, make_application(mine, trader))
        plan = promise(mine, assessment, officer.id)
        (action,) = queries.actions_of(mine.session, plan)
        yield mine, assessment, officer, plan, action


def promise(work, assessment, owner_id, days=30, **promises):
    return service.promise(
        work,
        assessment,
        promises=promises or {"1.3": "Write the audit down."},
        owner_id=owner_id,
        due_on=(work.now + timedelta(days=days)).date(),
    )


def tags(work, subject):
    work.session.flush()
    found = select(AuditEvent.tag).where(AuditEvent.subject_id == subject.id)
    return list(work.session.scalars(found.order_by(AuditEvent.id)))


def test_a_plan_is_made_once_and_grows(own):
    work, assessment, officer, plan, action = own
    assert (action.owner_name, action.state) == (officer.name, "promised")
    again = promise(work, assessment, officer.id)
    assert again.id == plan.id
    assert tags(work, plan) == ["plan:actions-promised"]
    promise(work, assessment, officer.id, **{"1.3": "Again.", "2.1": "Assess."})
    assert [one.criterion_id for one in queries.actions_of(work.session, plan)] == ["1.3", "2.1"]
    assert len(tags(work, plan)) == 2


@pytest.mark.parametrize(
    ("days", "criterion", "field"),
    [(-1, "1.3", "due_on"), (800, "1.3", "due_on"), (30, "99.9", "criteria")],
)
def test_what_cannot_be_promised_is_said_beside_its_field(own, days, criterion, field):
    work, assessment, officer, _, _ = own
    with pytest.raises(NotReadyError) as refused:
        promise(work, assessment, officer.id, days, **{criterion: "Do it."})
    assert [one.field for one in refused.value.problems] == [field]


def test_only_people_of_the_company_answer_for_an_action(own):
    work, assessment, _, _, _ = own
    stranger = make_person(work, name="Stan Ranger")
    make_trader(work, stranger, name="Other Imports LLC")
    for somebody in (stranger.id, None, UUID(int=1)):
        with pytest.raises(NotReadyError) as refused:
            promise(work, assessment, somebody, **{"2.1": "Assess."})
        assert [one.field for one in refused.value.problems] == ["owner"]


def test_done_needs_a_proof_of_the_same_company_that_is_not_infected(own):
    work, _, _, _, action = own
    stranger = make_person(work, name="Stan Ranger")
    other = make_trader(work, stranger, name="Other Imports LLC")
    foreign = make_document(work, other.id)
    infected = make_document(work, action.trader_id)
    documents.note_scan(work, infected, found="Eicar")
    for proof in (None, foreign, infected):
        with pytest.raises(NotReadyError) as refused:
            service.finish(work, action, proof=proof)
        assert [one.field for one in refused.value.problems] == ["proof"]
    assert action.state == "promised"
    proof = make_document(work, action.trader_id)
    service.finish(work, action, proof=proof)
    service.finish(work, action, proof=proof)
    assert (action.state, action.proof_revision_id) == ("done", proof.id)
    assert tags(work, action) == ["plan-action:done"]
    with pytest.raises(ConflictError):
        service.drop(work, action, reason="Too late.")


def test_an_action_that_was_given_up_says_why_and_can_be_promised_again(own):
    work, assessment, officer, plan, action = own
    with pytest.raises(NotReadyError):
        service.drop(work, action, reason=" ")
    service.begin(work, action)
    service.drop(work, action, reason="We closed the site.")
    assert (action.state, action.reason) == ("dropped", "We closed the site.")
    # The criterion is free for another action, and then the old one cannot come back.
    promise(work, assessment, officer.id)
    with pytest.raises(ConflictError):
        service.reopen(work, action)
    _, second = sorted(queries.actions_of(work.session, plan), key=lambda one: one.id != action.id)
    service.drop(work, second, reason="Twice.")
    service.reopen(work, action)
    assert (action.state, action.reason, action.ended_at) == ("promised", None, None)
    assert tags(work, action) == [
        "plan-action:begun",
        "plan-action:dropped",
        "plan-action:reopened",
    ]


def test_a_change_that_crosses_another_is_refused(own):
    work, _, officer, _, action = own
    due = action.due_on
    seen = action.version
    service.change(
        work, action, words="Other words.", owner_id=officer.id, due_on=due, expected_version=seen
    )
    work.session.flush()
    with pytest.raises(StaleError):
        service.change(
            work, action, words="Mine.", owner_id=officer.id, due_on=due, expected_version=seen
        )
    assert action.promise == "Other words."


def test_sharing_is_an_event_and_the_agency_sees_nothing_before(own):
    work, assessment, _, plan, _ = own
    assert queries.shared_plan_of(work.session, assessment.id) is None
    service.share(work, plan)
    service.share(work, plan)
    assert queries.shared_plan_of(work.session, assessment.id) is plan
    service.keep(work, plan)
    service.keep(work, plan)
    assert queries.shared_plan_of(work.session, assessment.id) is None
    assert tags(work, plan)[1:] == ["plan:shared", "plan:kept"]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE plan_action SET criterion_id = '2.1'",
        "UPDATE plan_action SET state = 'done'",
        "UPDATE plan_action SET state = 'dropped', ended_at = now()",
        "UPDATE plan SET assessment_id = trader_id",
    ],
)
def test_the_database_keeps_what_the_rules_keep(own, harm):
    work, _, _, _, _ = own
    work.session.flush()
    with pytest.raises(DBAPIError), work.session.begin_nested():
        work.session.execute(text(harm))
