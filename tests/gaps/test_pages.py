"""The report's pages and files, as the company and as the agency see them."""

import io
import zipfile
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook

from app.applications.queries.content import assessment_of
from app.assessments import queries as assessments
from app.assessments import service
from app.assessments.rules import AnswerInput
from app.authz.actor import AgencyRole, system_actor
from app.casework.queries import case_of
from tests.factories.applications import make_applicant, make_application, make_submitted
from tests.factories.casework import judge, make_staff, signed_in, take
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, make_trader
from tests.guards.markup import checked, text_of

FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
def draft(app, work_as):
    """An importer's draft with one bad answer and one that begins like a formula."""
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        application = make_application(own, trader)
        assessment = assessment_of(own.session, application)
        section = assessments.section_in(assessment, "1")
        criterion = next(one for one in section.criteria if one.modality == "must")
        lead = criterion.questions[0].id
        service.save_answers(
            own,
            assessment,
            "1",
            answers={lead: AnswerInput(value="no", how_met=FORMULA)},
            expected_version=0,
        )
        address = f"/traders/{trader.id}/assessments/{assessment.id}/gaps"
    client = app.test_client()
    sign_in(client, officer)
    return client, address, criterion


def test_the_page_says_what_is_missing_why_and_what_follows(draft):
    client, address, criterion = draft
    answer = client.get(address)
    assert answer.status_code == 200
    tree = checked(answer.text, whole=True)
    words = text_of(tree)
    assert "Only a decision of the agency gives a tier." in words
    assert "keep the gate of tier 1 shut" in words
    assert "Keeps the gate of every tier shut." in words
    assert "The shortest way to tier 1" in words
    assert f"{criterion.id} {criterion.title}" in words
    assert "The answer does not meet it" in words
    assert "Not known yet" in words
    # Every bar is named by its figures, which stand beside it as well.
    drawn = [one for one in tree.iter() if one.get("role") == "img"]
    assert len(drawn) == 12
    assert all("not known yet" in one.get("aria-label") for one in drawn)
    assert 'style="' not in answer.text


def test_everything_stands_open_for_printing(draft):
    client, address, _ = draft
    assert " open>" not in client.get(address).text
    tree = checked(client.get(f"{address}?show=all").text, whole=True)
    parts = [one for one in tree.iter("details") if "disclosure" in (one.get("class") or "")]
    assert parts
    assert all(one.get("open") is not None for one in parts)


def test_the_workbook_holds_answers_as_texts_and_no_formula(draft):
    client, address, criterion = draft
    answer = client.get(f"{address}.xlsx")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=gap-report-")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["Summary", "Tiers", "Way", "Sections", "Gaps", "Answers"]
    answers = book.get_sheet_by_name("Answers").to_python()
    row = next(one for one in answers if one[2] == criterion.questions[0].id)
    assert (row[4], row[5]) == ("No", FORMULA)
    gaps = book.get_sheet_by_name("Gaps").to_python()
    assert any(one[0] == criterion.id and one[3] == "Not met" for one in gaps)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        sheets = [packed.read(one) for one in packed.namelist() if "worksheets/" in one]
    assert all(b"<f>" not in one for one in sheets)


@pytest.mark.parametrize(
    ("form", "kind", "begins"),
    [("pdf", "application/pdf", b"%PDF-1."), ("zip", "application/zip", b"PK")],
)
def test_the_other_files_are_handed_out(draft, form, kind, begins):
    client, address, _ = draft
    answer = client.get(f"{address}.{form}")
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.data.startswith(begins)
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("form", ["", ".xlsx", ".pdf", ".zip"])
def test_nobody_else_finds_it(app, work_as, draft, form):
    _, address, _ = draft
    with work_as(system_actor("test")) as work:
        stranger = make_person(work, name="Stan Ranger")
        make_trader(work, stranger, name="Other Imports LLC")
    client = app.test_client()
    sign_in(client, stranger)
    gone = client.get(
        address.replace(address.split("/")[4], "019b0000-0000-7000-8000-000000000000")
    )
    found = client.get(address + form)
    assert (found.status_code, gone.status_code) == (404, 404)


@pytest.fixture
def case(app, work_as, super_engine):
    with work_as(system_actor("test")) as work:
        application, officer = make_submitted(work)
        reviewer = make_staff(work, AgencyRole.REVIEWER)
        ids = (application.id, application.trader_id, application.assessment_id)
    return ids, officer, reviewer


def test_the_agency_reads_what_was_submitted_with_its_own_verdicts(app, work_as, case):
    (application_id, trader_id, assessment_id), officer, reviewer = case
    with work_as(system_actor("test")) as work:
        found = case_of(work.session, application_id)
        case_id: UUID = found.id
        own = take(work, found, reviewer)
        judge(own, found, "1.3", "returned", comment="The audit is not written down.")
    page = signed_in(app, reviewer).get(f"/console/cases/{case_id}/gaps?show=all")
    assert page.status_code == 200
    words = text_of(checked(page.text, whole=True))
    assert "Version 1 as submitted" in words
    assert "Tier 1, sought Open Shut" in words
    own = app.test_client()
    sign_in(own, officer)
    # What a reviewer noted and never sent stays the agency's own.
    told = own.get(f"/traders/{trader_id}/assessments/{assessment_id}/gaps?show=all")
    assert "Tier 1, sought Open Not known yet" in text_of(checked(told.text, whole=True))
    assert "not written down" not in told.text
