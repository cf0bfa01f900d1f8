"""The record of a trader and the auditors' log: who sees what of them, filtered, on page and in CSV."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.audit.access import Circumstances, Seen, record_access, record_security_event
from app.audit.models import AccessRecord, AuditEvent
from app.audit.tags import SecurityTag
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.casework import queries as cases
from app.documents import service as documents
from app.traders.models import Trader
from tests.factories.advance_data import make_batch, rows
from tests.factories.casework import judge, make_case, make_staff, signed_in, staff_actor, take
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.documents import make_document
from tests.factories.identity import make_person
from tests.factories.register import decide, propose
from tests.factories.traders import acting, add_site, appoint_person, make_trader

SYSTEM = system_actor("test")
CANARY = "Quokkaberry"
REVIEWER = "Wilhelmina Reviewer"


@pytest.fixture
def pair(work_as):
    """An importer with a broker that has filed for it."""
    with work_as(SYSTEM) as work:
        found = make_pair(work)
        delegate(work, found)
    with work_as(SYSTEM) as work:
        acts = replace(work, actor=broker_actor(work, found.broker_officer))
        make_batch(acts, work.session.get_one(Trader, found.trader_id), rows(2))
    return found


@pytest.fixture
def base(pair):
    return f"/traders/{pair.trader_id}/activity"


@pytest.fixture
def officer(app, pair):
    return signed_in(app, pair.officer)


@pytest.fixture
def staff(app, work_as):
    with work_as(SYSTEM) as work:
        found = {
            role: make_staff(work, role, REVIEWER if role is AgencyRole.REVIEWER else str(role))
            for role in AgencyRole
        }
    return {role: (person, signed_in(app, person)) for role, person in found.items()}


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def lines(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(
        csv.DictReader(io.StringIO(answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")))
    )


def whats(answer):
    return [one["what"] for one in lines(answer)]


def test_a_trader_reads_who_did_what_for_whom_under_what(pair, officer, base):
    page = words(officer.get(base))
    name, broker = pair.broker_officer.name, "Sound Brokers"
    assert "Registered the company" in page
    assert "Sent advance data, batch BT-2026-" in page
    assert (
        f"{name}, broker {broker}, for Sound Imports LLC, under the delegation in force from"
        " 24 November 2026" in page
    )
    assert f"{pair.officer.name}, for Sound Imports LLC" in page
    assert "24 November 2026, 12:00 UTC" in page
    told = lines(officer.get(f"{base}.csv"))
    sent = next(one for one in told if one["what"].startswith("Sent advance data"))
    assert sent["who"] == name
    assert sent["at_utc"] == "2026-11-24T12:00:00+00:00"


def test_the_agencys_looking_is_told_and_its_people_are_not_named(
    pair, officer, base, staff, work_as
):
    _, reviewer = staff[AgencyRole.REVIEWER]
    assert reviewer.get(f"/console/register/{pair.trader_id}").status_code == 200
    with work_as(SYSTEM) as work:
        _case, _trader_officer = make_case(work)
    page = officer.get(base)
    assert "Looked into the company's file" in page.text.replace("&#39;", "'")
    assert "The agency" in words(page)
    for answer in (page, officer.get(f"{base}.csv")):
        assert REVIEWER not in answer.text
    # No filter finds the name out either.
    assert whats(officer.get(f"{base}.csv?name=Wilhelmina")) == []


def test_how_the_agency_decides_stays_inside(app, staff, work_as):
    person, _reviewer = staff[AgencyRole.REVIEWER]
    with work_as(SYSTEM) as work:
        case, trader_officer = make_case(work)
        own = take(work, case, person)
        first, *_ = cases.dossier(work, case).criteria()
        judge(own, case, first.id, "accepted")
        trader_id = case.trader_id
        proposer = staff_actor(work, person)
    decide(work_as, trader_id, "certify", tier=1)
    propose(work_as, trader_id, "validate", by=proposer, tier=2, reason_text=CANARY)
    browser = signed_in(app, trader_officer)
    with work_as(SYSTEM) as work:
        tags = set(
            work.session.scalars(select(AuditEvent.tag).where(AuditEvent.trader_id == trader_id))
        )
    hidden = {"case:taken", "case:criterion-judged", "determination:proposed"}
    assert hidden <= tags
    base = f"/traders/{trader_id}/activity"
    page, told = browser.get(base), lines(browser.get(f"{base}.csv"))
    for text in (words(page), str(told)):
        assert "Opened a case on the application" in text
        assert "Changed the company's standing" in text.replace("&#39;", "'")
        for one in ("riterion", "roposed", "ecommended", "Took the case", CANARY, REVIEWER):
            assert one not in text
    assert {one["who"] for one in told if "standing" in one["what"]} == {"The agency"}
    # The outcome bears a supervisor's name in the record, which no filter finds out.
    with work_as(SYSTEM) as work:
        events = work.session.scalars(
            select(AuditEvent).where(
                AuditEvent.trader_id == trader_id, AuditEvent.tag == "determination:approved"
            )
        )
        [name] = [one.actor_name for one in events]
    assert name
    assert whats(browser.get(f"{base}.csv?name={name}")) == []


def test_foreign_and_absent_records_are_the_same(app, pair, officer, work_as):
    with work_as(SYSTEM) as work:
        stranger = make_person(work, name=f"{CANARY} officer")
        other = make_trader(work, stranger, name=f"{CANARY} Imports LLC")
        add_site(work, other, f"{CANARY} dock")
        nobody = work.new_id()
    for end in ("", ".csv"):
        foreign = officer.get(f"/traders/{other.id}/activity{end}")
        absent = officer.get(f"/traders/{nobody}/activity{end}")
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert CANARY not in foreign.text
        own = officer.get(f"/traders/{pair.trader_id}/activity{end}")
        assert own.status_code == 200
        assert CANARY not in own.text
        # The canary is there to be found by whom it belongs to.
        theirs = signed_in(app, stranger).get(f"/traders/{other.id}/activity{end}")
        assert CANARY in theirs.text


@pytest.mark.parametrize(
    ("role", "wanted"),
    [(TraderRole.PREPARER, 200), (TraderRole.VIEWER, 403), (TraderRole.CONSULTANT, 403)],
)
def test_officers_and_preparers_read_it(app, pair, base, work_as, role, wanted):
    with work_as(SYSTEM) as work:
        person = make_person(work)
        trader = work.session.get_one(Trader, pair.trader_id)
        appoint_person(work, trader, pair.officer, person, role)
    assert signed_in(app, person).get(base).status_code == wanted
    assert signed_in(app, person).get(f"{base}.csv").status_code == wanted


def test_a_broker_does_not_read_its_clients_record(app, pair, base):
    assert signed_in(app, pair.broker_officer).get(base).status_code == 404


def test_what_a_broker_looks_at_is_recorded_under_its_delegation(app, pair, officer, base, work_as):
    broker = signed_in(app, pair.broker_officer)
    assert broker.get(f"/traders/{pair.trader_id}/advance-data").status_code == 200
    own = broker.get(f"/traders/{pair.broker_id}")
    assert own.status_code == 200
    with work_as(SYSTEM) as work:
        [record] = work.session.scalars(select(AccessRecord)).all()
    assert (record.trader_id, record.acting_trader_id) == (pair.trader_id, pair.broker_id)
    assert record.person_id == pair.broker_officer.id
    assert record.delegation_id is not None
    told = lines(officer.get(f"{base}.csv?kind=looked"))
    assert [one["what"] for one in told] == ["Looked at the company's pages: advance data"]
    assert told[0]["capacity"] == "broker Sound Brokers, for Sound Imports LLC"
    assert told[0]["under"].startswith("under the delegation in force from 24 November 2026")
    assert whats(officer.get(f"{base}.csv?kind=looked&who=agency")) == []
    assert len(whats(officer.get(f"{base}.csv?kind=looked&who=broker"))) == 1
    # What was refused was not seen.
    broker.get(f"/traders/{pair.trader_id}/people")
    with work_as(SYSTEM) as work:
        assert len(work.session.scalars(select(AccessRecord)).all()) == 1


def test_the_filters(app, pair, base, work_as, clock, staff):
    staff[AgencyRole.REVIEWER][1].get(f"/console/register/{pair.trader_id}")
    clock.at += timedelta(days=2)
    officer = signed_in(app, pair.officer)
    with work_as(SYSTEM) as work:
        own = acting(work, pair.officer)
        add_site(own, own.session.get_one(Trader, pair.trader_id), "Later dock")
        reference = work.session.scalars(
            select(AuditEvent.data["reference"].astext).where(AuditEvent.tag == "batch:received")
        ).one()

    def ask(query):
        return whats(officer.get(f"{base}.csv?{query}"))

    everything = ask("")
    assert ask("since=2026-11-26") == ["Added a site"]
    assert "Added a site" not in ask("until=2026-11-25")
    assert len(ask("until=2026-11-25")) == len(everything) - 1
    assert ask("since=2026-11-25&until=2026-11-25") == []
    sides = {side: ask(f"who={side}") for side in ("own", "broker", "agency", "system")}
    assert sum(map(len, sides.values())) == len(everything)
    assert all("batch" in one for one in sides["broker"] if "Sent" in one)
    assert any("Sent advance data" in one for one in sides["broker"])
    assert sides["agency"].count("Looked into the company's file") == 1
    assert all("batch" in one or "advance" in one for one in ask("kind=filings"))
    assert len(ask("kind=filings")) == 3
    assert ask("kind=company&since=2026-11-26") == ["Added a site"]
    assert set(ask(f"about={reference}")) == set(ask("kind=filings"))
    assert ask("about=AP-2026-9999") == []
    mine = lines(officer.get(f"{base}.csv?name={pair.broker_officer.name.split()[0]}"))
    assert {one["who"] for one in mine} <= {pair.broker_officer.name, pair.officer.name}
    wrong = officer.get(f"{base}?since=2026-13-45")
    assert wrong.status_code == 422
    assert "Give a day, month and year that exist." in words(wrong)
    assert officer.get(f"{base}.csv?since=2026-13-45").status_code == 422
    assert "before the first day" in words(officer.get(f"{base}?since=2026-11-25&until=2026-11-24"))


def test_pages_are_cut_by_key_and_lose_nothing(pair, officer, base, work_as):
    with work_as(SYSTEM) as work:
        own = acting(work, pair.officer)
        trader = own.session.get_one(Trader, pair.trader_id)
        for number in range(120):
            # All at one instant, so that the id alone decides the order.
            add_site(own, trader, f"Dock {number}")
    everything = whats(officer.get(f"{base}.csv"))
    seen, place = [], f"{base}?kind="
    while place:
        page = officer.get(place)
        seen += re.findall(r'timeline__title">([^<]*)<', page.text)
        with work_as(SYSTEM) as work:  # What comes in meanwhile moves nothing.
            own = acting(work, pair.officer)
            add_site(own, own.session.get_one(Trader, pair.trader_id), "Newer dock")
        older = re.search(r'href="([^"]*)"\s+rel="next"', page.text)
        place = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(everything)
    assert "Newest" in page.text
    assert officer.get(f"{base}?before=nonsense").status_code == 200
    assert officer.get(f"{base}?before=2026-11-24T12:00~x").status_code == 200


def test_no_cell_is_a_formula(pair, officer, base, work_as):
    with work_as(SYSTEM) as work:
        own = acting(work, pair.officer)
        bad = replace(own, actor=replace(own.actor, name="=HYPERLINK(1)"))
        add_site(bad, bad.session.get_one(Trader, pair.trader_id), "Dock")
    assert "'=HYPERLINK(1)" in {one["who"] for one in lines(officer.get(f"{base}.csv"))}


def test_a_document_that_a_broker_took_is_told_by_its_name(app, pair, officer, base, work_as):
    with work_as(SYSTEM) as work:
        own = acting(work, pair.officer)
        revision = make_document(own, pair.trader_id, filename="fence-plan.pdf")
        documents.note_scan(work, revision, found=None)
    taken = signed_in(app, pair.broker_officer).get(f"/documents/{revision.id}?warned=yes")
    assert taken.status_code == 200
    taken.close()
    [told] = lines(officer.get(f"{base}.csv?kind=looked"))
    assert told["what"] == "Downloaded a document: fence-plan.pdf"
    assert told["capacity"] == "broker Sound Brokers, for Sound Imports LLC"
    about = whats(officer.get(f"{base}.csv?about={revision.id}"))
    assert sorted(about) == ["Checked a document for viruses", told["what"]]


# --- The auditors' log --------------------------------------------------------------------------


def test_auditors_alone_read_the_log(staff, officer):
    for role, (_, browser) in staff.items():
        wanted = 200 if role is AgencyRole.AUDITOR else 403
        assert browser.get("/console/activity").status_code == wanted, role
        assert browser.get("/console/activity.csv").status_code == wanted, role
    assert officer.get("/console/activity").status_code == 403


def test_an_auditor_is_not_told_that_a_traders_officer_is_a_broker(pair, staff):
    _, auditor = staff[AgencyRole.AUDITOR]
    told = lines(auditor.get("/console/activity.csv?kind=event"))
    [offered] = [one for one in told if one["tag"] == "delegation:offered"]
    assert offered["who"] == pair.officer.name
    assert offered["capacity"] == "about broker Sound Brokers"


def test_auditors_see_everything_with_names(app, pair, staff, engine, clock, work_as):
    _person, auditor = staff[AgencyRole.AUDITOR]
    staff[AgencyRole.REVIEWER][1].get(f"/console/register/{pair.trader_id}")
    at = Circumstances(at=clock.now(), address="192.0.2.77")
    record_security_event(engine, SecurityTag.SIGN_IN_FAILED, at, person_id=pair.officer.id)
    with work_as(SYSTEM) as work:
        proposer = staff_actor(work, staff[AgencyRole.REVIEWER][0])
    propose(work_as, pair.trader_id, "certify", by=proposer, tier=1)
    told = lines(auditor.get("/console/activity.csv"))
    looked = next(one for one in told if one["what"] == "Looked at trader: register")
    assert (looked["who"], looked["trader"]) == (REVIEWER, "Sound Imports LLC")
    failed = next(one for one in told if one["tag"] == "sign-in:failed")
    assert (failed["who"], failed["address"]) == (pair.officer.name, "192.0.2.77")
    assert any(one["tag"] == "determination:proposed" for one in told)

    def tags(query):
        return {one["tag"] for one in lines(auditor.get(f"/console/activity.csv?{query}"))}

    assert tags("kind=security") <= {str(one) for one in SecurityTag}
    assert tags("kind=determination:") == {"determination:proposed"}
    assert tags("kind=access&name=Wilhelmina") == {"trader"}
    assert "site:added" not in tags("trader=Sound Imports")
    with_trader = lines(auditor.get("/console/activity.csv?trader=Sound Imports&kind=event"))
    assert {one["trader"] for one in with_trader} == {"Sound Imports LLC"}
    assert "sign-in:failed" in tags("trader=Sound Imports&kind=security")
    several = auditor.get("/console/activity?trader=Sound")
    assert several.status_code == 422
    assert "Several traders fit" in words(several)
    assert "No trader has this name" in words(auditor.get("/console/activity?trader=Nowhere"))
    assert auditor.get("/console/activity.csv?trader=Nowhere").status_code == 422
    by_id = lines(auditor.get(f"/console/activity.csv?trader={pair.trader_id}&kind=event"))
    assert by_id == with_trader


def test_reading_and_exporting_the_log_is_recorded_in_it(pair, staff, officer, base, work_as):
    person, auditor = staff[AgencyRole.AUDITOR]

    def records():
        with work_as(SYSTEM) as work:
            return [
                (one.person_id, one.answer, one.trader_id)
                for one in work.session.scalars(select(AccessRecord).order_by(AccessRecord.id))
            ]

    auditor.get("/console/activity?name=Wilhelmina")
    auditor.get("/console/activity.csv?trader=Sound Imports")
    assert records() == [(person.id, "read", None), (person.id, "exported", pair.trader_id)]
    with work_as(SYSTEM) as work:
        subjects = work.session.scalars(select(AccessRecord.subject)).all()
    assert not [one for one in subjects if "Wilhelmina" in one]
    told = whats(officer.get(f"{base}.csv?kind=looked"))
    assert told == ["Looked at the record of what was done with the company's data"]
    assert "Looked at activity log: exported" in words(auditor.get("/console/activity"))


def test_a_program_of_the_agency_that_asked_is_told_without_the_identifier(
    pair, officer, base, engine, clock, work_as
):
    with work_as(SYSTEM) as work:
        client = replace(work.actor, client_id=work.new_id())
    at = Circumstances(at=clock.now())
    seen = Seen("identifier", "0f" * 32, "trusted", trader_id=pair.trader_id)
    record_access(engine, client, [seen], at)
    # A kind that nobody has worded is told to nobody.
    record_access(engine, client, [Seen("musings", CANARY, trader_id=pair.trader_id)], at)
    told = lines(officer.get(f"{base}.csv?kind=looked"))
    assert [(one["who"], one["what"]) for one in told] == [
        ("A system of the agency", "Asked for the company's standing")
    ]
