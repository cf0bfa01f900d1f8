"""A delegation limited to named sites: filing alone, by the ship-to party, whoever asks and in SQL."""

import json
from datetime import timedelta

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.advance_data.models import Filing, FilingFault
from app.advance_data.service.sites import ship_to
from app.audit.models import AuditEvent
from app.authz.actor import DelegationScope
from app.delegations import letters, service
from app.delegations.models import Delegation
from app.delegations.workflow import Side
from app.kernel.errors import NotReadyError
from app.notifications.models import Message
from app.traders.models import Trader
from app.work import Work
from tests.advance_data.sample_rows import good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import broker_actor, make_pair
from tests.factories.documents import make_document
from tests.factories.traders import acting, add_site

S = DelegationScope
CARSON, DENVER = "Carson warehouse", "Denver dock"


@pytest.fixture
def pair(work):
    return make_pair(work)


@pytest.fixture
def limit(work, pair):
    """Offer it for these sites, and accept."""

    def make(*sites, scopes=(S.SUBMIT,), side=Side.TRADER):
        own = acting(work, pair.officer)
        found = service.propose(
            own,
            work.session.get_one(Trader, pair.trader_id),
            work.session.get_one(Trader, pair.broker_id),
            key=work.new_id(),
            side=side,
            scopes=scopes,
            first_day=work.now.date(),
            last_day=work.now.date() + timedelta(days=30),
            sites=[one.id for one in sites],
            authority=make_document(own, pair.trader_id, filename="authority.pdf"),
        )
        broker = work.session.get_one(Trader, pair.broker_id)
        service.accept(acting(work, pair.broker_officer), found, by=broker)
        work.session.flush()
        return found

    return make


@pytest.fixture
def carson(work, pair):
    return add_site(
        acting(work, pair.officer), work.session.get_one(Trader, pair.trader_id), CARSON
    )


def by_broker(work, pair):
    return Work(work.session, broker_actor(work, pair.broker_officer), work.now)


def file(work, pair, *rows, as_client=False):
    by = acting(work, pair.officer) if as_client else by_broker(work, pair)
    return make_batch(by, work.session.get_one(Trader, pair.trader_id), rows)


def row(ship_to_name, reference="PO-1", **changes):
    return good_row(filing_ref=reference, ship_to_name=ship_to_name, **changes)


def faults(work, batch):
    return work.session.execute(
        select(FilingFault.field, FilingFault.code).where(FilingFault.batch_id == batch.id)
    ).all()


def test_only_filings_for_the_named_sites_are_taken(work, pair, limit, carson):
    limit(carson)
    taken = file(work, pair, row("  carson   WAREHOUSE"))
    assert (taken.accepted, taken.rejected) == (1, 0)
    refused = file(work, pair, row(DENVER, "PO-2"))
    assert (refused.accepted, refused.rejected) == (0, 1)
    assert faults(work, refused) == [("ship_to_name", "AUTHORITY")]
    # The client itself is not limited by what it lets others do.
    assert file(work, pair, row(DENVER, "PO-3"), as_client=True).accepted == 1


def test_without_a_limit_nothing_is_asked(work, pair, limit):
    limit()
    assert file(work, pair, row(DENVER)).accepted == 1


def test_a_filing_is_moved_neither_out_of_the_limit_nor_into_it(work, pair, limit, carson):
    wide = limit()
    assert file(work, pair, row(DENVER, "PO-D"), row(CARSON, "PO-C")).accepted == 2
    service.revoke(
        acting(work, pair.officer), wide, by=work.session.get_one(Trader, pair.trader_id)
    )
    work.session.flush()
    limit(carson)
    for changes in ({"action": "R"}, {"action": "D"}):
        assert file(work, pair, row(CARSON, "PO-D", **changes)).accepted == 0
    assert file(work, pair, row(DENVER, "PO-C", action="R")).accepted == 0
    assert file(work, pair, row(CARSON, "PO-C", action="R")).accepted == 1
    assert file(work, pair, row(CARSON, "PO-C", action="D")).accepted == 1


def test_the_database_refuses_it_as_well(work, pair, limit, carson, monkeypatch):
    """With the rule of the application taken away."""
    limit(carson)
    monkeypatch.setattr("app.advance_data.service.filing.limit_of", lambda *_: None)
    assert file(work, pair, row(CARSON)).accepted == 1
    # What is copied in bulk is refused by the driver itself.
    with pytest.raises(InsufficientPrivilege, match="does not reach this site"):
        file(work, pair, row(DENVER, "PO-2"))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"ship_to_name": " Carson  Warehouse "}, {"carson warehouse"}),
        ({"parties": [{"entity": "ST", "name": "A"}, {"entity": "SE", "name": "B"}]}, {"a"}),
        ({"parties": [{"entity": "ST", "id": "12-3456789"}]}, {""}),
        ({"filing_ref": "PO-1"}, set()),
    ],
)
def test_sql_and_python_read_the_same_parties(work, content, named):
    assert ship_to(content) == named
    in_sql = work.session.scalar(
        text("SELECT fairway_ship_to(CAST(:content AS jsonb))"),
        {"content": json.dumps(content)},
    )
    assert set(in_sql) == named


def test_everything_but_filing_concerns_the_whole_company(work, limit, carson):
    with pytest.raises(NotReadyError, match="Only filing"):
        limit(carson, scopes=(S.SUBMIT, S.STATUS))


def test_another_companys_site_is_none(work, limit, pair):
    other = make_pair(work, number="91-114444201", name="Other")
    foreign = add_site(
        acting(work, other.officer), work.session.get_one(Trader, other.trader_id), DENVER
    )
    with pytest.raises(NotReadyError, match="sites of the company"):
        limit(foreign)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE delegation SET sites = '{}', site_names = '{}'", "not changed"),
        ("UPDATE delegation SET site_names = ARRAY['Denver dock']", "not changed"),
        ("UPDATE filing SET trader_id = trader_id", "permission denied"),
    ],
)
def test_what_was_agreed_stays(work, limit, carson, statement, why):
    limit(carson)
    with pytest.raises(DBAPIError, match=why):
        work.session.execute(text(statement))


def test_the_sites_stand_in_the_event_and_in_the_letter(work, limit, carson, settings):
    found = limit(carson)
    events = work.session.scalars(select(AuditEvent).where(AuditEvent.subject_id == found.id)).all()
    assert [one.data["sites"] for one in events] == [[str(carson.id)]] * 2
    letters.tell(work, work.session.get_one(Delegation, found.id), "delegation:accepted")
    bodies = [
        one.body for one in work.session.scalars(select(Message)) if one.template == "delegation"
    ]
    assert len(bodies) == 2
    assert all(f"Sites: {CARSON}" in one for one in bodies)
    # Each side gets the address at which it finds the delegation.
    for side in (found.trader_id, found.broker_id):
        address = f"{settings.address}/traders/{side}/delegations/{found.id}"
        assert [address in one for one in bodies].count(True) == 1
    assert work.session.scalars(select(Filing)).all() == []
