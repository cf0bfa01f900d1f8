"""`fairway person end`: who has departed is out at once, everywhere; and what is left to others."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.casework.models import Case
from app.cli import people
from app.cli.people import person as group
from app.cli.runtime import RefusedError, Runtime
from app.erasure import erase_person
from app.identity.models import Person
from app.kernel.errors import ConflictError
from app.notifications.models import Message
from app.traders import queries as traders
from tests.factories.casework import make_case, make_staff, take
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import appoint_person, make_trader

SYSTEM = system_actor("test")
MAIL = "gone@example.com"


@pytest.fixture
def end(engine, settings, app_url, monkeypatch):
    @contextmanager
    def here():
        yield Runtime(settings, app_url, None, engine)

    monkeypatch.setattr(people, "runtime", here)

    def do(*words):
        result = CliRunner().invoke(group, words or ["end", MAIL])
        if result.exception:
            raise result.exception
        return result.output

    return do


def test_every_appointment_and_session_ends_and_the_last_officers_is_named(end, work_as, client):
    with work_as(SYSTEM) as work:
        gone = make_person(work, name="Gone Away", email=MAIL)
        other = make_person(work, name="Other Officer")
        alone = make_trader(work, gone, name="Alone LLC")
        shared = make_trader(work, other, name="Shared LLC")
        appoint_person(work, shared, other, gone, TraderRole.OFFICER)
        ids = gone.id, alone.id, shared.id
    sign_in(client, gone)
    assert client.get(f"/traders/{ids[1]}/overview").status_code == 200
    printed = end()
    assert "Alone LLC has no officer now" in printed
    assert "Shared LLC" not in printed
    assert client.get(f"/traders/{ids[1]}/overview").status_code == 303
    with work_as(SYSTEM) as work:
        assert traders.appointments_of(work.session, ids[0]) == {}
        assert [one.name for one in traders.officers_of(work.session, ids[2])] == ["Other Officer"]
        assert work.session.get_one(Person, ids[0]).ended_at is not None
    with pytest.raises(RefusedError):
        end()


def test_open_cases_are_named_and_hold_an_erasure_up(end, work_as, app):
    with work_as(SYSTEM) as work:
        reviewer = make_staff(work, AgencyRole.REVIEWER, "Rita Reads")
        case, _ = make_case(work)
        take(work, case, reviewer)
        ids, mail, reference = (reviewer.id, case.id), reviewer.email, case.reference
    with work_as(SYSTEM) as work, pytest.raises(ConflictError, match="open cases"):
        erase_person(work, work.session.get_one(Person, ids[0]), reason="Asked for")
    assert reference in end("end", mail)
    with work_as(SYSTEM) as work:
        assert work.session.get_one(Case, ids[1]).assignee_id == ids[0]


def test_sessions_end_and_the_person_may_come_back(end, work_as, client, app):
    with work_as(SYSTEM) as work:
        one, other = make_person(work, email=MAIL), make_person(work)
        trader = make_trader(work, one)
        appoint_person(work, trader, one, other, TraderRole.OFFICER)
        page = f"/traders/{trader.id}/overview"
    elsewhere = app.test_client()
    sign_in(client, one)
    sign_in(elsewhere, other)
    assert "Sessions ended: 1" in end("sign-out", MAIL)
    assert client.get(page).status_code == 303
    assert elsewhere.get(page).status_code == 200
    with work_as(SYSTEM) as work:
        told = work.session.scalars(select(Message).where(Message.template == "signed-out")).all()
        assert [mail.recipient for mail in told] == [MAIL]
    sign_in(client, one)
    assert client.get(page).status_code == 200
    assert "Sessions ended: 2" in end("sign-out", "--everybody")
    assert [one.get(page).status_code for one in (client, elsewhere)] == [303, 303]


@pytest.mark.parametrize("words", [(), (MAIL, "--everybody"), ("nobody@example.com",)])
def test_signing_out_needs_one_person_or_everybody(end, words):
    with pytest.raises(RefusedError):
        end("sign-out", *words)
