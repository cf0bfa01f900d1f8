"""A list of three rows asks the database as often as a list of one."""

from collections import defaultdict
from dataclasses import replace

from app.applications import service as applications
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.identity.service import create_client
from app.kernel.identifiers import Scheme
from app.traders import service as traders
from app.traders.models import Trader
from app.work import Work
from tests.factories.advance_data import make_batch, rows
from tests.factories.applications import make_application
from tests.factories.casework import make_case, make_rival, make_staff, signed_in
from tests.factories.delegations import Pair, broker_actor, delegate, make_pair, offer
from tests.factories.documents import make_document
from tests.factories.identity import make_person, sign_in
from tests.factories.register import make_partner, propose, statements
from tests.factories.successions import propose_officer
from tests.factories.traders import (
    acting,
    add_bond,
    add_contact,
    add_identifier,
    add_site,
    make_trader,
)

IDENTIFIERS = (
    (Scheme.IOR, "12-345678900"),
    (Scheme.EIN, "91-1144442"),
    (Scheme.LEI, "213800KUD8LAJWSQ9D15"),
)
OWN = "/traders/{trader_id}"
LISTS = {
    "home.start": "/",
    "traders.switch": "/acting-for",
    "home.trader": f"{OWN}/overview",
    "home.security": f"{OWN}/security",
    "activity.record": f"{OWN}/activity",
    "activity.record_csv": f"{OWN}/activity.csv",
    "traders.profile": OWN,
    "traders.people": f"{OWN}/people",
    "traders.sites": f"{OWN}/sites",
    "traders.contacts": f"{OWN}/contacts",
    "traders.identifiers": f"{OWN}/identifiers",
    "traders.bonds": f"{OWN}/bonds",
    "documents.index": f"{OWN}/documents",
    "applications.index": f"{OWN}/applications",
    "advance_data.index": f"{OWN}/advance-data",
    "api_access.index": f"{OWN}/api-access",
    "advance_data.filings": f"{OWN}/advance-data/filings",
    "delegations.index": f"{OWN}/delegations",
    "identity.security": "/security",
    "demo.mailbox": "/demo/mailbox",
}
BROKER = {
    "home.clients": "/traders/{broker_id}/clients",
    "delegations.given_to_us": "/traders/{broker_id}/delegations/to-us",
}
CONSOLE = {
    "casework.queue": "/console/queue/all",
    "casework.register": "/console/register",
    "casework.register_csv": "/console/register.csv",
    "casework.determinations": "/console/determinations",
    "casework.conflicts": "/console/conflicts",
    "successions.index": "/console/officers",
}


NUMBERS = ("91-114444201", "91-114444202", "91-114444203")


def add_client(work, broker_id, clerk, number: int) -> None:
    """One more client of the broker's, for which it has filed."""
    client = make_pair(work, number=NUMBERS[number], name=f"Client {number}")
    delegate(work, replace(client, broker_id=broker_id, broker_officer=clerk))
    own = Work(work.session, broker_actor(work, clerk), work.now)
    trader = work.session.get_one(Trader, client.trader_id)
    assert make_batch(own, trader, rows(1, importer_number=NUMBERS[number])).accepted == 1


def add_row(app, work_as, officer, trader_id, number: int, broker: Pair) -> dict[str, str]:
    """One more row in every list; gives the text by which each of them shows it."""
    shown = {}
    with work_as(system_actor("test")) as work:
        trader, own = work.session.get_one(Trader, trader_id), acting(work, officer)
        scheme, value = IDENTIFIERS[number]
        add_identifier(work, trader, scheme, value, verified=True)
        add_site(work, trader, f"Dock {number}")
        add_contact(work, trader, f"Contact {number}", is_primary=number == 0)
        add_bond(work, trader, number=f"24010012{number}")
        traders.appoint(
            own,
            trader,
            key=work.new_id(),
            email=f"guest-{number}@example.com",
            role=TraderRole.VIEWER,
            link=lambda token: f"http://localhost/invitations/{token}",
        )
        create_client(work, name=f"Program {number}", scopes=["status:self"], trader_id=trader_id)
        make_document(own, trader_id, filename=f"log-{number}.pdf")
        other = make_pair(work, number=f"92-11444420{number}", name=f"Agent {number}")
        offer(work, replace(other, trader_id=trader_id, officer=officer))
        add_client(work, broker.broker_id, broker.broker_officer, number)
        batch = make_batch(own, trader, rows(1, start=number), filename=f"file-{number}.csv")
        assert batch.accepted == 1
        application = make_application(own, trader)
        applications.withdraw(own, application)
        make_trader(work, officer, name=f"Company {number}")
        case, _ = make_case(work, name=f"Broker {number}")
        make_rival(work, case, name=f"Rival {number}")
        shown["applications.index"] = str(application.id)
        reference = batch.reference
        left = make_trader(work, make_person(work), name=f"Left {number}")
        propose_officer(work, left.id, make_staff(work))
    partner = make_partner(work_as, name=f"Partner {number}")
    propose(work_as, partner, "validate", tier=2)
    shown |= {
        "home.start": f"Company {number}",
        "traders.switch": f"Company {number}",
        "home.trader": reference,
        "home.security": f"Program {number}",
        "activity.record": reference,
        "activity.record_csv": reference,
        "traders.profile": f"Dock {number}",
        "traders.people": f"guest-{number}@example.com",
        "traders.sites": f"Dock {number}",
        "traders.contacts": f"Contact {number}",
        "traders.identifiers": value,
        "traders.bonds": f"24010012{number}",
        "documents.index": f"log-{number}.pdf",
        "advance_data.index": f"file-{number}.csv",
        "api_access.index": f"Program {number}",
        "advance_data.filings": f"{reference}-0000001",
        "identity.security": str(sign_in(app.test_client(), officer)),
        "demo.mailbox": f"guest-{number}@example.com",
        "delegations.index": f"Agent {number} Brokers",
        "home.clients": f"Client {number} Imports LLC",
        "delegations.given_to_us": f"Client {number} Imports LLC",
        "casework.queue": f"Broker {number}",
        "casework.register": f"Partner {number}",
        "casework.register_csv": f"Partner {number}",
        "casework.determinations": f"Partner {number}",
        "casework.conflicts": f"Rival {number}",
        "successions.index": f"Left {number}",
    }
    return shown


def test_three_rows_cost_no_more_statements_than_one(app, engine, work_as):
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader_id = make_trader(work, officer).id
        reviewer = make_staff(work, AgencyRole.REVIEWER)
        broker = make_pair(work, number="92-114444209")
    browsers = (
        (signed_in(app, officer), LISTS),
        (signed_in(app, reviewer), CONSOLE),
        (signed_in(app, broker.broker_officer), BROKER),
    )
    marks: dict[str, list[str]] = defaultdict(list)
    counts: list[dict[str, int]] = []
    for numbers in ((0,), (1, 2)):
        for number in numbers:
            for name, mark in add_row(app, work_as, officer, trader_id, number, broker).items():
                marks[name].append(mark)
        counts.append({})
        for client, lists in browsers:
            for name, address in lists.items():
                path = address.format(trader_id=trader_id, broker_id=broker.broker_id)
                client.get(path)  # Whatever is read only once is read before the counting.
                with statements(engine) as seen:
                    answer = client.get(path)
                assert answer.status_code == 200, name
                assert [one for one in marks[name] if one not in answer.text] == [], name
                counts[-1][name] = len(seen)
    few, many = counts
    assert {name: (few[name], many[name]) for name in few if few[name] != many[name]} == {}
    assert set(few) == {*LISTS, *CONSOLE, *BROKER}
