"""New criteria in the middle of everything: what becomes of each answer, by class and by state.

The sentence of the interface reference that this file proves stands in `BECOMES`: one line for each
class of change, one column for each state in which an assessment can be when the version is
published. Where nobody moves an application, every column is "as it was".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.applications import service
from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.applications.queries.moving import offer_of, preview_of
from app.applications.queries.tasklist import section_facts
from app.applications.service import Point
from app.assessments import carrying_queries as carrying
from app.assessments import queries as assessments
from app.assessments import service as assessment_service
from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import AgencyRole, system_actor
from app.db.concurrency import StaleError
from app.identity.models import Person
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.kernel.identifiers import Scheme
from app.publications.queries import known_version
from app.traders.kinds import EntityType
from app.work import Work
from tests.factories.applications import make_application, make_ready, submit
from tests.factories.casework import make_staff
from tests.factories.criteria import VERSION, every_class, without
from tests.factories.identity import make_person, sign_in
from tests.factories.publications import publish_version, shipped
from tests.factories.traders import acting, add_contact, add_identifier, add_site, make_trader

pytestmark = pytest.mark.usefixtures("app")
SYSTEM = system_actor("test")

# What becomes of the answer once a person has moved the application, or has begun the review.
BECOMES = """
    class of change     asked before   asked now   draft         returned      renewed
    ---------------     ------------   ---------   -----         --------      -------
    untouched           q.1.4.2        q.1.4.2     counts        counts        to confirm
    untouched, auto     q.3.5.1        q.3.5.1     counts        counts        counts
    untouched, never    q.1.3.2        q.1.3.2     counts        counts        suggested
    editorial           q.1.1.1        q.1.1.1     counts        counts        to confirm
    clarified           q.1.2.1        q.1.2.1     reworded      reworded      to confirm
    substantive         q.1.4.1        q.1.4.1     to confirm    to confirm    to confirm
    new                 -              q.1.4.9     empty         empty         empty
    withdrawn           q.1.1.2        -           to read       to read       to read
    split               q.1.3.3        q.1.3.8     suggested     suggested     suggested
    split               q.1.3.3        q.1.3.9     suggested     suggested     suggested
    merged              q.3.1.1        q.3.1.9     suggested     suggested     suggested
    merged, equal       q.2.1.1        q.2.1.9     counts        counts        to confirm
    merged, left over   q.3.1.2        -           to read       to read       to read
"""
# The questions' own rule for a yearly review is `confirm`, but where the first column says so.


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    change: str
    before: str
    now: str
    draft: str
    returned: str
    renewed: str


LINES = [
    Line(row[:20].strip(), *row[20:].split(None, 2)[:2], *words)
    for row in (line[4:] for line in BECOMES.splitlines()[3:-1])
    for words in [[part.strip() for part in row[47:].split("  ") if part.strip()]]
]


@pytest.fixture
def signers(work_as) -> tuple[Person, Person]:
    """Whoever proposes and signs; they have put 2026.2 into use."""
    with work_as(SYSTEM) as work:
        people = (
            make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Proposes"),
            make_staff(work, AgencyRole.SUPERVISOR, "Grace Signs"),
        )
        publish_version(work, shipped("broker"), by=people[0], second=people[1])
    return people


def make_broker(work: Work) -> tuple[Work, Application]:
    """A broker's application with every answer given and signed; the unit of work of its officer."""
    officer = make_person(work, name="Ada Brook")
    trader = make_trader(work, officer, entity_type=EntityType.BROKER, name="Tideway Brokers")
    add_identifier(work, trader, Scheme.FILER, "731")
    add_site(work, trader)
    add_contact(work, trader)
    work.session.flush()
    own = acting(work, officer)
    application = make_application(own, trader)
    make_ready(own, application)
    return own, application


def draft(work: Work) -> tuple[Work, Application]:
    return make_broker(work)


def submitted(work: Work) -> tuple[Work, Application]:
    own, application = make_broker(work)
    submit(own, application)
    return own, application


def returned(work: Work) -> tuple[Work, Application]:
    own, application = submitted(work)
    service.return_to_trader(
        work,
        application,
        tasks=[],
        message="One thing is open.",
        points=[Point("Say how.", criterion_id="1.4")],
    )
    work.session.flush()
    return own, application


STATES: dict[str, Callable[[Work], tuple[Work, Application]]] = {
    "draft": draft,
    "submitted": submitted,
    "returned": returned,
}


def moved(work: Work, application: Application) -> tuple[Assessment, Assessment]:
    """The assessment before and after the move that the offer's page makes."""
    offer = offer_of(work, application)
    assert offer is not None
    old = assessment_of(work.session, application)
    return old, service.move_to_criteria(work, application, seen=offer.catalogue.sha256)


def said(work: Work, assessment: Assessment) -> dict[str, tuple[str, ...]]:
    """Everything that is answered, word for word."""
    found = assessments.contents_of(work.session, assessment.id)
    return {
        key: (one.value, one.how_met, one.document_reference, one.not_applicable_reason)
        for key, one in found.items()
    }


def became(work: Work, old: Assessment, new: Assessment, line: Line) -> str:
    """The word of the table for what a person finds in the new assessment."""
    before, after = said(work, old), said(work, new)
    carried = carrying.carried_of(work.session, new.id)
    if line.now == "-":
        assert line.before not in after
        assert before[line.before][0], "it is read where it was given"
        return "to read"
    if line.now not in carried:
        assert line.now not in after
        return "empty"
    row = carried[line.now]
    assert row.source_question_id == line.before
    assert (row.value, row.how_met) == before[line.before][:2], "word for word"
    if row.how in {"kept", "reworded"}:
        assert after[line.now] == before[line.before]
        return "reworded" if row.how == "reworded" else "counts"
    assert line.now not in after, "it is shown and does not count"
    waits = line.now in carrying.pending_of(work.session, new)
    assert waits == (row.how == "unconfirmed")
    return "to confirm" if waits else "suggested"


@pytest.mark.parametrize("state", STATES)
def test_nothing_moves_by_itself(state, signers, work_as):
    with work_as(SYSTEM) as work:
        _, application = STATES[state](work)
        assessment = assessment_of(work.session, application)
        before = (said(work, assessment), application.state, assessment.state, assessment.version)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        work.session.expire_all()
        assert application.assessment_id == assessment.id
        assert assessment.catalogue_version == "2026.2"
        after = (said(work, assessment), application.state, assessment.state, assessment.version)
        assert after == before
        assert (offer_of(work, application) is None) == (state == "submitted")


@pytest.mark.parametrize("state", ["draft", "returned"])
def test_each_class_of_change_does_what_the_table_says(state, signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = STATES[state](work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        answers = said(work, assessment_of(work.session, application))
        old, new = moved(own, application)
        assert {line: became(own, old, new, line) for line in LINES} == {
            line: getattr(line, state) for line in LINES
        }
        assert said(own, old) == answers, "what was answered stays as it was"
        assert (application.state, application.assessment_id) == (state, new.id)
        assert (old.state, new.state, new.catalogue_version) == ("moved", "draft", VERSION)


def test_a_renewed_assessment_begins_with_what_the_table_says(signers, work_as):
    """The granted answers are taken over into the version in force, under the yearly rules too."""
    with work_as(SYSTEM) as work:
        own, application = submitted(work)
        service.grant(work, application, reason="All is in place.")
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        granted = assessment_of(work.session, application)
        answers = said(work, granted)
        renewed = assessment_service.carry_over(
            own,
            granted,
            catalogue=known_version(work.session, "broker", VERSION),
            profile_id=granted.profile_id,
            annual=True,
        )
        assert {line: became(own, granted, renewed, line) for line in LINES} == {
            line: line.renewed for line in LINES
        }
        assert said(own, granted) == answers
        assert (granted.state, application.assessment_id) == ("submitted", granted.id)
        with pytest.raises(NotReadyError):
            assessment_service.complete_section(own, renewed, "1")


def test_what_was_submitted_stays_what_it_is_judged_by(signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = submitted(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        with pytest.raises(ConflictError, match="keeps its criteria"):
            service.move_to_criteria(own, application, seen="")
    with work_as(SYSTEM) as work:
        other = make_assessment_of(work, application)
        with pytest.raises(DBAPIError, match="only to what was carried"):
            work.session.execute(
                text("UPDATE application SET assessment_id = :other"), {"other": other.id}
            )
        work.session.rollback()


def make_assessment_of(work: Work, application: Application) -> Assessment:
    """An assessment carried from the application's, although it was submitted."""
    old = work.session.get_one(Assessment, application.assessment_id)
    return assessment_service.carry_over(
        work,
        old,
        catalogue=assessments.catalogue_of(old),
        profile_id=old.profile_id,
        annual=False,
    )


def test_a_draft_that_stays_can_be_submitted_as_it_is(signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        assert submit(own, application).content["assessment"]["catalogue"]["version"] == "2026.2"


@pytest.mark.parametrize("state", ["draft", "returned"])
def test_what_was_moved_is_submitted_when_everything_was_looked_at(state, signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = STATES[state](work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        _, new = moved(own, application)
        with pytest.raises(NotReadyError) as refused:
            assessment_service.complete_section(own, new, "1")
        assert "1.4" in {one.params["criterion"] for one in refused.value.problems}
        with pytest.raises(NotReadyError):
            submit(own, application)
        assessment_service.confirm_carried(own, new, "1", ["q.1.4.1"])
        fresh = {
            "1": {
                "q.1.4.9": AnswerInput(value="yes"),
                "q.1.3.8": AnswerInput(value="The list."),
                "q.1.3.9": AnswerInput(value="The order."),
            },
            "3": {"q.3.1.9": AnswerInput(value="yes", how_met="In the system.")},
        }
        for section_id, answers in fresh.items():
            row = assessments.sections_of(own.session, new.id)[section_id]
            assessment_service.save_answers(
                own, new, section_id, answers=answers, expected_version=row.version
            )
        for section_id in assessments.sections_of(own.session, new.id):
            assessment_service.complete_section(own, new, section_id)
        found = submit(own, application)
        content = found.content["assessment"]
        assert content["catalogue"]["version"] == VERSION
        assert said(own, new)["q.1.4.1"][0] == "yes"


def test_a_should_that_nobody_looked_at_stands_in_the_way_too(signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        raw = every_class().replace(b"class: clarified", b"class: substantive", 1)
        publish_version(work, raw, by=signers[0], second=signers[1])
        _, new = moved(own, application)
        named = {
            one.field
            for several in carrying.pending_gaps(own.session, new).values()
            for one in several
        }
        assert named == {"q.1.2.1"}
        facts = section_facts(own.session, application)
        told = {gap.field for section in facts.sections for gap in section.gaps}
        assert "q.1.2.1" in told, "the task list says so as well"
        for _ in range(2):
            assessment_service.set_aside(own, new, "1", ["q.1.2.1"])
        own.session.flush()
        marks = select(AuditEvent.id).where(AuditEvent.tag == EventTag.CARRIED_SET_ASIDE)
        assert len(own.session.scalars(marks).all()) == 1
        assert carrying.pending_gaps(own.session, new) == {}
        assert carrying.carried_of(own.session, new.id)["q.1.2.1"].value == "yes"


def test_only_what_waits_is_confirmed_and_what_was_answered_meanwhile_stays(signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        old, new = moved(own, application)
        for wrong in (["q.1.1.1"], ["q.1.3.8"], ["q.2.1.9"], []):
            with pytest.raises(NotFoundError):
                assessment_service.confirm_carried(own, new, "1", wrong)
        row = assessments.sections_of(own.session, new.id)["1"]
        assessment_service.save_answers(
            own,
            new,
            "1",
            answers={"q.1.4.1": AnswerInput(value="no", how_met="Not any more.")},
            expected_version=row.version,
        )
        assessment_service.confirm_carried(own, new, "1", ["q.1.4.1"])
        assert said(own, new)["q.1.4.1"][:2] == ("no", "Not any more.")
        with pytest.raises(SectionLockedError):
            assessment_service.save_answers(
                own, old, "1", answers={"q.1.4.1": AnswerInput(value="no")}, expected_version=1
            )


def test_what_no_version_said_on_the_way_is_not_forgotten(signers, work_as):
    """From 2026.1 to 2026.4: the question that changed in 2026.3 still waits for a person."""
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        later = every_class_untouched_after()
        publish_version(work, later, by=signers[0], second=signers[1])
        offer = offer_of(own, application)
        assert offer is not None
        assert offer.catalogue.version == "2026.4"
        how = {one.question.id: one.how.value for one in preview_of(own, offer).carries}
    assert how["q.1.4.1"] == "unconfirmed"
    assert how["q.1.2.1"] == "reworded"
    assert how["q.1.3.8"] == "suggested"
    assert how["q.1.4.2"] == "kept"


def every_class_untouched_after() -> bytes:
    """A version after it that changes the words of one question."""
    raw = every_class().decode()
    raw = re.sub(r" +changes:\n( +)class:.*\n(?:\1.*\n)*", "", raw)
    return (
        raw.replace("version: '2026.3'", "version: '2026.4'", 1)
        .replace("previous: '2026.2'", "previous: '2026.3'", 1)
        .replace("effective: 2026-11-20", "effective: 2026-11-21", 1)
        .encode()
    )


def test_a_page_that_showed_another_version_moves_nothing(signers, work_as):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        with pytest.raises(StaleError):
            service.move_to_criteria(own, application, seen="0" * 64)


def test_what_the_agency_asks_about_is_answered_before_its_criterion_is_left_behind(
    signers, work_as
):
    with work_as(SYSTEM) as work:
        own, application = returned(work)
        publish_version(work, without("1.4"), by=signers[0], second=signers[1])
        offer = offer_of(own, application)
        assert offer is not None
        assert offer.obstacle is not None
        with pytest.raises(ConflictError, match="Answer that first"):
            service.move_to_criteria(own, application, seen=offer.catalogue.sha256)
        assert assessment_of(own.session, application).catalogue_version == "2026.2"


def test_what_waited_before_a_second_move_waits_after_it(signers, work_as):
    """The later version leaves the question alone; that nobody has confirmed it stays true."""
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        moved(own, application)
        publish_version(work, every_class_untouched_after(), by=signers[0], second=signers[1])
        _, new = moved(own, application)
        carried = carrying.carried_of(own.session, new.id)
        assert (carried["q.1.4.1"].how, carried["q.1.4.1"].value) == ("unconfirmed", "yes")
        assert "q.1.4.1" not in said(own, new)
        assert carried["q.1.2.1"].how == "kept", "its answer was one of its own already"


REFUSED_IN_SQL = {
    "other words": "UPDATE carried_answer SET value = 'no'",
    "another carriage": "UPDATE carried_answer SET how = 'kept'",
    "deleting": "DELETE FROM carried_answer",
}


@pytest.mark.parametrize("what", REFUSED_IN_SQL)
def test_what_was_carried_stays_as_it_was_carried(what, signers, work_as, super_engine):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        moved(own, application)
    with super_engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT set_config('app.principal', 'system:test', true)"))
        with pytest.raises(DBAPIError, match="stays as it was carried"):
            connection.execute(text(REFUSED_IN_SQL[what]))
        connection.rollback()


def test_the_pages_say_what_would_happen_and_ask_before_it_does(signers, app, work_as):
    with work_as(SYSTEM) as work:
        own, application = draft(work)
        publish_version(work, every_class(), by=signers[0], second=signers[1])
        officer = work.session.get_one(Person, own.actor.person_id)
    client = app.test_client()
    sign_in(client, officer)
    home = f"/traders/{application.trader_id}/applications/{application.id}"
    assert "There is a newer version of the criteria" in client.get(home).text
    preview = client.get(f"{home}/criteria").text
    for word in ("Changed in substance", "Split off", "Merged", "Reworded", "Asked otherwise now"):
        assert word in preview
    assert "It now has to be in writing." in preview
    with work_as(SYSTEM) as work:
        assert work.session.get_one(Application, application.id).assessment_id == (
            application.assessment_id
        ), "looking moves nothing"
    seen = hidden(preview, "seen")
    token = {"csrf_token": hidden(preview, "csrf_token")}
    assert client.post(f"{home}/criteria", data={**token, "seen": "0" * 64}).status_code == 409
    done = client.post(f"{home}/criteria", data={**token, "seen": seen}, follow_redirects=True)
    assert "Some answers wait for you" in done.text
    assert client.post(f"{home}/criteria", data={**token, "seen": seen}).status_code == 409
    assert "There is nothing to move to" in client.get(f"{home}/criteria").text
    before = f"/traders/{application.trader_id}/assessments/{application.assessment_id}"
    assert "This is an earlier version" in client.get(f"{before}/sections/1").text
    overview = client.get(before).text
    for word in ("Everything is saved as you go", "Who does what", "Fill in offline"):
        assert word not in overview, "it is only read"
    assert client.get(f"{before}/application").location == home
    none = client.post(f"{home}/carried", data={**token, "section": "1", "act": "confirm"})
    assert (none.status_code, "Choose at least one answer." in none.text) == (422, True)
    chosen = {**token, "section": "1", "act": "confirm", "question": "q.1.4.1"}
    done = client.post(f"{home}/carried", data=chosen, follow_redirects=True)
    assert "Nothing waits to be confirmed" in done.text
    assert "Go on with the application" in done.text


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    assert found, name
    return found[1]
