"""What the story is made of: the same each time, right in form, and readable by those who get it."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest

from app.advance_data.csv_intake import read_csv
from app.advance_data.rules import check_row
from app.catalogues.loader import catalogues
from app.demo import numbers
from app.demo.answering import Answerer
from app.demo.calendar import Calendar
from app.demo.cast import company_cast
from app.demo.filings import Shipment, file_of
from app.demo.papers import papers, pdf
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.texts import read
from app.documents.inspection import inspect
from app.documents.rules import FileKind
from app.kernel.clock import FixedClock
from app.kernel.identifiers import Scheme, parse, warnings
from app.register.programme import PROGRAMMES
from app.traders.rules import SCHEMES

UNTIL = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_cast_is_the_same_each_time():
    assert company_cast() == company_cast()
    assert company_cast("another") != company_cast()


def test_every_number_is_well_formed_fits_its_holder_and_is_nobody_elses():
    seen = set()
    for company in company_cast().values():
        for scheme, value in company.identifiers:
            identifier = parse(scheme, value)
            assert not identifier.sensitive
            assert not warnings(identifier)
            assert scheme in SCHEMES[company.kind]
            assert (scheme, value) not in seen
            seen.add((scheme, value))


def test_every_mail_address_is_somebodys_own():
    people = [one for c in company_cast().values() for one in (c.officer, *c.staff)]
    assert len({one.email for one in people}) == len(people)


@pytest.mark.parametrize(
    ("scheme", "draw"),
    [
        (Scheme.IOR, numbers.importer_number),
        (Scheme.GLN, numbers.gln),
        (Scheme.LEI, numbers.legal_entity),
        (Scheme.DUNS, numbers.duns),
        (Scheme.FILER, numbers.filer),
    ],
)
def test_drawn_numbers_have_their_check_digits(scheme, draw):
    random = company_cast()["harbour"].random("test")
    for _ in range(200):
        parse(scheme, draw(random))


def test_a_file_is_the_same_each_time_and_mostly_good():
    harbour = company_cast()["harbour"]
    shipment = Shipment(harbour, 12, 400)
    content = file_of(shipment, date(2026, 9, 1))
    assert content == file_of(shipment, date(2026, 9, 1))
    rows = [check_row(row) for row in read_csv(BytesIO(content))]
    refused = [row for row in rows if row.filing is None]
    assert len(rows) == 400
    assert len(refused) < 40


@pytest.mark.parametrize(
    "catalogue",
    [catalogues().current("security", kind) for kind in ("importer", "broker")],
    ids=lambda one: one.id,
)
def test_there_are_words_for_every_question(catalogue):
    for key in ("harbour", "juniper", "anchor", "tideway"):
        answerer = Answerer(company_cast()[key], catalogue.id, UNTIL.date(), "test")
        for criterion in catalogue.criteria():
            given = answerer.criterion(criterion, {})
            lead = given[criterion.questions[0].id]
            assert lead.how_met or lead.not_applicable_reason


def test_papers_are_dated_no_later_than_they_are_handed_in():
    for day in (date(2025, 2, 3), date(2026, 11, 24), date(2028, 6, 30)):
        for paper in papers():
            edition = paper.on(day)
            assert edition.dated <= day < edition.dated + timedelta(days=366)


def test_papers_are_files_that_the_portal_accepts():
    for paper in papers():
        found = inspect(BytesIO(paper.content()), paper.filename)
        assert isinstance(found, FileKind), (paper.filename, found)


def test_a_pdf_says_its_text():
    content = pdf("Seal log (extract)", "line\n" * 200)
    assert b"(Seal log \\(extract\\)) Tj" in content
    assert content.count(b"/Type /Page ") == 4


def test_reasons_in_the_register_are_known_ones():
    programme = PROGRAMMES["security"]
    for row in read("register")["moves"]:
        move = programme.move(row["move"])
        assert move is not None
        assert move.reason(row["reason"]) is not None, row


def test_scenes_are_played_in_order_and_never_after_the_present():
    script = Script(Calendar(UNTIL))
    times = []
    harbour = company_cast()["harbour"]
    random = harbour.random("test")
    for _ in range(300):
        script.add(random.uniform(0, 720), lambda stage: times.append(stage.clock.at))
    script.play(Stage(None, FixedClock(UNTIL - timedelta(days=800))))
    assert len(times) == 300
    assert times == sorted(times)
    assert times[-1] <= UNTIL
    older = [at for at in times if UNTIL - at > timedelta(days=14)]
    assert all(at.weekday() < 5 and 13 <= at.hour <= 22 for at in older)


def test_days_shrink_when_the_criteria_are_young():
    young = Calendar(datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert young.open_for_applications
    assert young.ago(320) >= datetime(2026, 1, 1, tzinfo=UTC)
    assert not Calendar(datetime(2026, 2, 1, 12, tzinfo=UTC)).open_for_applications
