"""Two requests at the same moment, each in its own thread and transaction."""

import threading

import pytest
from sqlalchemy import func, select

from app.applications import queries, service
from app.applications.models import Application, Snapshot
from app.applications.rules.frozen import fingerprint
from app.assessments import service as assessments
from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment
from app.assessments.queries import sections_of
from app.assessments.rules import AnswerInput
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.identity.models import Person
from app.kernel.ids import new_id
from app.notifications.models import Message
from app.traders.models import Trader
from tests.factories.applications import (
    SECURITY,
    check_eligibility,
    make_applicant,
    make_application,
    make_ready,
)
from tests.factories.traders import acting

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def together(work_as):
    """Run the same act of the same person in two threads at once; what each of them got."""

    def run(person_id, *acts):
        barrier = threading.Barrier(len(acts))
        results = [None] * len(acts)

        def one(place, act):
            try:
                with work_as(system_actor("test")) as work:
                    own = acting(work, work.session.get_one(Person, person_id))
                    barrier.wait(timeout=10)
                    results[place] = act(own)
            except Exception as error:  # noqa: BLE001 - whatever it was is the result.
                results[place] = error

        threads = [
            threading.Thread(target=one, args=(place, act)) for place, act in enumerate(acts)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        return results

    return run


@pytest.fixture
def ready(work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        application = make_application(own, trader)
        make_ready(own, application)
        seen = fingerprint(queries.present_content(own, application))
    return officer.id, application.id, seen


def count(work_as, statement):
    with work_as(system_actor("test")) as work:
        return work.session.scalar(statement)


def number_of(model):
    return select(func.count()).select_from(model)


def test_two_clicks_on_submit_make_one_snapshot_one_event_one_letter(work_as, together, ready):
    officer_id, application_id, seen = ready
    key = new_id()

    def submit(own):
        application = own.session.get_one(Application, application_id)
        return service.submit(
            own, application, key=key, name=own.actor.name, declared=True, seen=seen
        ).id

    assert together(officer_id, submit, submit) == [key, key]
    assert count(work_as, number_of(Snapshot)) == 1
    tags = number_of(AuditEvent).where(AuditEvent.tag == "application:submitted")
    assert count(work_as, tags) == 1
    letters = number_of(Message).where(Message.template == "application-submitted")
    assert count(work_as, letters) == 1


def test_two_starts_make_one_application(work_as, together):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        check_eligibility(acting(work, officer), trader)

    def start(own):
        return service.start(own, own.session.get_one(Trader, trader.id), programme=SECURITY).id

    first, second = together(officer.id, start, start)
    assert first == second
    assert count(work_as, number_of(Application)) == 1


def test_a_save_and_a_submit_at_once_never_leave_an_answer_out(work_as, together, ready):
    """Either the save came first and the page was stale, or it came too late and is refused."""
    officer_id, application_id, seen = ready

    def submit(own):
        application = own.session.get_one(Application, application_id)
        return service.submit(
            own, application, key=new_id(), name=own.actor.name, declared=True, seen=seen
        ).number

    def save(own):
        application = own.session.get_one(Application, application_id)
        assessment = own.session.get_one(Assessment, application.assessment_id)
        version = sections_of(own.session, assessment.id)["1"].version
        assessments.save_answers(
            own,
            assessment,
            "1",
            answers={"q.1.1.2": AnswerInput(value="Written at the last moment.")},
            expected_version=version,
        )
        return "saved"

    submitted, saved = together(officer_id, submit, save)
    with work_as(system_actor("test")) as work:
        application = work.session.get_one(Application, application_id)
        snapshot = queries.snapshot_of(work.session, application)
    if submitted == 1:
        assert isinstance(saved, SectionLockedError)
        assert "last moment" not in str(snapshot.content)
    else:
        assert saved == "saved"
        assert snapshot is None
        assert application.state == "draft"
