"""The whole main job, from a stranger's sign-up to a release system's decision, in a browser."""

import secrets
from pathlib import Path

from stdnum import ean
from stdnum.iso7064 import mod_97_10

from tests.journeys import agency_steps as agency
from tests.journeys import trader_steps as trader

# A run of its own words and numbers, so that it can visit one installation twice.
RUN = secrets.token_hex(3)
COMPANY = f"Vance Home Goods {RUN} LLC"
NORA, PIA = f"nora@{RUN}.example", f"pia@{RUN}.example"
IMPORTER_NUMBER = f"45-{secrets.randbelow(10**7):07d}00"
LEI_STEM = f"2138{RUN.upper()}00000000"
GLN_STEM = f"95{secrets.randbelow(10**10):010d}"
IDENTIFIERS = {
    "Importer of record number": IMPORTER_NUMBER,
    "Legal entity identifier": LEI_STEM + mod_97_10.calc_check_digits(LEI_STEM),
    "D-U-N-S": f"{secrets.randbelow(10**9):09d}",
    "Global location number": GLN_STEM + ean.calc_check_digit(GLN_STEM),
}
COMMENT = "Name every lane, its owner and the date of its last assessment."


def test_the_whole_main_job(visitor, release_system, tmp_path: Path):
    officer, preparer = visitor(), visitor()
    reviewer, supervisor = visitor(), visitor()

    trader.sign_up(officer, "Nora Vance", NORA)
    home = trader.register_company(officer, COMPANY)
    trader.fill_in_the_profile(officer, home, IDENTIFIERS, email=NORA)
    trader.appoint_preparer(officer, preparer, home, company=COMPANY, email=PIA)
    application = trader.start_application(officer, home)
    evidence = tmp_path / "procedure.txt"
    evidence.write_text("Procedure for the inspection of containers, edition 4, June 2026.")
    trader.assess(preparer, application, evidence)
    trader.sign(officer, preparer, application)
    trader.submit(officer, preparer, application)

    # Claimed identifiers reach nobody, and an application is no standing.
    assert release_system.status(IMPORTER_NUMBER)["answer"] == "not_a_partner"

    reviewer.sign_in_as("Dana Whitlock")
    supervisor.sign_in_as("Grace Obuya")
    case = agency.take_the_case(reviewer, COMPANY)
    agency.verify_identifiers(reviewer, case)
    agency.judge(reviewer, case, returned={"2.1": COMMENT})
    agency.ask(reviewer, case, "One point is left before we can decide.")
    trader.answer_the_request(officer, preparer, application, COMMENT)
    agency.judge(reviewer, case, returned={})
    agency.recommend(reviewer, case)
    agency.cannot_countersign_oneself(reviewer, COMPANY)
    agency.countersign(supervisor, COMPANY)

    officer.go(f"{home}/standing").sees("Certified").sees(agency.REASON)
    certified = release_system.status(IMPORTER_NUMBER)
    assert certified["answer"] == "active"
    assert certified["standings"][0]["tier"] == 1

    partner = agency.partner_page(reviewer, COMPANY)
    agency.propose_change(reviewer, partner, "Validate", choose="2: Validated")
    agency.countersign(supervisor, COMPANY)
    validated = release_system.status(IMPORTER_NUMBER)
    assert validated["standings"][0]["tier"] == 2
    assert validated["seq"] > certified["seq"]

    # Good rows become filings with receipts, the bad one comes back with line, field and fix.
    file = tmp_path / "filings.csv"
    file.write_text(csv_of(IMPORTER_NUMBER, quantities=("12", "40", "1.5", "7")))
    trader.upload(preparer, home, file, outcome="Some rows are not filed")
    preparer.sees("QTY").sees("1.5")
    preparer.follow("See your filings").sees("JRN-1").misses("JRN-3")
    preparer.follow("JRN-1").sees("Receipt")

    # A suspension is effective at once: the next answer and the next decision are others.
    trusted = release_system.decide(IMPORTER_NUMBER)
    assert trusted["benefits"]
    held = release_system.decide(IMPORTER_NUMBER, holds=("uflpa",))
    assert held["benefits"] == []
    assert held["exam"]["mode"] != "none"
    agency.suspend_now(reviewer, partner)
    suspended = release_system.status(IMPORTER_NUMBER, min_seq=validated["seq"] + 1)
    assert suspended["answer"] == "not_active"
    after = release_system.decide(IMPORTER_NUMBER)
    assert after["benefits"] == []
    assert after["seq"] >= suspended["seq"]
    officer.go(f"{home}/standing").sees("Suspended")
    supervisor.go("/console/determinations").sees(COMPANY)


COLUMNS = (
    "filing_ref,action,importer_number,consignee_number,bill_type,bill_number,container_number,hts,"
    "country_of_origin,mf_name,mf_address,mf_city,mf_country,mf_duns,mid,seller_name,buyer_name,"
    "ship_to_name,stuffing_country,consolidator_name,port_lading,port_unlading,etd,value_usd,"
    "quantity,uom"
)


def csv_of(importer_number: str, *, quantities: tuple[str, ...]) -> str:
    """A file of filings `JRN-1` and on, one for each quantity."""
    rows = [
        f"JRN-{number},A,{importer_number},{importer_number},OB,MAEU1234{RUN.upper()}{number},"
        "CSQU3054383,9403609000,VN,Hoa Sen Furniture JSC,12 Le Loi,Binh Duong,VN,,,"
        "Hoa Sen Furniture JSC,Vance Home Goods LLC,Vance Home Goods LLC,VN,Hoa Sen Furniture JSC,"
        f"VNSGN,2704,2026-12-20,48210.00,{quantity},NO"
        for number, quantity in enumerate(quantities, 1)
    ]
    return "\n".join([COLUMNS, *rows]) + "\n"
