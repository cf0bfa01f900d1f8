"""A client lets its broker act, the broker files for it, and is refused once that is revoked."""

import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from app.demo.cast import company_cast
from app.demo.papers import pdf
from app.kernel.clock import SystemClock
from app.kernel.identifiers import Scheme
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.journeys import trader_steps as steps

CLIENT, BROKER = "Juniper Outdoor Supply", "Tideway Customs Brokers"
TODAY, YEAR = SystemClock().now().date(), timedelta(days=364)
NUMBER = company_cast()["juniper"].identifier(Scheme.IOR)


def acting_line(person):
    return person.page.get_by_label("Acting for", exact=True)


def test_a_broker_acts_from_the_clients_consent_until_its_revocation(visitor, tmp_path: Path):
    paper, filings = tmp_path / "authority.pdf", tmp_path / "filings.csv"
    paper.write_bytes(pdf("Authority", "Tideway may file for us."))
    filings.write_bytes(csv_bytes([good_row(filing_ref="TW-1", importer_number=NUMBER)]))
    client, broker = visitor(), visitor(width=390)

    # The demonstration has left an offer open; the client takes it back and makes another.
    client.sign_in_as("Ruth Jansen").navigate("Who acts for us").follow(BROKER)
    client.sees("Offered").follow("Take it back").press("Take it back")
    client.sees("It took effect at once.")
    client.go(client.path.rsplit("/", 1)[0]).follow("Let a broker act for you")
    client.pick("scheme", "Entry filer code").fill(number="TWY").press("Find the broker")
    client.choose("What may the broker do?", "File advance data")
    client.fill(first_day=TODAY.isoformat(), last_day=(TODAY + YEAR).isoformat())
    client.attach("file", paper)
    client.press("Offer it").sees(f"{BROKER} has to accept it.")
    theirs = client.path

    broker.sign_in_as("Marek Lind").sees("Waiting for your consent")
    broker.follow(f"{CLIENT} offers you a delegation").sees("Yours")
    broker.follow("Accept").tick("I consent for the company.").press("Accept")
    broker.sees("In force")
    broker.go("/").sees("Our clients").follow(CLIENT)
    expect(acting_line(broker)).to_contain_text(re.compile(f"{CLIENT}\\s+as\\s+{BROKER}"))
    steps.upload(
        broker, broker.path.split("/advance-data")[0], filings, outcome="Every row is filed"
    )
    expect(acting_line(broker)).to_contain_text(BROKER)
    batch = broker.path

    client.go(theirs).sees("In force").sees("Accepted: both sides consent")
    client.follow("Revoke now").press("Revoke it now").sees("Ended")
    broker.page.reload()
    broker.forgive(404)
    broker.sees("There is nothing here that you can see.")
    broker.go("/").misses(CLIENT)
    client.go(batch).sees("Every row is filed")
