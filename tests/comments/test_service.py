"""Saying, asking, answering, closing: once each, heard by the company's own people alone."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.applications.queries.content import assessment_of
from app.assessments import service as assessments
from app.assessments.queries import catalogue_of
from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, DelegationScope, TraderRole, system_actor
from app.comments import queries, service
from app.comments.models import ColleagueComment
from app.db.session import Principal, Role, transaction
from app.erasure import erase_person
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.notifications.models import Message
from app.traders import service as traders
from app.traders.kinds import EntityType
from app.traders.models import Appointment
from tests.factories.applications import make_applicant, make_application
from tests.factories.delegations import Pair, broker_actor, delegate
from tests.factories.identity import make_person, principal_of
from tests.factories.traders import acting, appoint_person, make_trader

pytestmark = pytest.mark.usefixtures("app")
QUESTION = "q.1.1.1"
SECRET = "The seal log of May is missing."


class Scene:
    """An importer's assessment, its officer, a preparer, a clerk who files data; and a broker."""

    def __init__(self, work):
        self.trader, self.officer = make_applicant(work)
        self.maya, self.clerk = make_person(work, name="Maya"), make_person(work, name="Clark")
        appoint_person(work, self.trader, self.officer, self.maya, TraderRole.PREPARER)
        appoint_person(work, self.trader, self.officer, self.clerk, TraderRole.DATA_ONLY)
        self.own = acting(work, self.officer)
        self.assessment = assessment_of(work.session, make_application(self.own, self.trader))
        self.place = queries.place_of(self.assessment, QUESTION)
        self.bea = make_person(work, name="Bea Broker")
        self.broker = make_trader(
            work, self.bea, name="Sound Brokers", entity_type=EntityType.BROKER
        )
        self.pair = Pair(self.trader.id, self.broker.id, self.officer, self.bea)
        work.session.flush()

    def say(self, work, body=SECRET, asked=None, key=None, place=None):
        return service.say(
            work,
            self.assessment,
            place or self.place,
            key=key or work.new_id(),
            body=body,
            asked_id=None if asked is None else asked.id,
        )

    def answer(self, work, ask, body="I keep it.", key=None):
        return service.answer(
            work, self.assessment, self.place, ask, key=key or work.new_id(), body=body
        )


@pytest.fixture
def scene(work_as):
    with work_as(system_actor("test")) as work:
        yield Scene(work)


def tags(scene, subject):
    scene.own.session.flush()
    found = select(AuditEvent.tag).where(AuditEvent.subject_id == subject.id)
    return list(scene.own.session.scalars(found.order_by(AuditEvent.id)))


def letters(scene, template):
    scene.own.session.flush()
    return scene.own.session.scalars(select(Message).where(Message.template == template)).all()


def test_asking_tells_the_colleague_and_no_letter_or_event_says_what(scene):
    work = scene.own
    ask = scene.say(work, asked=scene.maya)
    assert (ask.state, ask.asked_name, tags(scene, ask)) == (
        "asked",
        "Maya",
        ["colleague-comment:asked"],
    )
    (letter,) = letters(scene, "colleague-asked")
    assert letter.recipient == scene.maya.email
    assert str(ask.id) in letter.body
    maya = acting(work, scene.maya)
    assert [
        one.id for one in queries.asked_of(work.session, scene.trader.id, scene.maya.id, 9)
    ] == [ask.id]
    scene.answer(maya, ask)
    assert ask.state == "answered"
    assert tags(scene, ask) == ["colleague-comment:asked", "colleague-comment:answered"]
    (told,) = letters(scene, "colleague-answered")
    assert told.recipient == scene.officer.email
    assert queries.asked_of(work.session, scene.trader.id, scene.maya.id, 9) == []
    for one in (letter, told):
        assert "seal log" not in one.subject + one.body
        assert "I keep it" not in one.subject + one.body
        assert scene.place.question.text not in one.body
    recorded = work.session.scalars(
        text("SELECT data::text FROM audit_event WHERE subject_kind = 'colleague_comment'")
    ).all()
    assert recorded
    assert not any("seal log" in one or "I keep it" in one for one in recorded)


def test_a_form_sent_twice_says_it_once_and_a_foreign_key_opens_nothing(scene):
    work, key = scene.own, scene.own.new_id()
    first = scene.say(work, asked=scene.maya, key=key)
    assert scene.say(work, asked=scene.maya, key=key) is first
    assert len(letters(scene, "colleague-asked")) == 1
    maya = acting(work, scene.maya)
    with pytest.raises(NotFoundError):
        scene.say(maya, "Mine", key=key)
    with pytest.raises(NotFoundError):
        scene.say(work, key=key, place=queries.place_of(scene.assessment, "q.1.2.1"))
    again = work.new_id()
    scene.answer(maya, first, key=again)
    scene.answer(maya, first, key=again)
    assert len(queries.thread(work.session, scene.assessment.id, QUESTION)) == 2
    with pytest.raises(ConflictError):
        scene.answer(work, first)


def test_a_comment_is_found_at_its_own_assessment_alone(scene):
    """The ids of two assessments of one company do not mix."""
    ask = scene.say(scene.own, asked=scene.maya)
    other = assessments.start(
        scene.own,
        scene.trader.id,
        catalogue=catalogue_of(scene.assessment),
        profile_id=scene.assessment.profile_id,
    )
    assert queries.visible_comment(scene.own, scene.assessment, ask.id) is ask
    with pytest.raises(NotFoundError):
        queries.visible_comment(scene.own, other, ask.id)


def test_only_who_reads_there_can_be_asked(scene):
    work = scene.own
    for somebody in (scene.bea, scene.clerk, scene.officer):
        with pytest.raises(NotReadyError) as refused:
            scene.say(work, asked=somebody)
        assert [one.field for one in refused.value.problems] == ["asked"]
    for body in (" \n", "x" * 4001):
        with pytest.raises(NotReadyError) as refused:
            scene.say(work, body)
        assert [one.field for one in refused.value.problems] == ["body"]


def test_closing_ends_it_once_and_what_is_open_is_counted_by_section(scene):
    work = scene.own
    ask, other = scene.say(work, asked=scene.maya), scene.say(work, asked=scene.maya)
    scene.say(work, "To all.")
    section = scene.place.section
    mine = queries.talks(work.session, scene.assessment.id, scene.maya.id)
    assert (len(mine.waiting_in(section)), mine.for_me(section)) == (2, 2)
    assert mine.about(QUESTION).count == 3
    service.close(work, ask)
    service.close(work, ask)
    assert tags(scene, ask) == ["colleague-comment:asked", "colleague-comment:closed"]
    theirs = queries.talks(work.session, scene.assessment.id, scene.officer.id)
    assert [one.id for one in theirs.waiting_in(section)] == [other.id]
    assert theirs.for_me(section) == 0


def test_whoever_is_erased_leaves_words_without_a_name(scene):
    work = scene.own
    ask = scene.say(acting(work, scene.maya), asked=scene.officer)
    mine = scene.say(work, asked=scene.maya)
    service.close(acting(work, scene.maya), mine)
    appointment = work.session.scalars(
        select(Appointment).where(Appointment.person_id == scene.maya.id)
    ).one()
    traders.end_appointment(work, appointment)
    chief = make_person(work, roles=[AgencyRole.SUPERVISOR])
    erase_person(acting(work, chief), scene.maya, reason="Asked for.")
    for one in (ask, mine):
        work.session.refresh(one)
    assert (ask.written_by_name, ask.body) == ("", SECRET)
    assert (mine.asked_name, mine.ended_by_name, mine.written_by_name) == (
        "",
        "",
        scene.officer.name,
    )


# ---------------------------------------------------------------------------- in the database


@pytest.fixture
def stage(work_as):
    """The same, committed: the officer has said one thing and asked Maya another."""
    with work_as(system_actor("test")) as work:
        found = Scene(work)
        stranger = make_person(work, name="Stan Ranger")
        make_trader(work, stranger, name="Other Imports LLC")
        ids = [found.say(found.own).id, found.say(found.own, asked=found.maya).id]
        auditor = make_person(work, roles=[AgencyRole.AUDITOR])
    return found, stranger, auditor, ids


def seen(engine, clock, work_as, person):
    with work_as(system_actor("test")) as work:
        actor = acting(work, person).actor
    principal = principal_of(engine, actor, clock.now())
    with transaction(engine, principal) as session:
        return set(session.scalars(select(ColleagueComment.id)))


def test_nobody_of_another_company_reads_a_comment_by_any_sql(stage, engine, clock, work_as):
    scene, stranger, _, ids = stage
    assert seen(engine, clock, work_as, scene.maya) == set(ids)
    assert seen(engine, clock, work_as, stranger) == set()
    assert seen(engine, clock, work_as, scene.bea) == set()
    with work_as(system_actor("test")) as work:
        delegate(work, scene.pair, {DelegationScope.STATUS, DelegationScope.RESPOND})
    assert seen(engine, clock, work_as, scene.bea) == set(), "reach alone shows no comment"


def test_a_broker_reads_them_while_it_prepares(stage, engine, clock, work_as):
    scene, _, _, ids = stage
    with work_as(system_actor("test")) as work:
        delegate(work, scene.pair, {DelegationScope.PREPARE})
        bea = replace(work, actor=broker_actor(work, scene.bea))
        said = service.say(bea, scene.assessment, scene.place, key=bea.new_id(), body="From us.")
        assert said.broker_name == "Sound Brokers"
        ids = {*ids, said.id}
    assert seen(engine, clock, work_as, scene.bea) == ids


def test_the_agency_has_no_right_to_the_table_at_all(stage, engine, clock, work_as):
    _, _, auditor, _ = stage
    with pytest.raises(ProgrammingError, match="permission denied"):
        seen(engine, clock, work_as, auditor)
    for role in (Role.WORKER, Role.ENTRY):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction(engine, Principal("system:test", role=role)) as session,
        ):
            session.scalars(select(ColleagueComment.id)).all()


WRITE = """
INSERT INTO colleague_comment (id, trader_id, assessment_id, question_id, state, body, written_at,
  written_by, written_by_name, broker_name, asked_id, asked_name, ended_by_name)
VALUES (gen_random_uuid(), :trader, :assessment, 'q.1.1.1', :state, 'x', now(), :by, 'x', '',
  CAST(:asked AS uuid), '', '')
"""


def test_nobody_writes_in_anothers_name_or_alters_what_was_said(stage, engine, clock, work_as):
    scene, stranger, _, ids = stage
    with work_as(system_actor("test")) as work:
        actor = acting(work, scene.officer).actor
    principal = principal_of(engine, actor, clock.now())
    good = {
        "trader": scene.trader.id,
        "assessment": scene.assessment.id,
        "by": scene.officer.id,
        "state": "asked",
        "asked": scene.maya.id,
    }
    with transaction(engine, principal) as session:
        session.execute(text(WRITE), good)
    wrong = (
        {"by": scene.maya.id},
        {"asked": stranger.id},
        {"trader": scene.broker.id},
        {"assessment": UUID(int=1)},
        {"state": "said"},
    )
    for change in wrong:
        with pytest.raises(DBAPIError), transaction(engine, principal) as session:
            session.execute(text(WRITE), {**good, **change})
    for words in ("body = 'other'", "written_by_name = 'other'", "asked_id = NULL"):
        with pytest.raises(DBAPIError), transaction(engine, principal) as session:
            session.execute(
                text(f"UPDATE colleague_comment SET {words} WHERE id = :id"),  # noqa: S608 - constants.
                {"id": ids[1]},
            )
    ending = "state = 'closed', ended_at = now(), ended_by = :by"
    with pytest.raises(DBAPIError), transaction(engine, principal) as session:
        session.execute(
            text(f"UPDATE colleague_comment SET {ending} WHERE id = :id"),  # noqa: S608 - likewise.
            {"id": ids[1], "by": scene.maya.id},
        )
