"""A trader's own standing: what it says in each state, and who may see it."""

import re
from datetime import timedelta

import pytest

from app.authz.actor import TraderRole, system_actor
from app.db.session import Principal, transaction
from app.kernel.ids import new_id
from app.register.programme import PROGRAMMES
from app.register.queries import described
from app.traders.models import Appointment
from app.traders.workflow import AppointmentState
from tests.conftest import NOON
from tests.factories.identity import make_person, sign_in
from tests.factories.register import decide, make_partner, make_trader, statements, suspend_urgently

DAY = timedelta(days=1)


@pytest.fixture
def look(work_as, client):
    """Open the page as somebody who may only view at the trader."""

    def open_as(trader_id, *, viewer_at=None, status=200):
        with work_as(system_actor("test")) as work:
            person = make_person(work, name="Vera Lock")
            work.session.flush()
            work.session.add(
                Appointment(
                    id=new_id(),
                    trader_id=viewer_at or trader_id,
                    person_id=person.id,
                    role=TraderRole.VIEWER,
                    started_at=work.now,
                    _state=AppointmentState.ACTIVE.value,
                )
            )
        sign_in(client, person)
        answer = client.get(f"/traders/{trader_id}/standing")
        assert answer.status_code == status
        return " ".join(answer.text.split())

    return open_as


def test_an_active_partner_reads_tier_benefits_reason_and_what_comes_next(work_as, look):
    trader_id = make_partner(work_as, "ior:12-345678900", tier=3, name="Anchor & Sons")
    decide(work_as, trader_id, "restrict", restrictions=("front-of-line",))
    decide(work_as, trader_id, "remove", effective_from=NOON + 3 * DAY)
    page = look(trader_id)
    assert "Validated, tier 3" in page
    assert "3: Validated, exceeding" in page
    assert "Importer of record number: 12-345678900" in page
    assert "Seals were missing" not in page
    assert "There was a security incident in your supply chain." in page
    assert "As found at the visit." in page
    restrictions, _, benefits = page.partition("<h3>Benefits</h3>")
    assert "Front of the line" in restrictions
    assert "Front of the line" not in benefits
    for code in PROGRAMMES["security"].benefits_of(3):
        if code != "front-of-line":
            assert PROGRAMMES["security"].benefit(code).name in benefits
    assert "1 benefit is withheld for now." in page
    assert "From 27 November 2026, 12:00 UTC this changes to: Removed." in page
    assert "Whose turn</span> Nobody's for now" in page
    assert "Appeal against this: by" in page
    assert "Anchor &amp; Sons" in page


def test_a_suspended_partner_reads_whose_turn_it_is_and_until_when(work_as, look, clock):
    trader_id = make_partner(work_as, tier=2)
    clock.advance(DAY)
    suspend_urgently(work_as, trader_id)
    page = look(trader_id)
    assert "Whose turn</span> Yours" in page
    assert "No benefits apply for now." in page
    assert "None while this standing lasts." in page
    assert "you return to tier 2 (Validated)" in page
    assert "Answer the agency: by" in page
    assert "23 February 2027" in page
    clock.advance(100 * DAY)
    assert "the time ended on" in look(trader_id)


def test_a_trader_without_a_standing_reads_that(work_as, look):
    page = look(make_trader(work_as))
    assert "You have no standing in this programme" in page


def test_a_stranger_sees_the_same_as_for_an_absent_trader(work_as, look):
    own, foreign, absent = make_trader(work_as), make_partner(work_as, name="Secret & Co"), new_id()
    pages = []
    for trader_id in (foreign, absent):
        page = look(trader_id, viewer_at=own, status=404)
        _, _, rest = page.partition("<main")
        pages.append(rest.partition("</main>")[0].replace(str(trader_id), ""))
        assert "Secret" not in page
    assert "There is nothing here" in pages[0]
    # Only the number of the request, which a person can quote, differs.
    first, second = (re.sub(r"[0-9a-f]{32}", "", one) for one in pages)
    assert first == second


def test_a_long_history_takes_as_many_statements_as_a_short_one(work_as, engine, clock):
    short, long = make_partner(work_as), make_partner(work_as)
    for move in ("suspend", "reinstate", "suspend"):
        clock.advance(DAY)
        decide(work_as, long, move)
    counts = []
    for trader_id in (short, long):
        with transaction(engine, Principal("system:test"), read_only=True) as session:
            session.connection()
            with statements(engine) as seen:
                described(session, trader_id, at=clock.now())
            counts.append(len(seen))
    assert counts == [2, 2]
