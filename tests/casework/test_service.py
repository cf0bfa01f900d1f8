"""The whole way of a case through the services, on PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.applications import service as applications
from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, system_actor
from app.casework import queries, service
from app.casework.models import Case, CriterionReview
from app.casework.rules.verdicts import Judged, judged
from app.kernel.errors import (
    ConflictError,
    IllegalTransitionError,
    NotAllowedError,
    NotReadyError,
)
from app.notifications.models import Message
from app.register import queries as register
from app.register import service as register_service
from app.register.models import Determination
from app.traders.models import Trader
from app.traders.queries import identifiers_of
from tests.factories.casework import (
    accept_all,
    answer,
    application_of,
    ask,
    criterion_ids,
    judge,
    make_case,
    make_recommended,
    make_rival,
    make_staff,
    recommend,
    take,
    verify_identifiers,
)
from tests.factories.traders import acting

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def reviewer(work):
    return make_staff(work)


@pytest.fixture
def supervisor(work):
    return make_staff(work, AgencyRole.SUPERVISOR, "Grace Obuya")


def tags(work, subject):
    work.session.flush()
    return list(
        work.session.scalars(
            select(AuditEvent.tag)
            .where(AuditEvent.subject_id == subject.id)
            .order_by(AuditEvent.id)
        )
    )


def letters(work, template):
    work.session.flush()
    return list(work.session.scalars(select(Message).where(Message.template == template)))


def states(work, case):
    reviews = queries.reviews_of(work.session, case)
    return {
        one.id: judged(reviews.get(one.id), one.fingerprint)
        for one in queries.dossier(work, case).criteria()
    }


def test_a_submitted_application_opens_a_case_with_its_clock(work):
    case, _ = make_case(work)
    assert case.reference == "CS-2026-00001"
    assert (case.state, case.snapshot_number) == ("open", 1)
    assert case.due_on == (work.now + timedelta(days=90)).date()
    assert tags(work, case) == ["case:opened"]


def test_taking_and_releasing(work, reviewer, supervisor):
    case, officer = make_case(work)
    with pytest.raises(NotAllowedError):
        service.take(acting(work, officer), case)
    own = take(work, case, reviewer)
    service.take(own, case)
    assert (case.state, case.assignee_id) == ("in_review", reviewer.id)
    other = acting(work, make_staff(work, name="Samir Haddad"))
    with pytest.raises(ConflictError) as refusal:
        service.take(other, case)
    assert refusal.value.params["name"] == "Dana Whitlock"
    with pytest.raises(NotAllowedError):
        service.release(other, case)
    service.release(acting(work, supervisor), case)
    assert (case.state, case.assignee_id) == ("open", None)
    service.take(other, case)
    assert tags(work, case) == ["case:opened", "case:taken", "case:released", "case:taken"]


def test_judging_is_for_the_holder_and_for_the_version_that_was_read(work, reviewer):
    case, _ = make_case(work)
    first, *_ = criterion_ids(work, case)
    key = work.new_id()
    values = {"key": key, "criterion_id": first, "verdict": "returned", "comment": "Too old."}
    with pytest.raises(ConflictError, match="Nobody holds"):
        service.judge(acting(work, reviewer), case, **values, snapshot_number=1)
    own = take(work, case, reviewer)
    with pytest.raises(ConflictError, match="answered again"):
        service.judge(own, case, **values, snapshot_number=2)
    with pytest.raises(NotReadyError) as refusal:
        service.judge(own, case, **{**values, "comment": " "}, snapshot_number=1)
    assert [one.field for one in refusal.value.problems] == ["comment"]
    review = service.judge(own, case, **values, snapshot_number=1)
    assert service.judge(own, case, **values, snapshot_number=1) is review
    judge(own, case, first, "accepted")
    assert states(work, case)[first] is Judged.ACCEPTED
    assert [one.number for one in queries.earlier_reviews(work.session, case)[first]] == [1, 2]
    assert tags(work, case)[-2:] == ["case:criterion-judged"] * 2
    told = work.session.scalars(
        select(AuditEvent.data).where(AuditEvent.tag == "case:criterion-judged")
    ).all()
    assert "Too old." not in str(told)
    other = acting(work, make_staff(work, name="Samir Haddad"))
    with pytest.raises(ConflictError, match="is with"):
        judge(other, case, first, "accepted")


def test_a_request_reopens_what_it_names_and_its_answer_comes_back(work, reviewer):
    case, officer = make_case(work)
    own = take(work, case, reviewer)
    asked, left, kept, *_ = criterion_ids(work, case)
    judge(own, case, asked, "returned", "INTERNAL: they seem careless.")
    judge(own, case, left, "returned", "Name the auditor.")
    judge(own, case, kept, "accepted")
    request = ask(own, case, {asked: "Attach the present statement."})
    application = application_of(work, case)
    assert (case.state, request.state, application.state) == (
        "waiting_on_trader",
        "open",
        "returned",
    )
    assert "assessment:1" in application.reopened_tasks
    assert "assessment:2" not in application.reopened_tasks
    assert queries.returned_points(work, case)[1] == {asked: "Attach the present statement."}
    [letter] = letters(work, "application-returned")
    assert "INTERNAL" not in letter.body
    with pytest.raises(IllegalTransitionError):
        ask(own, case, {asked: "Again."})

    answer(work, case, officer, {asked: "The new statement hangs in the hall."})
    assert (case.state, case.snapshot_number, request.state) == ("in_review", 2, "answered")
    assert case.answered_at == work.now
    found = states(work, case)
    assert found[asked] is Judged.CHANGED
    assert found[left] is Judged.RETURNED
    assert found[kept] is Judged.ACCEPTED
    assert tags(work, case)[-2:] == ["request:sent", "case:returned-to-review"]
    assert tags(work, request) == ["request:answered"]
    with pytest.raises(ConflictError, match="answered again"):
        service.judge(
            own,
            case,
            key=work.new_id(),
            criterion_id=asked,
            verdict="accepted",
            comment="",
            snapshot_number=1,
        )


def test_the_answer_to_a_case_that_nobody_holds_goes_to_the_queue(work, reviewer):
    case, officer = make_case(work)
    own = take(work, case, reviewer)
    first, *_ = criterion_ids(work, case)
    ask(own, case, {first: "Attach it."})
    service.release(own, case)
    assert (case.state, case.assignee_id) == ("waiting_on_trader", None)
    answer(work, case, officer, {first: "Done."})
    assert case.state == "open"


def test_waiting_ends_only_after_the_day_that_was_named(work_as, clock):
    with work_as(system_actor("test")) as work:
        reviewer = make_staff(work)
        case, officer = make_case(work)
        own = take(work, case, reviewer)
        first, *_ = criterion_ids(work, case)
        ask(own, case, {first: "Attach it."})
        with pytest.raises(NotReadyError, match="has until"):
            service.stop_waiting(own, case)
        case_id, officer_id = case.id, officer.id
    clock.advance(timedelta(days=31))
    with work_as(system_actor("test")) as work:
        case = work.session.get_one(Case, case_id)
        own = acting(work, work.session.get_one(type(reviewer), reviewer.id))
        service.stop_waiting(own, case)
        assert case.state == "in_review"
        assert len(letters(work, "casework-not-waiting")) == 1
        verify_identifiers(own, case)
        accept_all(own, case)
        blocked = {
            one.move.id: [p.code for p in one.problems] for one in queries.choices(own, case)
        }
        assert blocked == {"certify": ["WITH_TRADER"], "reject": [], "declare-ineligible": []}
        # The trader can still answer until the decision.
        answer(work, case, work.session.get_one(type(officer), officer_id), {first: "Late."})
        assert (case.state, case.snapshot_number) == ("in_review", 2)
        assert states(work, case)[first] is Judged.CHANGED


def test_a_blocked_recommendation_lists_every_reason(work, reviewer):
    case, _ = make_case(work)
    own = take(work, case, reviewer)
    first, *_ = criterion_ids(work, case)
    judge(own, case, first, "returned", "Too old.")
    make_rival(work, case)
    with pytest.raises(NotReadyError) as refusal:
        recommend(own, case)
    assert [one.code for one in refusal.value.problems] == [
        "NOT_JUDGED",
        "RETURNED",
        "CONFLICT_OPEN",
        "NOT_VERIFIED",
    ]
    assert (case.state, queries.proposal_of(work.session, case)) == ("in_review", None)


def test_the_second_signature_grants_the_application_and_closes_the_case(
    work, reviewer, supervisor
):
    case, determination = make_recommended(work, reviewer)
    assert case.state == "recommended"
    with pytest.raises(ConflictError, match="recommended already"):
        judge(acting(work, reviewer), case, criterion_ids(work, case)[0], "accepted")
    with pytest.raises(NotAllowedError):
        register_service.approve(acting(work, reviewer), determination)
    register_service.approve(acting(work, supervisor), determination)
    application = application_of(work, case)
    assert (case.state, case.outcome, application.state) == ("closed", "certify", "granted")
    standing = register.standing_of(work.session, case.trader_id, case.programme, valid_at=work.now)
    assert (standing.status, standing.tier) == ("certified", 1)
    [letter] = letters(work, "application-granted")
    assert "The answers and the evidence meet the criteria." in letter.body
    assert tags(work, case)[-2:] == ["case:recommended", "case:closed"]


def test_a_decline_sends_the_case_back_with_its_reason(work, reviewer, supervisor):
    case, determination = make_recommended(work, reviewer)
    register_service.decline(acting(work, supervisor), determination, reason="Look at seals again.")
    assert case.state == "in_review"
    assert queries.proposal_of(work.session, case).decision_note == "Look at seals again."
    assert application_of(work, case).state == "submitted"
    again = recommend(acting(work, reviewer), case)
    register_service.withdraw_proposal(acting(work, reviewer), again)
    assert case.state == "in_review"


def test_a_refusal_needs_no_verdicts_and_refuses_the_application(work, reviewer, supervisor):
    case, _ = make_case(work)
    own = take(work, case, reviewer)
    determination = recommend(own, case, "reject")
    register_service.approve(acting(work, supervisor), determination)
    assert (case.state, case.outcome) == ("closed", "reject")
    assert application_of(work, case).state == "refused"
    assert len(letters(work, "application-refused")) == 1


def test_a_withdrawn_application_closes_its_case_and_cannot_be_granted(work_as, clock):
    with work_as(system_actor("test")) as work:
        reviewer = make_staff(work)
        supervisor = make_staff(work, AgencyRole.SUPERVISOR, "Grace Obuya")
        case, officer = make_case(work)
        own = take(work, case, reviewer)
        accept_all(own, case)
        verify_identifiers(own, case)
        determination = recommend(own, case)
        applications.withdraw(acting(work, officer), application_of(work, case))
        assert (case.state, case.outcome) == ("closed", "withdrawn")
        determination_id, case_id = determination.id, case.id

    def approve():
        with work_as(system_actor("test")) as work:
            boss = acting(work, work.session.get_one(type(supervisor), supervisor.id))
            register_service.approve(boss, work.session.get_one(Determination, determination_id))

    with pytest.raises(IllegalTransitionError):
        approve()
    with work_as(system_actor("test")) as work:
        boss = acting(work, work.session.get_one(type(supervisor), supervisor.id))
        found = work.session.get_one(Determination, determination_id)
        register_service.decline(boss, found, reason="The application was withdrawn.")
        assert work.session.get_one(Case, case_id).state == "closed"
        trader_id = found.trader_id
        assert register.standing_of(work.session, trader_id, "security", valid_at=work.now) is None


def test_a_determination_without_a_case_is_told_by_letter(work, reviewer, supervisor):
    case, determination = make_recommended(work, reviewer)
    boss, own = acting(work, supervisor), acting(work, reviewer)
    register_service.approve(boss, determination)
    restriction = register_service.propose(
        own,
        case.trader_id,
        programme="security",
        move="restrict",
        restrictions=("front-of-line",),
        reason_code="seals",
        reason_text="Two seals were missing in May.",
    )
    register_service.approve(boss, restriction)
    [letter] = letters(work, "casework-determination")
    assert "Not for now:\n- Front of the line" in letter.body
    assert "Two seals were missing in May." in letter.body
    register_service.suspend_urgently(
        own,
        case.trader_id,
        programme="security",
        reason_code="seizure",
        reason_text="In container MSCU1234566.",
    )
    [urgent] = letters(work, "casework-suspended")
    assert "Your standing: Suspended" in urgent.body


def test_verdicts_cannot_be_rewritten_in_sql(work_as):
    with work_as(system_actor("test")) as work:
        case, _ = make_case(work)
        own = take(work, case, make_staff(work))
        judge(own, case, criterion_ids(work, case)[0], "accepted")
        case_id = case.id
    for statement in (
        "UPDATE criterion_review SET verdict = 'returned', comment = 'x'",
        "DELETE FROM criterion_review",
        "UPDATE casework_case SET due_on = due_on + 1",
        "DELETE FROM casework_case",
        "UPDATE casework_case SET assignee_id = NULL",
    ):
        with pytest.raises(DBAPIError), work_as(system_actor("test")) as work:
            work.session.execute(text(statement))
    with work_as(system_actor("test")) as work:
        case = work.session.get_one(Case, case_id)
        assert len(queries.reviews_of(work.session, case)) == 1
        assert work.session.scalar(select(CriterionReview.verdict)) == "accepted"


def test_whoever_loses_an_identifier_is_told_nothing_of_the_other(work, reviewer):
    case, _ = make_case(work)
    [kept] = identifiers_of(work.session, case.trader_id)
    lost = make_rival(work, case)
    [conflict] = queries.open_conflicts_of(work.session, case.trader_id)
    own = acting(work, reviewer)
    with pytest.raises(NotReadyError):
        service.resolve_conflict(own, conflict, keep=kept, reason=" ")
    service.resolve_conflict(own, conflict, keep=kept, reason="The bond names another company.")
    assert (kept.state, lost.state, conflict.state) == ("claimed", "refused", "resolved")
    [letter] = letters(work, "casework-identifier-refused")
    name = work.session.get_one(Trader, case.trader_id).name
    assert "Rival Brokers" in letter.body
    assert name not in letter.body
    assert not queries.open_conflicts_of(work.session, case.trader_id)
