"""Lists ask the same question as single rows: no broker sees another's work for one client."""

from dataclasses import replace

import pytest

from app.advance_data import queries
from app.authz.actor import DelegationScope, system_actor
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.work import Work
from tests.advance_data.sample_rows import good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.identity import make_person
from tests.factories.traders import acting, make_trader

SYSTEM = system_actor("test")
S = DelegationScope


@pytest.fixture
def work(work_as):
    with work_as(SYSTEM) as opened:
        yield opened


def other_broker(work, pair):
    """Another broker of the same client."""
    officer = make_person(work)
    broker = make_trader(work, officer, name="Rival Brokers", entity_type=EntityType.BROKER)
    return replace(pair, broker_id=broker.id, broker_officer=officer)


def as_broker(work, pair):
    return Work(work.session, broker_actor(work, pair.broker_officer), work.now)


def references(mine, trader_id):
    batches = mine.session.scalars(queries.batches_of(mine, trader_id)).all()
    filings = mine.session.scalars(queries.filings_of(mine, trader_id)).all()
    assert queries.quality_of(mine, trader_id).batches == len(batches)
    assert {one.batch_id for one in filings} == {one.id for one in batches}
    return {one.filing_ref for one in filings}


@pytest.mark.parametrize(
    ("scopes", "sees"),
    [
        ((S.SUBMIT,), {"OURS"}),
        ((S.SUBMIT, S.DATA), {"OURS", "THEIRS", "THE-CLIENTS"}),
        ((S.STATUS, S.PREPARE), set()),
    ],
)
def test_a_broker_lists_what_its_scopes_name(work, scopes, sees):
    pair = make_pair(work)
    rival = other_broker(work, pair)
    for one, named in ((pair, {S.SUBMIT}), (rival, {S.SUBMIT})):
        delegate(work, one, named)
    trader = work.session.get_one(Trader, pair.trader_id)
    make_batch(as_broker(work, pair), trader, [good_row(filing_ref="OURS")])
    make_batch(as_broker(work, rival), trader, [good_row(filing_ref="THEIRS")])
    make_batch(acting(work, pair.officer), trader, [good_row(filing_ref="THE-CLIENTS")])
    mine = as_broker(work, pair)
    [grant] = mine.actor.grants.values()
    grant = replace(grant, scopes=frozenset(scopes))
    mine.actor = replace(mine.actor, grants={pair.trader_id: grant})
    assert references(mine, pair.trader_id) == sees
    own = acting(work, pair.officer)
    assert references(own, pair.trader_id) == {"OURS", "THEIRS", "THE-CLIENTS"}


def test_the_history_of_a_reference_hides_what_came_through_others(work):
    pair = make_pair(work)
    rival = other_broker(work, pair)
    delegate(work, pair, {S.SUBMIT})
    delegate(work, rival, {S.SUBMIT})
    trader = work.session.get_one(Trader, pair.trader_id)
    make_batch(as_broker(work, pair), trader, [good_row(filing_ref="SHARED")])
    make_batch(acting(work, pair.officer), trader, [good_row(filing_ref="SHARED", action="R")])
    make_batch(as_broker(work, rival), trader, [good_row(filing_ref="THEIRS")])
    mine = as_broker(work, pair)
    [filing] = mine.session.scalars(queries.filings_of(mine, pair.trader_id)).all()
    assert [one.id for one, _ in queries.history_of(mine, filing)] == [filing.id]
    own = acting(work, pair.officer)
    assert len(queries.history_of(own, filing)) == 2
