"""The whole way of an application through the services, on PostgreSQL."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from app.applications import queries, service
from app.applications.models import Agreement, Application, Snapshot
from app.applications.queries.content import assessment_of
from app.applications.rules.frozen import canonical, digest, fingerprint
from app.applications.rules.tasks import TaskStatus
from app.applications.service import Point
from app.assessments import service as assessments
from app.assessments.errors import SectionLockedError
from app.assessments.queries import catalogue_of, sections_of
from app.assessments.rules import AnswerInput
from app.audit.models import AuditEvent
from app.authz.actor import TraderRole
from app.db.concurrency import StaleError
from app.documents.models import DocumentRevision
from app.kernel.errors import (
    ConflictError,
    IllegalTransitionError,
    NotAllowedError,
    NotFoundError,
    NotReadyError,
)
from app.kernel.identifiers import Scheme
from app.notifications.models import Message
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
    sign,
    submit,
)
from tests.factories.identity import make_person
from tests.factories.traders import (
    acting,
    add_identifier,
    add_site,
    appoint_person,
    make_trader,
)

pytestmark = pytest.mark.usefixtures("app")


def events_about(work, row):
    work.session.flush()
    return list(
        work.session.scalars(
            select(AuditEvent.tag).where(AuditEvent.subject_id == row.id).order_by(AuditEvent.id)
        )
    )


def letters(work, template):
    work.session.flush()
    return list(work.session.scalars(select(Message).where(Message.template == template)))


def statuses(work, application):
    found = queries.tasks(work, application)
    return {task.key: task.status for group in found.groups for task in group.tasks}


@pytest.fixture
def applicant(work):
    trader, officer = make_applicant(work)
    return acting(work, officer), trader


@pytest.fixture
def ready(applicant):
    own, trader = applicant
    application = make_application(own, trader)
    make_ready(own, application)
    return own, trader, application


def submit_with(own, application, **changes):
    values = {
        "key": own.new_id(),
        "name": own.actor.name,
        "declared": True,
        "seen": fingerprint(queries.present_content(own, application)),
    }
    return service.submit(own, application, **{**values, **changes})


# Eligibility and the start.


def test_a_no_is_kept_with_its_reasons_as_they_were_shown(applicant):
    own, trader = applicant
    check = check_eligibility(own, trader, changes={"no-debt": "yes"})
    assert not check.eligible
    assert [one["id"] for one in check.reasons] == ["no-debt"]
    assert check.reasons[0]["source"]
    assert {"id": "no-debt", "answer": "yes"}.items() <= check.answers[5].items()
    assert events_about(own, check) == ["eligibility:checked"]


def test_a_check_sent_twice_is_one_check(applicant):
    own, trader = applicant
    key = own.new_id()
    values = {"key": key, "programme": SECURITY, "answers": good_answers(trader)}
    first = service.check_eligibility(own, trader, **values)
    assert service.check_eligibility(own, trader, **values) is first
    assert events_about(own, first) == ["eligibility:checked"]


def test_missing_answers_are_asked_for(applicant):
    own, trader = applicant
    with pytest.raises(NotReadyError) as refusal:
        service.check_eligibility(own, trader, key=own.new_id(), programme=SECURITY, answers={})
    assert len(refusal.value.problems) == len(good_answers(trader))


def test_a_kind_without_rules_cannot_check_or_start(work):
    officer = make_person(work)
    carrier = make_trader(work, officer, entity_type=EntityType.CARRIER)
    own = acting(work, officer)
    with pytest.raises(NotFoundError):
        service.check_eligibility(own, carrier, key=own.new_id(), programme=SECURITY, answers={})
    with pytest.raises(NotFoundError):
        service.start(own, carrier, programme=SECURITY)


def test_no_start_without_a_passed_and_fresh_check(applicant):
    own, trader = applicant
    with pytest.raises(NotReadyError, match="Check first"):
        service.start(own, trader, programme=SECURITY)
    check_eligibility(own, trader, changes={"office": "no"})
    with pytest.raises(NotReadyError, match="cannot apply yet"):
        service.start(own, trader, programme=SECURITY)
    own.now += timedelta(seconds=1)
    check_eligibility(own, trader)
    own.now += timedelta(days=30)
    with pytest.raises(NotReadyError, match="older than 30 days"):
        service.start(own, trader, programme=SECURITY)


def test_a_second_start_gives_the_open_application_back(applicant):
    own, trader = applicant
    first = make_application(own, trader)
    assert first.reference == "AP-2026-00001"
    assert service.start(own, trader, programme=SECURITY) is first
    assert events_about(own, first) == ["application:started"]


def test_after_a_withdrawal_another_one_can_be_started(applicant):
    own, trader = applicant
    first = make_application(own, trader)
    service.withdraw(own, first)
    service.withdraw(own, first)
    second = service.start(own, trader, programme=SECURITY)
    assert second.id != first.id
    assert second.reference == "AP-2026-00002"
    assert events_about(own, first) == ["application:started", "application:withdrawn"]
    assert queries.open_for(own.session, trader.id) == [second]


def test_a_broker_applies_by_rules_and_catalogue_of_its_own(work):
    officer = make_person(work)
    broker = make_trader(work, officer, entity_type=EntityType.BROKER)
    own = acting(work, officer)
    application = make_application(own, broker)
    assert assessment_of(own.session, application).profile_id == "broker-tier1"


# Signing.


def test_only_an_officer_signs_by_name_and_only_once(applicant, work):
    own, trader = applicant
    application = make_application(own, trader)
    preparer = make_person(work, name="Pat Preparer")
    officer = queries.officers_of(work.session, trader.id)[0]
    appoint_person(work, trader, officer, preparer, TraderRole.PREPARER)
    with pytest.raises(NotAllowedError):
        sign(acting(work, preparer), application)
    for changes, field in (({"name": "Somebody Else"}, "name"), ({"agreed": False}, "agreed")):
        values = {"name": own.actor.name, "agreed": True, "version": "2026-1", **changes}
        with pytest.raises(NotReadyError) as refusal:
            service.sign_agreement(own, application, **values)
        assert [one.field for one in refusal.value.problems] == [field]
    with pytest.raises(ConflictError, match="newer version"):
        service.sign_agreement(own, application, name=own.actor.name, agreed=True, version="2020-1")
    signed = sign(own, application)
    assert sign(own, application) is signed
    assert "**What you promise.**" in signed.text
    assert events_about(own, application) == [
        "application:started",
        "application:agreement-signed",
    ]


# Submitting.


def test_an_empty_application_says_every_point_that_is_unmet(applicant):
    own, trader = applicant
    application = make_application(own, trader)
    with pytest.raises(NotReadyError) as refusal:
        submit(own, application)
    fields = [one.field for one in refusal.value.problems]
    assert fields[-1] == "agreement"
    assert fields[:-1] == [f"assessment:{number}" for number in range(1, 13)]
    assert application.state == "draft"


def test_from_check_to_receipt(ready):
    own, _trader, application = ready
    assert set(statuses(own, application).values()) == {
        TaskStatus.COMPLETED,
        TaskStatus.NOT_STARTED,
    }
    snapshot = submit(own, application)
    own.session.flush()
    assert application.state == "submitted"
    assert (snapshot.number, application.snapshot_count) == (1, 1)
    assert events_about(own, application) == [
        "application:started",
        "application:agreement-signed",
        "application:submitted",
    ]
    assert not any(
        task.open for group in queries.tasks(own, application).groups for task in group.tasks
    )
    (letter,) = letters(own, "application-submitted")
    assert application.reference in letter.subject
    assert snapshot.sha256 in letter.body
    assert "22 February 2027" in letter.body


def test_what_is_stored_is_what_was_shown_and_its_hash_can_be_checked(ready):
    own, _trader, application = ready
    shown = queries.present_content(own, application)
    snapshot = submit(own, application)
    own.session.flush()
    own.session.expire(snapshot)
    stored = own.session.get_one(Snapshot, snapshot.id)
    added = {"declaration", "submitted_at"}
    assert {key: value for key, value in stored.content.items() if key not in added} == shown
    assert digest(stored.content) == stored.sha256
    question = stored.content["assessment"]["sections"][0]["criteria"][0]["questions"][0]
    assert question["text"].startswith("Has a senior company leader signed")
    assert stored.content["declaration"]["name"] == own.actor.name
    assert "18 USC 1001" in stored.content["declaration"]["text"]


def test_submitting_locks_the_answers_and_freezes_the_evidence(ready):
    own, _trader, application = ready
    submit(own, application)
    assessment = assessment_of(own.session, application)
    with pytest.raises(SectionLockedError):
        assessments.save_answers(
            own, assessment, "1", answers={"q.1.1.1": AnswerInput(value="no")}, expected_version=9
        )
    own.session.expire_all()
    frozen = own.session.scalars(select(DocumentRevision.frozen_at)).all()
    assert frozen
    assert None not in frozen


def test_only_an_officer_submits(ready, work):
    _own, trader, application = ready
    preparer = make_person(work, name="Pat Preparer")
    officer = queries.officers_of(work.session, trader.id)[0]
    appoint_person(work, trader, officer, preparer, TraderRole.PREPARER)
    with pytest.raises(NotAllowedError):
        submit(acting(work, preparer), application)
    stranger = make_person(work, name="Sam Stranger")
    with pytest.raises(NotAllowedError):
        submit(acting(work, stranger), application)
    assert application.state == "draft"


@pytest.mark.parametrize(
    ("changes", "field"), [({"name": "Other"}, "name"), ({"declared": False}, "declared")]
)
def test_no_submitting_without_name_and_declaration(ready, changes, field):
    own, _trader, application = ready
    with pytest.raises(NotReadyError) as refusal:
        submit_with(own, application, **changes)
    assert [one.field for one in refusal.value.problems] == [field]


def test_the_same_key_again_is_the_same_snapshot(ready):
    own, _trader, application = ready
    key = own.new_id()
    first = submit_with(own, application, key=key)
    assert submit_with(own, application, key=key, seen="") is first
    assert len(letters(own, "application-submitted")) == 1


def test_another_key_on_a_submitted_application_is_refused(ready):
    own, _trader, application = ready
    submit(own, application)
    with pytest.raises(IllegalTransitionError):
        submit_with(own, application)


def test_what_changed_since_the_page_was_shown_is_never_submitted_unseen(ready):
    own, trader, application = ready
    seen = fingerprint(queries.present_content(own, application))
    add_site(own, trader, "Second warehouse")
    own.session.flush()
    with pytest.raises(StaleError):
        submit_with(own, application, seen=seen)


def test_a_number_of_social_security_form_never_gets_into_a_snapshot(ready):
    own, trader, application = ready
    add_identifier(own, trader, Scheme.IOR, "123-45-6789")
    own.session.flush()
    snapshot = submit(own, application)
    raw = canonical(snapshot.content)
    assert b"***-**-6789" in raw
    assert b"123-45-6789" not in raw
    assert b"123456789" not in raw


# Returned and submitted again.


@pytest.fixture
def returned(work):
    application, officer = make_submitted(work)
    back = service.return_to_trader(
        work,
        application,
        tasks=["sites"],
        message="Please add the cross-dock and describe your seals.",
        points=[
            Point("Where is the cross-dock?", task="sites"),
            Point("Say who checks the seals.", criterion_id="1.1"),
        ],
        due_on=date(2026, 12, 24),
    )
    work.session.flush()
    return acting(work, officer), application, back


def test_a_return_opens_only_the_named_tasks_and_keeps_the_comments(returned):
    own, application, _back = returned
    found = queries.tasks(own, application)
    opened = {task.key for group in found.groups for task in group.tasks if task.open}
    assert opened == {"sites", "assessment:1", "evidence", "submit"}
    assert statuses(own, application)["sites"] is TaskStatus.CHANGES_NEEDED
    assert statuses(own, application)["assessment:1"] is TaskStatus.CHANGES_NEEDED
    assert statuses(own, application)["assessment:2"] is TaskStatus.COMPLETED
    assert queries.returned_comments(own.session, application) == {
        "1.1": "Say who checks the seals."
    }
    (letter,) = letters(own, "application-returned")
    assert "Please answer by 24 December 2026." in letter.body


def test_what_was_not_named_cannot_be_changed_even_past_the_page(returned):
    own, application, _back = returned
    assessment = assessment_of(own.session, application)
    with pytest.raises(SectionLockedError):
        assessments.reopen_section(own, assessment, "2")
    with pytest.raises(ConflictError, match="has not asked"):
        service.reply_to_task(own, application, task="company", reply="We moved.")
    with pytest.raises(ConflictError, match="cannot be signed"):
        sign(own, application)


def test_submitted_again_it_holds_only_what_was_asked_for(returned):
    own, application, _back = returned
    trader_id = application.trader_id
    trader = own.session.get_one(Trader, trader_id)
    assessment = assessment_of(own.session, application)
    # Both pages may be changed at any time; only the sites were asked about.
    add_site(own, trader, "Cross-dock")
    trader.name = "Renamed Imports LLC"
    own.session.flush()
    with pytest.raises(NotReadyError) as refusal:
        submit(own, application)
    assert [one.code for one in refusal.value.problems] == ["REPLY_MISSING", "SECTION_OPEN"]
    service.reply_to_task(own, application, task="sites", reply="We added the cross-dock.")
    service.reply_to_task(own, application, task="sites", reply="We added the cross-dock.")
    section = sections_of(own.session, assessment.id)["1"]
    assessments.save_answers(
        own,
        assessment,
        "1",
        answers={"q.1.1.1": AnswerInput(value="yes", how_met="The shift lead checks them.")},
        expected_version=section.version,
    )
    assessments.complete_section(own, assessment, "1")
    assert queries.unmet(own, application) == ()
    second = submit(own, application)
    own.session.flush()
    first = queries.snapshot_of(own.session, application, 1)
    assert second.number == 2
    assert [one["name"] for one in second.content["sites"]] == ["Carson warehouse", "Cross-dock"]
    assert second.content["company"] == first.content["company"]
    assert (
        second.content["assessment"]["sections"][1:] == first.content["assessment"]["sections"][1:]
    )
    assert second.content["assessment"]["sections"][0] != first.content["assessment"]["sections"][0]
    assert second.content["replies"] == [{"task": "sites", "reply": "We added the cross-dock."}]
    assert events_about(own, application)[2:] == [
        "application:submitted",
        "application:returned",
        "application:task-completed",
        "application:resubmitted",
    ]
    assert application.reopened_tasks == []
    assert queries.returned_comments(own.session, application) == {}


def test_a_returned_agreement_is_signed_anew(work):
    application, officer = make_submitted(work)
    service.return_to_trader(work, application, tasks=["agreement"], message="Please sign again.")
    own = acting(work, officer)
    assert [one.code for one in queries.unmet(own, application)] == ["AGREEMENT_UNSIGNED"]
    sign(own, application)
    submit(own, application)
    numbers = own.session.scalars(select(Agreement.for_snapshot).order_by(Agreement.for_snapshot))
    assert list(numbers) == [1, 2]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": "  "}, "message"),
        ({"tasks": []}, "tasks"),
        ({"tasks": ["nonsense"]}, "tasks"),
        ({"points": [Point("x", criterion_id="99.9")]}, "points"),
    ],
)
def test_a_return_that_says_nothing_real_is_refused(work, changes, field):
    application, _ = make_submitted(work)
    values = {"tasks": ["sites"], "message": "Please look.", **changes}
    with pytest.raises(NotReadyError) as refusal:
        service.return_to_trader(work, application, **values)
    assert [one.field for one in refusal.value.problems] == [field]
    assert application.state == "submitted"


# The end.


def test_grant_and_refuse_say_why_and_close(work):
    application, officer = make_submitted(work)
    service.grant(work, application, reason="The criteria are met.")
    assert application.outcome_reason == "The criteria are met."
    assert events_about(work, application)[-1] == "application:granted"
    assert "The criteria are met." in letters(work, "application-granted")[0].body
    with pytest.raises(IllegalTransitionError):
        service.refuse(work, application, reason="Too late.")
    with pytest.raises(IllegalTransitionError):
        service.withdraw(acting(work, officer), application)


def test_a_return_that_nobody_answers_can_be_refused_but_not_granted(returned, work):
    _own, application, _back = returned
    with pytest.raises(IllegalTransitionError):
        service.grant(work, application, reason="x")
    service.refuse(work, application, reason="No answer came.")
    assert "No answer came." in letters(work, "application-refused")[0].body


def test_foreign_and_absent_look_the_same(work):
    application, officer = make_submitted(work)
    stranger = acting(work, make_person(work, name="Sam Stranger"))
    permission = "trader:view"
    for wanted in (application.id, work.new_id()):
        with pytest.raises(NotFoundError) as refusal:
            queries.visible_application(stranger, wanted, permission)
        assert refusal.value.message == NotFoundError().message
    with pytest.raises(NotFoundError):
        queries.visible_application(
            acting(work, officer), application.id, permission, trader_id=work.new_id()
        )


def test_two_open_applications_are_impossible_in_sql(applicant):
    own, trader = applicant
    application = make_application(own, trader)
    twin = Application(
        id=own.new_id(),
        reference="AP-2026-99999",
        trader_id=trader.id,
        programme=SECURITY,
        tier=1,
        assessment_id=assessments.start(
            own,
            trader.id,
            catalogue=catalogue_of(assessment_of(own.session, application)),
            profile_id="importer-tier1",
        ).id,
        check_id=application.check_id,
        reopened_tasks=[],
        snapshot_count=0,
        started_at=own.now,
    )
    own.session.add(twin)
    with pytest.raises(DBAPIError, match="uq_application_open"), own.session.begin_nested():
        own.session.flush()


def test_the_owner_and_the_application_are_not_rewritten_in_sql(returned):
    own, _application, _back = returned
    for model, values in (
        (Snapshot, {"sha256": "0" * 64}),
        (Agreement, {"signed_name": "Mallory"}),
        (Application, {"tier": 3}),
    ):
        with (
            pytest.raises(DBAPIError, match=r"append-only|permission denied"),
            own.session.begin_nested(),
        ):
            own.session.execute(update(model).values(**values))
