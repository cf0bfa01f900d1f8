"""The security page of a company: for its officers, about it alone."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.access import Circumstances, record_security_event
from app.audit.tags import EventTag, SecurityTag
from app.authz.actor import TraderRole, system_actor
from app.identity.service import create_client
from app.traders import service as traders
from tests.factories.identity import give_authenticator, give_passkey, make_person, sign_in
from tests.factories.traders import acting, actor_at, appoint_person, make_trader

SYSTEM = system_actor("test")


@pytest.fixture
def cast(app, work_as, clock):
    """Two companies that share a preparer: she is the other one's officer."""
    with work_as(SYSTEM) as work:
        officer = make_person(work, name="Olga Officer")
        shared = make_person(work, name="Sara Shared", email="sara@example.com")
        stranger = make_person(work, name="Stan Stranger")
        ours = make_trader(work, officer, name="Ours LLC")
        theirs = make_trader(work, stranger, name="Theirs LLC")
        give_passkey(work, officer)
        give_authenticator(work, shared)
        ids = ours.id, theirs.id
        appoint_person(work, theirs, stranger, shared, TraderRole.OFFICER)
    clock.at += timedelta(days=1)
    with work_as(SYSTEM) as work:
        appoint_person(
            work, work.session.get_one(type(ours), ids[0]), officer, shared, TraderRole.PREPARER
        )
    browser = app.test_client()
    sign_in(browser, officer)
    return SimpleNamespace(
        officer=officer,
        shared=shared,
        stranger=stranger,
        ours=ids[0],
        theirs=ids[1],
        browser=browser,
        page=f"/traders/{ids[0]}/security",
    )


def note(engine, clock, person, tag, **data):
    record_security_event(
        engine,
        tag,
        Circumstances(at=clock.at, address="203.0.113.9", data=data),
        person_id=person.id,
    )


def test_an_officer_sees_who_can_sign_in_and_what_to_do(cast, engine, clock, app):
    note(engine, clock, cast.shared, SecurityTag.SIGNED_IN)
    sign_in(app.test_client(), cast.shared)
    shown = cast.browser.get(cast.page).text
    assert "Sara Shared has no passkey." in shown
    assert "mailto:sara@example.com" in shown
    assert "You are the only officer" in shown
    assert "authenticator app" in shown
    assert "1 passkey" in shown
    assert "24 November 2026" not in shown
    assert "25 November 2026" in shown


def test_invitations_and_programs_that_are_old_stand_on_top(cast, work_as, clock):
    with work_as(SYSTEM) as work:
        own = acting(work, cast.officer)
        trader = work.session.get_one(traders.company.Trader, cast.ours)
        traders.appoint(
            own,
            trader,
            key=work.new_id(),
            email="late@example.com",
            role=TraderRole.VIEWER,
            link=lambda token: token,
        )
        create_client(work, name="Old filer", scopes=["status:self"], trader_id=cast.ours)
    assert "Needs attention" in cast.browser.get(cast.page).text
    assert "older than a year" not in cast.browser.get(cast.page).text
    clock.at += timedelta(days=366)
    sign_in(cast.browser, cast.officer)
    shown = cast.browser.get(cast.page).text
    assert "An invitation is unanswered." in shown
    assert "the program Old filer is older than a year" in shown


def test_nothing_from_another_company_nor_from_before_is_told(cast, engine, clock, work_as):
    """Not its name, not what was refused there, not an address, and nothing of before she came."""
    note(engine, clock, cast.shared, SecurityTag.ACCESS_DENIED, path=f"/traders/{cast.theirs}")
    note(engine, clock, cast.shared, SecurityTag.SIGN_IN_FAILED)
    clock.at -= timedelta(hours=20)
    note(engine, clock, cast.shared, SecurityTag.RECOVERY_CODE_USED)
    clock.at += timedelta(hours=20)
    with work_as(SYSTEM) as work:
        own = acting(work, cast.shared)
        own.record(
            EventTag.PASSKEY_REMOVED, work.session.get_one(type(cast.shared), cast.shared.id)
        )
        own.record(
            EventTag.PASSKEY_ADDED,
            work.session.get_one(type(cast.shared), cast.shared.id),
            trader_id=cast.theirs,
        )
    sign_in(cast.browser, cast.officer)
    shown = cast.browser.get(cast.page).text
    assert "Sign-in with a wrong password" in shown
    assert "Removed a passkey" in shown
    for secret in (
        *("Theirs LLC", "Stan Stranger", str(cast.theirs), "203.0.113.9"),
        *("Recovery code used", "Set up a passkey</td>", "does not include", "test client"),
    ):
        assert secret not in shown


@pytest.mark.parametrize("who", ["shared", "stranger"])
def test_only_an_officer_of_the_company_sees_it(cast, app, who):
    browser = app.test_client()
    sign_in(browser, getattr(cast, who))
    assert browser.get(cast.page).status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM fairway_people_security(:trader)",
        "SELECT * FROM fairway_people_events(:trader, '2000-01-01', 100)",
    ],
)
def test_the_functions_tell_nobody_else_anything(cast, work_as, engine, clock, statement):
    """Whatever SQL runs on the portal's connection."""
    note(engine, clock, cast.shared, SecurityTag.SIGN_IN_FAILED)

    def rows(person, trader_id):
        with work_as(SYSTEM) as work:
            actor = actor_at(work.session, person)
        with work_as(actor) as work:
            return work.session.execute(text(statement), {"trader": trader_id}).all()

    assert rows(cast.officer, cast.ours)
    assert rows(cast.officer, cast.theirs) == []
    assert rows(cast.shared, cast.ours) == []
    assert rows(cast.stranger, cast.ours) == []
    with pytest.raises(DBAPIError, match="permission denied"), work_as(SYSTEM) as work:
        work.session.execute(text(statement), {"trader": cast.ours})
