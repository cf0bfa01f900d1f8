"""Nothing is written under a delegation once its revocation was acknowledged."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.advance_data.models import Filing
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import Actor, DelegationScope, system_actor
from app.delegations import service
from app.delegations.models import Delegation
from app.delegations.workflow import Side
from app.documents.models import DocumentRevision
from app.kernel.errors import NotAllowedError
from app.traders.models import Trader
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.traders import acting

RACES = 1000


@pytest.fixture
def pair(work_as):
    with work_as(system_actor("test")) as work:
        found = make_pair(work)
        delegate(work, found, {DelegationScope.SUBMIT, DelegationScope.DATA})
    return found


def as_broker(work, pair):
    return replace(work, actor=broker_actor(work, pair.broker_officer))


def test_an_event_names_actor_principal_and_delegation(work, pair):
    own = as_broker(work, pair)
    trader = work.session.get_one(Trader, pair.trader_id)
    event = own.record(EventTag.BATCH_RECEIVED, trader, trader_id=trader.id)
    (grant,) = own.actor.grants.values()
    assert event.person_id == pair.broker_officer.id
    assert (event.trader_id, event.acting_trader_id) == (pair.trader_id, pair.broker_id)
    assert event.delegation_id == grant.delegation_id


def test_an_own_act_names_no_delegation(work, pair):
    own = as_broker(work, pair)
    broker = work.session.get_one(Trader, pair.broker_id)
    event = own.record(EventTag.TRADER_PROFILE_CHANGED, broker)
    assert (event.acting_trader_id, event.delegation_id) == (None, None)


def test_a_revocation_between_page_and_form_refuses_with_words(work, pair):
    own = as_broker(work, pair)
    found = work.session.scalars(select(Delegation)).one()
    trader = work.session.get_one(Trader, pair.trader_id)
    service.revoke(acting(work, pair.officer), found, by=trader)
    with pytest.raises(NotAllowedError) as refusal:
        own.record(EventTag.BATCH_RECEIVED, trader, trader_id=trader.id)
    assert refusal.value.params == {"trader": "Sound Imports LLC", "broker": "Sound Brokers"}


def test_a_batch_of_a_broker_is_filed_with_the_numbers_of_its_client(work, pair):
    own = as_broker(work, pair)
    trader = work.session.get_one(Trader, pair.trader_id)
    batch = make_batch(own, trader, csv_bytes([good_row(importer_number="12-345678900")]))
    assert (batch.accepted, batch.rejected) == (1, 0)
    assert batch.acting_trader_id == pair.broker_id
    filing = work.session.scalars(select(Filing)).one()
    assert filing.acting_trader_id == pair.broker_id


def writes(work, delegation_id) -> int:
    return work.session.execute(
        select(func.count())
        .select_from(AuditEvent)
        .where(AuditEvent.delegation_id == delegation_id, AuditEvent.subject_kind == "trader")
    ).scalar_one()


def begin(work_as, pair) -> tuple[UUID, Actor]:
    """A new delegation in force, and the broker's officer as a request under it knows them."""
    with work_as(system_actor("test")) as work:
        earlier = work.session.scalars(select(Delegation).limit(1)).one()
        broker = work.session.get_one(Trader, pair.broker_id)
        today = work.now.date()
        found = service.propose(
            acting(work, pair.officer),
            work.session.get_one(Trader, pair.trader_id),
            broker,
            key=work.new_id(),
            side=Side.TRADER,
            scopes={DelegationScope.SUBMIT},
            first_day=today,
            last_day=today,
            authority=work.session.get_one(DocumentRevision, earlier.authority_revision_id),
        )
        service.accept(acting(work, pair.broker_officer), found, by=broker)
        work.session.flush()
        return found.id, broker_actor(work, pair.broker_officer)


def end(work_as, pair, delegation_id) -> None:
    with work_as(system_actor("test")) as work:
        found = work.session.get_one(Delegation, delegation_id)
        trader = work.session.get_one(Trader, pair.trader_id)
        service.revoke(acting(work, pair.officer), found, by=trader)


def written(work_as, delegation_id) -> int:
    with work_as(system_actor("test")) as work:
        return writes(work, delegation_id)


def test_no_write_follows_an_acknowledged_revocation(work_as, pair):
    """Two of the broker's write on and on with what they knew when they began; the trader revokes.

    What was written when the revocation had been acknowledged is all that is ever written.
    """
    late = before = refused = 0
    with work_as(system_actor("test")) as work:
        first = work.session.scalars(select(Delegation.id)).one()
        trader = work.session.get_one(Trader, pair.trader_id)
    end(work_as, pair, first)

    def write(gate: threading.Barrier, actor: Actor) -> int:
        gate.wait()
        for _ in range(20):
            try:
                with work_as(actor) as mine:
                    mine.record(EventTag.BATCH_RECEIVED, trader)
            except NotAllowedError:
                return 1
        return 0

    def revoke(gate: threading.Barrier, delegation_id: UUID, pause: float) -> int:
        gate.wait()
        sleep(pause)
        end(work_as, pair, delegation_id)
        return written(work_as, delegation_id)

    with ThreadPoolExecutor(max_workers=3) as threads:
        for number in range(RACES):
            delegation_id, actor = begin(work_as, pair)
            gate = threading.Barrier(3)
            writers = [threads.submit(write, gate, actor) for _ in range(2)]
            known = threads.submit(revoke, gate, delegation_id, number % 9 / 2000).result()
            refused += sum(one.result() for one in writers)
            before += known
            late += written(work_as, delegation_id) - known
    assert late == 0
    # The races were races: some writes came before, and the revocation stopped writers at work.
    assert before
    assert refused
