"""A broker replaces and deletes what it filed itself, and nothing that came through others."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.advance_data.models import Filing, FilingFault
from app.authz.actor import DelegationScope
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.work import Work
from tests.advance_data.sample_rows import good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.identity import make_person
from tests.factories.traders import acting, make_trader

S = DelegationScope
UNKNOWN = "There is no filing with this reference to replace or delete."


@pytest.fixture
def pair(work):
    return make_pair(work)


@pytest.fixture
def file(work, pair):
    """File one row as the client's officer, its broker or another broker; gives the batch."""
    officer = make_person(work)
    other = make_trader(work, officer, name="Rival Brokers", entity_type=EntityType.BROKER)
    rival = replace(pair, broker_id=other.id, broker_officer=officer)
    for one in (pair, rival):
        delegate(work, one, {S.SUBMIT, S.DATA})
    trader = work.session.get_one(Trader, pair.trader_id)
    by = {
        "client": acting(work, pair.officer),
        "broker": Work(work.session, broker_actor(work, pair.broker_officer), work.now),
        "rival": Work(work.session, broker_actor(work, officer), work.now),
    }

    def send(who, *rows):
        return make_batch(by[who], trader, rows)

    return send


def add(reference="PO-1"):
    return good_row(filing_ref=reference)


def change(action, reference="PO-1"):
    return good_row(filing_ref=reference, action=action)


def messages(work, batch):
    return work.session.scalars(
        select(FilingFault.message).where(FilingFault.batch_id == batch.id)
    ).all()


@pytest.mark.parametrize("action", ["R", "D"])
@pytest.mark.parametrize("owner", ["client", "rival"])
def test_what_came_through_others_is_as_if_it_had_never_been(work, file, action, owner):
    file(owner, add())
    refused = file("broker", change(action))
    assert (refused.accepted, refused.rejected) == (0, 1)
    assert messages(work, refused) == [UNKNOWN]
    # The very answer to a reference that nobody ever used.
    assert messages(work, file("broker", change(action, "NEVER"))) == [UNKNOWN]
    assert len(work.session.scalars(select(Filing)).all()) == 1


@pytest.mark.parametrize("action", ["R", "D"])
def test_its_own_it_may_and_the_client_may_all(file, action):
    assert file("broker", add(), change(action)).accepted == 2
    assert file("broker", add("PO-2")).accepted == 1
    assert file("broker", change(action, "PO-2")).accepted == 1
    for number, owner in enumerate(("client", "broker", "rival"), 3):
        file(owner, add(f"PO-{number}"))
        assert file("client", change(action, f"PO-{number}")).accepted == 1


def test_what_the_client_has_replaced_is_the_clients(file):
    file("broker", add())
    file("client", change("R"))
    assert file("broker", change("R")).accepted == 0
    # A reference that the client deleted is free for whoever files next.
    file("client", change("D"))
    assert file("rival", add()).accepted == 1
    assert file("broker", change("D")).accepted == 0
    assert file("rival", change("D")).accepted == 1
