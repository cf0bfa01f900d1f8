"""Both sides' officers hear of every change of a delegation, and nobody else does."""

import pytest
from sqlalchemy import select

from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.delegations import service
from app.delegations.letters import TOLD
from app.delegations.models import Delegation
from app.delegations.workflow import DELEGATION, Side
from app.notifications.models import Message
from app.reactions import REACTIONS
from app.traders.models import Trader
from tests.factories.delegations import make_pair, offer
from tests.factories.identity import make_person
from tests.factories.traders import acting, appoint_person

SYSTEM = system_actor("test")


@pytest.fixture
def pair(work_as):
    with work_as(SYSTEM) as work:
        made = make_pair(work)
        clerk = make_person(work, name="Clerk")
        trader = work.session.get_one(Trader, made.trader_id)
        appoint_person(work, trader, made.officer, clerk, TraderRole.PREPARER)
    return made


@pytest.fixture
def told(work_as, run_jobs):
    """Who was written to since the last time, with the subject of each letter."""
    seen = set()

    def read() -> set[tuple[str, str]]:
        run_jobs()
        with work_as(SYSTEM) as work:
            new = [
                one
                for one in work.session.scalars(
                    select(Message).where(Message.template == "delegation")
                )
                if one.id not in seen
            ]
            seen.update(one.id for one in new)
            return {(one.recipient, one.subject.split(":")[0]) for one in new}

    return read


def test_every_change_is_told_once_to_the_officers_of_both(pair, work_as, told):
    officers = (pair.officer.email, pair.broker_officer.email)
    with work_as(SYSTEM) as work:
        delegation_id = offer(work, pair).id
    assert told() == {(one, "A delegation was offered") for one in officers}
    with work_as(SYSTEM) as work:
        letter = work.session.scalars(select(Message.body).where(Message.template == "delegation"))
        assert "See the standing; Prepare applications; Answer the agency" in letter.first()
    with work_as(SYSTEM) as work:
        service.accept(
            acting(work, pair.broker_officer),
            work.session.get_one(Delegation, delegation_id),
            by=work.session.get_one(Trader, pair.broker_id),
        )
    assert told() == {(one, "A delegation is agreed") for one in officers}
    with work_as(SYSTEM) as work:
        service.revoke(
            acting(work, pair.officer),
            work.session.get_one(Delegation, delegation_id),
            by=work.session.get_one(Trader, pair.trader_id),
        )
    assert told() == {(one, "A delegation has ended") for one in officers}
    assert told() == set()


def test_a_broker_learns_nothing_from_asking(pair, work_as, told):
    with work_as(SYSTEM) as work:
        service.propose(
            acting(work, pair.broker_officer),
            work.session.get_one(Trader, pair.trader_id),
            work.session.get_one(Trader, pair.broker_id),
            key=work.new_id(),
            side=Side.BROKER,
            scopes={DelegationScope.STATUS},
            first_day=work.now.date(),
            last_day=work.now.date(),
        )
    assert told() == {(pair.officer.email, "A broker asks to act for you")}


def test_what_is_taken_back_is_told_to_nobody(pair, work_as, told):
    with work_as(SYSTEM) as work:
        offer(work, pair)
        work.session.rollback()
    assert told() == set()


def test_every_event_has_its_words():
    moves = {one.event for one in DELEGATION.transitions}
    assert moves <= set(TOLD)
    assert set(TOLD) <= set(REACTIONS)
