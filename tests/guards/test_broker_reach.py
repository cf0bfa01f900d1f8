"""A broker's people at a client's addresses: each scope opens its own pages and no other.

There is one broker for each scope, and one whose delegation is over. Every route of the
application's own map is asked, so that a new page of a trader's stays closed to brokers until
somebody has opened it in the policy and here.
"""

import re
import uuid
from dataclasses import dataclass

import pytest

from app.advance_data import queries as advance_data
from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.delegations import service
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.work import Work
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import Pair, broker_actor, delegate
from tests.factories.identity import make_person
from tests.factories.traders import acting, appoint_person, make_trader
from tests.guards.addresses import Cell, absent, cells
from tests.guards.scene import CANARY, NUMBERS, Ids, Visitor, browser, work_as_on
from tests.guards.test_every_page import GOES_ON, ONLY_RETURNED
from tests.guards.test_tenancy import refusals

pytestmark = pytest.mark.usefixtures("silent_logs", "ledger")

S = DelegationScope
OPENS = {
    S.PREPARE: {"application:view", "application:prepare", "comment:share", "document:read"},
    S.RESPOND: {"application:view", "application:respond", "document:read"},
    S.STATUS: {"standing:view"},
    S.SUBMIT: {"filing:view", "filing:submit"},
    S.DATA: {"filing:view"},
}
"""What each scope opens to an officer of the broker."""
NOBODYS = {"delegation:view", "delegation:grant", "trader:edit", "people:appoint", "trader:view"}
OVER = "over"
PROOFS = {"advance_data.receipt_file", "register.receipt_file"}
"""Of events that no broker took part in: the database shows them to the trader alone. What
the one broker filed is not sealed yet, which it is told (409)."""


@dataclass
class Broker:
    """One broker; `clerk` is its officer's browser, `adviser` that of its outside adviser.

    `ids` are the client's, and of what came through this broker where it filed something.
    """

    clerk: Visitor
    adviser: Visitor
    ids: Ids
    name: str


@pytest.fixture(scope="module")
def brokers(site, scene, _engine, _clock):
    """By scope, and `OVER`."""
    begin, found = work_as_on(_engine, _clock), {}
    client_id = uuid.UUID(scene.a["trader_id"])
    for scope in [*S, OVER]:
        with begin(system_actor("test")) as work:
            officer, adviser = make_person(work), make_person(work)
            name = f"{str(scope).title()} Brokers"
            broker = make_trader(work, officer, name=name, entity_type=EntityType.BROKER)
            appoint_person(work, broker, officer, adviser, TraderRole.CONSULTANT)
            pair = Pair(client_id, broker.id, scene.people["a officer"], officer)
            live = delegate(work, pair, {scope} if scope in OPENS else set(S))
            ids = dict(scene.a)
            if scope is S.SUBMIT:
                ids |= filed(work, pair)
            if scope == OVER:
                service.revoke(acting(work, officer), live, by=broker)
        found[scope] = Broker(browser(site, officer), browser(site, adviser), ids, name)
    return found


def filed(work: Work, pair: Pair) -> Ids:
    """A batch and its filing that the broker has sent for the client."""
    own = Work(work.session, broker_actor(work, pair.broker_officer), work.now)
    row = good_row(filing_ref="OURS", importer_number=NUMBERS[CANARY])
    refused = {**row, "filing_ref": "REFUSED", "hts": "x"}
    rows = csv_bytes([row, refused])
    batch = make_batch(own, work.session.get_one(Trader, pair.trader_id), rows)
    work.session.flush()
    (filing,) = own.session.scalars(advance_data.filings_of(own, pair.trader_id)).all()
    return {"batch_id": str(batch.id), "filing_id": str(filing.id)}


def of_the_client(site) -> list[Cell]:
    """Every address of a trader's matters; those of a person's own are nobody else's anyway."""
    own = {"signed-in", "trader:register", "factor:enrol", "sign-in:go-on", "demo:use", "public"}
    found = [one for one in cells(site, "trader") if one.permission not in own]
    assert {one.permission for one in found} >= NOBODYS.union(*OPENS.values())
    return found


@pytest.mark.parametrize("scope", list(S))
def test_a_scope_opens_its_own_pages(site, scene, brokers, scope):
    broker, wrong = brokers[scope], []
    for cell in of_the_client(site):
        if cell.permission not in OPENS[scope] or cell.method != "GET":
            continue
        if cell.rule.endpoint in ONLY_RETURNED:
            continue
        answer = broker.clerk.client.get(cell.address(broker.ids))
        wanted = 303 if cell.rule.endpoint in GOES_ON else 200
        if cell.rule.endpoint in PROOFS:
            wanted = 409 if scope is S.SUBMIT else 404
        if answer.status_code != wanted:
            wrong.append(f"{cell}: {answer.status}")
        elif answer.mimetype == "text/html" and wanted == 200:
            words = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
            if f"Acting for: {CANARY} Imports LLC as {broker.name}" not in words:
                wrong.append(f"{cell}: does not say for whom")
        answer.close()
    assert wrong == []


@pytest.mark.parametrize("scope", [*S, OVER])
def test_everything_else_is_as_if_it_were_not_there(site, scene, brokers, scope):
    opens = OPENS.get(scope, set())
    asked = [one for one in of_the_client(site) if one.permission not in opens]
    never = absent(scene.a)
    assert refusals(brokers[scope].clerk, asked, scene.a, never) == []
    returned = [one for one in asked if one.rule.arguments & {"application_id", "assessment_id"}]
    assert refusals(brokers[scope].clerk, returned, scene.a_returned, never) == []


def test_what_came_through_others_is_absent_to_who_only_files(site, scene, brokers):
    asked = [one for one in of_the_client(site) if one.rule.arguments & {"batch_id", "filing_id"}]
    assert asked
    client = {"trader_id": scene.a["trader_id"]}
    never = {**absent(scene.a), **client}
    assert refusals(brokers[S.SUBMIT].clerk, asked, scene.a, never) == []


@pytest.mark.parametrize("scope", list(S))
def test_an_outside_adviser_of_the_broker_reaches_no_client(site, scene, brokers, scope):
    wrong = []
    for cell in of_the_client(site):
        answer = brokers[scope].adviser.ask(cell.method, cell.address(scene.a))
        if answer.status_code not in {403, 404} or CANARY in answer.text:
            wrong.append(f"{cell}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize("scope", [*S, OVER])
def test_the_first_page_names_the_client_to_those_who_act_for_it_now(brokers, scope):
    page = brokers[scope].clerk.client.get("/", follow_redirects=True)
    assert (f"{CANARY} Imports LLC" in page.text) is (scope != OVER)
