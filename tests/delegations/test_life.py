"""Both sides consent, either ends it, and dates, persons and pairs are held to by the database."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.audit.models import AuditEvent
from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.delegations import queries, service
from app.delegations.workflow import DelegationState, Side
from app.kernel.errors import ConflictError, NotAllowedError, NotFoundError, NotReadyError
from app.traders.models import Trader
from tests.factories.delegations import broker_actor, delegate, make_pair, offer
from tests.factories.identity import make_person
from tests.factories.traders import acting, appoint_person

S = DelegationScope


@pytest.fixture
def pair(work_as):
    with work_as(system_actor("test")) as work:
        return make_pair(work)


def grants(work, pair, person=None):
    return broker_actor(work, person or pair.broker_officer).grants


def test_an_offer_gives_nothing_and_consent_gives_what_it_names(work, pair):
    found = offer(work, pair, {S.SUBMIT})
    assert grants(work, pair) == {}
    broker = work.session.get_one(Trader, pair.broker_id)
    service.accept(acting(work, pair.broker_officer), found, by=broker)
    work.session.flush()
    (grant,) = grants(work, pair).values()
    assert (grant.trader_id, grant.delegation_id) == (pair.trader_id, found.id)
    assert grant.scopes == {S.SUBMIT}


def test_the_proposing_side_cannot_consent_for_the_other(work, pair):
    found = offer(work, pair)
    trader = work.session.get_one(Trader, pair.trader_id)
    with pytest.raises(NotAllowedError):
        service.accept(acting(work, pair.officer), found, by=trader)


def test_one_person_cannot_consent_for_both_sides(work, pair):
    broker = work.session.get_one(Trader, pair.broker_id)
    appoint_person(work, broker, pair.broker_officer, pair.officer, TraderRole.OFFICER)
    found = offer(work, pair)
    with pytest.raises(NotAllowedError):
        service.accept(acting(work, pair.officer), found, by=broker)
    with pytest.raises(IntegrityError, match="ck_delegation_consent"), work.session.begin_nested():
        work.session.execute(
            text(
                "UPDATE delegation SET state = 'active', accepted_at = now(),"
                " accepted_by = proposed_by"
            )
        )


def test_an_offer_needs_the_authority_document(work, pair):
    trader = work.session.get_one(Trader, pair.trader_id)
    broker = work.session.get_one(Trader, pair.broker_id)
    today = work.now.date()
    with pytest.raises(NotReadyError) as refusal:
        service.propose(
            acting(work, pair.officer),
            broker,
            trader,
            key=work.new_id(),
            side=Side.TRADER,
            scopes=(),
            first_day=today,
            last_day=today - timedelta(days=1),
        )
    assert [one.field for one in refusal.value.problems] == [
        "broker",
        "scopes",
        "last_day",
        "authority",
    ]


def test_what_a_broker_asked_for_is_not_told_before_the_trader_consents(work, pair):
    trader = work.session.get_one(Trader, pair.trader_id)
    broker = work.session.get_one(Trader, pair.broker_id)
    own, today = acting(work, pair.broker_officer), work.now.date()
    found = service.propose(
        own,
        trader,
        broker,
        key=work.new_id(),
        side=Side.BROKER,
        scopes={S.STATUS},
        first_day=today,
        last_day=today,
    )
    with pytest.raises(NotFoundError):
        queries.visible_delegation(own, broker, found.id)
    assert queries.visible_delegation(work, trader, found.id) is found
    with pytest.raises(NotReadyError):
        service.accept(acting(work, pair.officer), found, by=trader)


def test_a_delegation_of_others_is_absent(work, pair):
    found = delegate(work, pair)
    other = make_pair(work, number="91-114444201", name="Narrows")
    for trader_id in (other.trader_id, other.broker_id):
        trader = work.session.get_one(Trader, trader_id)
        with pytest.raises(NotFoundError):
            queries.visible_delegation(work, trader, found.id)


@pytest.mark.parametrize("side", Side)
def test_either_side_revokes_at_once_and_twice_is_once(work, pair, side):
    found = delegate(work, pair)
    person, trader_id = {
        Side.TRADER: (pair.officer, pair.trader_id),
        Side.BROKER: (pair.broker_officer, pair.broker_id),
    }[side]
    by = work.session.get_one(Trader, trader_id)
    own = acting(work, person)
    service.revoke(own, found, by=by)
    service.revoke(own, found, by=by)
    assert (found.state, found.ended_side) == (DelegationState.REVOKED, side)
    assert grants(work, pair) == {}
    events = work.session.scalars(
        select(AuditEvent).where(AuditEvent.tag == "delegation:revoked")
    ).all()
    assert [
        (one.person_id, one.trader_id, one.acting_trader_id, one.delegation_id) for one in events
    ] == [(person.id, pair.trader_id, pair.broker_id, found.id)]
    with pytest.raises(ConflictError):
        service.accept(acting(work, pair.broker_officer), found, by=by) if (
            side is Side.BROKER
        ) else service.decline(own, found, by=by)


def test_it_begins_and_ends_to_the_second(work, pair):
    found = offer(work, pair, days=1, in_days=1)
    broker = work.session.get_one(Trader, pair.broker_id)
    service.accept(acting(work, pair.broker_officer), found, by=broker)
    work.session.flush()
    second = timedelta(seconds=1)
    roles = {pair.broker_id: TraderRole.OFFICER}
    seen = [
        len(queries.grants_of(work.session, roles, at))
        for at in (
            found.valid_from - second,
            found.valid_from,
            found.valid_until - second,
            found.valid_until,
            found.valid_until + second,
        )
    ]
    assert seen == [0, 1, 1, 0, 0]


def test_two_of_one_pair_never_overlap(work, pair):
    delegate(work, pair)
    second = offer(work, pair)
    broker = work.session.get_one(Trader, pair.broker_id)
    own = acting(work, pair.broker_officer)
    with pytest.raises(ConflictError):
        service.accept(own, second, by=broker)
    with pytest.raises(IntegrityError, match="one_at_a_time"), work.session.begin_nested():
        work.session.execute(
            text(
                "UPDATE delegation SET state = 'active', accepted_at = now(), accepted_by = :who"
                " WHERE id = :id"
            ),
            {"who": pair.broker_officer.id, "id": second.id},
        )


def test_it_is_not_handed_on(work, pair):
    """A consultant of the broker's, and a broker of the broker's, reach none of its clients."""
    delegate(work, pair)
    broker = work.session.get_one(Trader, pair.broker_id)
    adviser = make_person(work)
    appoint_person(work, broker, pair.broker_officer, adviser, TraderRole.CONSULTANT)
    assert grants(work, pair, adviser) == {}
    third = make_pair(work, number="91-114444201", name="Narrows")
    roles = {third.broker_id: TraderRole.OFFICER, third.trader_id: TraderRole.OFFICER}
    assert queries.grants_of(work.session, roles, work.now) == {}


def test_a_client_reached_through_two_brokers_is_reached_through_none(work, pair):
    delegate(work, pair)
    other = make_pair(work, number="91-114444201", name="Narrows")
    twice = type(pair)(pair.trader_id, other.broker_id, pair.officer, other.broker_officer)
    delegate(work, twice)
    both = {pair.broker_id: TraderRole.OFFICER, other.broker_id: TraderRole.OFFICER}
    assert queries.grants_of(work.session, both, work.now) == {}
    assert len(queries.grants_of(work.session, {pair.broker_id: None}, work.now)) == 1


def test_a_role_of_ones_own_comes_before_a_delegation(work, pair):
    delegate(work, pair)
    trader = work.session.get_one(Trader, pair.trader_id)
    appoint_person(work, trader, pair.officer, pair.broker_officer, TraderRole.VIEWER)
    actor = broker_actor(work, pair.broker_officer)
    assert actor.grants == {}
    assert actor.appointments[pair.trader_id] is TraderRole.VIEWER


def test_the_database_itself_refuses_an_event_under_a_dead_delegation(work, pair):
    found = delegate(work, pair)
    service.revoke(
        acting(work, pair.officer), found, by=work.session.get_one(Trader, pair.trader_id)
    )
    work.session.flush()
    event = AuditEvent(
        id=work.new_id(),
        at=work.now,
        tag="batch:received",
        actor_kind="person",
        actor_name="",
        trader_id=pair.trader_id,
        acting_trader_id=pair.broker_id,
        delegation_id=found.id,
        subject_kind="batch",
        subject_id=work.new_id(),
        request_id="",
        data={},
    )
    with pytest.raises(DBAPIError, match="not in force"), work.session.begin_nested():
        work.session.add(event)
