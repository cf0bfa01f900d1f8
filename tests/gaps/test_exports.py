"""The report as PDF/UA and as OSCAL, read by other libraries than those that wrote them."""

import io
import json
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.catalog import Catalog
from trestle.oscal.poam import PlanOfActionAndMilestones
from trestle.oscal.profile import Profile

from app.assessments.rules import Content
from app.catalogues.loader import catalogues
from app.catalogues.rules import Result
from app.gaps.exports import oscal
from app.gaps.exports.document import _SET, write_document
from app.gaps.pages import report_page
from app.gaps.queries import Reported, ReportedFile
from app.gaps.rules import File, report
from tests.factories.assessments import good_value

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ID = UUID("01936f3e-0000-7000-8000-000000000001")
MODELS = {
    oscal.CATALOG: ("catalog", Catalog),
    oscal.PROFILE: ("profile", Profile),
    oscal.RESULTS: ("assessment-results", AssessmentResults),
    oscal.PLAN: ("plan-of-action-and-milestones", PlanOfActionAndMilestones),
}


def reported(catalogue, profile_id, *, blank=False):
    """A report with one answer that is not enough, one claim, one gap of evidence and one file."""
    contents = (
        {} if blank else {one.id: Content(good_value(one), "So.") for one in catalogue.questions()}
    )
    if not blank:
        musts = [
            one
            for section in catalogue.sections_in(profile_id)
            for one in section.criteria
            if catalogue.modality(profile_id, one.id) == "must"
            and one.questions[0].type == "yes_no"
            and one.questions[0].meeting
        ]
        contents[musts[0].questions[0].id] = Content("no")
        contents[musts[1].questions[0].id] = Content(not_applicable_reason="We have none.")
    first = next(catalogue.criteria()).id
    files = {first: (ReportedFile(str(ID), "a b.pdf", "a" * 64, "clean", NOON.date(), None),)}
    return Reported(
        report=report(
            catalogue,
            profile_id,
            {key: one.given for key, one in contents.items()},
            {first: [File("clean", NOON.date())]},
            {first: Result.NOT_MET},
            on=NOON.date(),
        ),
        catalogue=catalogue,
        profile_id=profile_id,
        assessment_id=ID,
        trader_id=ID,
        application=None,
        number=None,
        at=NOON,
        contents=contents,
        files=files,
    )


PROFILES = [(catalogue, one.id) for catalogue in catalogues() for one in catalogue.profiles]


def shown(app, found):
    with app.test_request_context("/"):
        return report_page(found, lambda section, criterion: f"/{section}/{criterion}")


@pytest.mark.parametrize(("catalogue", "profile_id"), PROFILES, ids=lambda one: str(one)[:34])
def test_every_document_is_what_oscal_says(app, catalogue, profile_id):
    found = reported(catalogue, profile_id)
    made = oscal.documents(shown(app, found), found, "Brightwater Imports LLC")
    assert set(made) == set(MODELS)
    for name, (root, model) in MODELS.items():
        (key, content), *rest = made[name].items()
        assert (key, rest) == (root, [])
        read = model.model_validate_json(json.dumps(content))
        assert read.uuid == content["uuid"]


def test_the_documents_hang_together(app):
    catalogue, profile_id = PROFILES[-1]
    found = reported(catalogue, profile_id)
    made = oscal.documents(shown(app, found), found, "Brightwater Imports LLC")
    controls = {
        one["id"]: one
        for group in made[oscal.CATALOG]["catalog"]["groups"]
        for one in group["controls"]
    }
    (imported,) = made[oscal.PROFILE]["profile"]["imports"]
    assert imported["href"] in made
    (chosen,) = imported["include-controls"]
    assert set(chosen["with-ids"]) <= set(controls)
    (result,) = made[oscal.RESULTS]["assessment-results"]["results"]
    observed = {one["uuid"] for one in result["observations"]}
    resources = {
        one["uuid"] for one in made[oscal.RESULTS]["assessment-results"]["back-matter"]["resources"]
    }
    for finding in result["findings"]:
        assert finding["target"]["target-id"].removesuffix("_smt") in controls
        assert finding["related-observations"][0]["observation-uuid"] in observed
    evidence = [
        one["href"].removeprefix("#")
        for observation in result["observations"]
        for one in observation.get("relevant-evidence", ())
    ]
    assert evidence
    assert set(evidence) <= resources
    items = made[oscal.PLAN]["plan-of-action-and-milestones"]["poam-items"]
    assert {prop["value"] for one in items for prop in one["props"][:1]} <= set(controls)


def test_what_is_unknown_is_never_satisfied(app):
    catalogue, profile_id = PROFILES[0]
    found = reported(catalogue, profile_id, blank=True)
    made = oscal.documents(shown(app, found), found, "Brightwater")
    (result,) = made[oscal.RESULTS]["assessment-results"]["results"]
    states = {json.dumps(one["target"]["status"], sort_keys=True) for one in result["findings"]}
    assert states == {
        json.dumps(
            {"reason": "other", "remarks": "Not known yet.", "state": "not-satisfied"},
            sort_keys=True,
        )
    }


def test_equal_reports_are_equal_archives_and_others_have_another_name(app):
    catalogue, profile_id = PROFILES[0]
    packed = []
    for blank in (False, False, True):
        found, into = reported(catalogue, profile_id, blank=blank), io.BytesIO()
        oscal.write_archive(shown(app, found), found, "Brightwater", into)
        packed.append(into.getvalue())
    assert packed[0] == packed[1]
    uuids = []
    for one in (packed[0], packed[2]):
        with zipfile.ZipFile(io.BytesIO(one)) as archive:
            uuids.append(json.loads(archive.read(oscal.RESULTS))["assessment-results"]["uuid"])
    assert uuids[0] != uuids[1]


def pdf(app, found, company="Brightwater Imports LLC"):
    into = io.BytesIO()
    page = shown(app, found)
    with app.test_request_context("/"):
        write_document(page, company, into)
    return PdfReader(io.BytesIO(into.getvalue()))


def test_the_pdf_says_that_it_is_pdf_ua_and_is(app):
    read = pdf(app, reported(*PROFILES[-1]))
    catalog = read.trailer["/Root"]
    packet = catalog["/Metadata"].get_object().get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in packet
    assert "Gap report" in packet
    assert catalog["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF object, not Python's.
    assert catalog["/Lang"] == "en"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    kinds = set(kinds_in(catalog["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/P"} <= kinds
    # All that is painted is either content of the tree or an artifact, and every font is inside.
    for page in read.pages:
        assert page["/Tabs"] == "/S"
        assert unmarked(page, read) == []
        for font in page["/Resources"]["/Font"].values():
            for one in font.get_object().get("/DescendantFonts", [font]):
                descriptor = one.get_object()["/FontDescriptor"]
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


def kinds_in(node):
    node = node.get_object()
    if not hasattr(node, "get"):
        return
    if node.get("/S"):
        yield str(node["/S"])
    below = node.get("/K", [])
    below = below.get_object() if hasattr(below, "get_object") else below
    for one in below if isinstance(below, list) else [below]:
        if hasattr(one, "get_object"):
            yield from kinds_in(one)


PAINTS = {b"Tj", b"TJ", b"S", b"f", b"f*", b"B", b"Do", b"sh"}


def unmarked(page, read):
    """What is painted outside marked content."""
    depth, found = 0, []
    for _, operator in ContentStream(page.get_contents(), read).operations:
        if operator in {b"BDC", b"BMC"}:
            depth += 1
        elif operator == b"EMC":
            depth -= 1
        elif operator in PAINTS and depth == 0:
            found.append(operator)
    return found


def test_no_text_is_markup_and_no_letter_breaks_it(app):
    company = "A&B #panic() $x$ *b* @c 中文 😀 \ufffe"
    read = pdf(app, reported(*PROFILES[0], blank=True), company)
    words = " ".join(read.pages[0].extract_text().split())
    assert "A&B #panic() $x$ *b* @c [U+4E2D][U+6587] [U+1F600] [U+FFFE]" in words


def test_every_letter_that_is_let_through_can_be_shown(app):
    letters = "".join(chr(one) for one in range(0x20, 0x2300) if not _SET.search(chr(one)))
    assert len(letters) > 1000
    assert pdf(app, reported(*PROFILES[0], blank=True), letters).pages
