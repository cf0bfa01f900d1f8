"""The pages as a person without script meets them, and the lines that htmx asks for."""

from html import unescape

import pytest
from sqlalchemy import event

from app.assessments import queries, service
from app.assessments.models import Assessment
from app.authz.actor import system_actor
from app.catalogues.loader import catalogues
from app.documents.models import Document
from app.kernel.ids import new_id
from app.traders.kinds import EntityType
from tests.assessments.conftest import chosen
from tests.factories.assessments import answer_section
from tests.factories.documents import make_document, pdf
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader
from tests.guards.markup import by_id

ONE = "/sections/1"
LEAD, HOW = "q.1.1.1", "q.1.1.1.how_met"


def stored(work_as, scene, read):
    with work_as(system_actor("test")) as work:
        return read(work, work.session.get(Assessment, scene.assessment_id))


def contents(work_as, scene):
    return stored(work_as, scene, lambda work, one: queries.contents_of(work.session, one.id))


@pytest.mark.parametrize("path", ["", "/questions", ONE, "/sections/4", "/sections/5"])
def test_every_page_is_valid_and_says_what_it_is(scene, path):
    page = scene.browser(scene.officer).get(path)
    assert page.status == 200
    assert len(list(page.tree.iter("h1"))) == 1
    assert "Security criteria for importers" in page.words


def test_a_section_shows_statement_guidance_examples_and_doubts(scene):
    words = scene.browser(scene.officer).get(ONE).words
    assert "A senior leader states in writing" in words
    assert "What good looks like" in words
    assert "Typical evidence" in words
    assert "The number 1.3 is not yet confirmed against the published booklet." in words
    assert "The number 1.1 is not yet confirmed" not in words


def test_nothing_is_chosen_before_somebody_chose(scene):
    page = scene.browser(scene.officer).get(ONE)
    radios = [one for one in page.tree.iter("input") if one.get("type") == "radio"]
    assert {one.get("name") for one in radios if one.get("checked") is not None} == {"completed"}
    assert page.fields()[LEAD] == ""


@pytest.mark.parametrize("path", ["", "/questions", ONE])
def test_foreign_and_absent_look_the_same(scene, path):
    client = scene.browser(scene.stranger).client
    foreign = client.get(scene.base + path)
    absent = client.get(f"/traders/{new_id()}/assessments/{new_id()}{path}")
    crossed = client.get(f"/traders/{new_id()}/assessments/{scene.assessment_id}{path}")
    assert {foreign.status_code, absent.status_code, crossed.status_code} == {404}
    strip = lambda text: text.split("error-page__reference")[0]  # noqa: E731 - one look.
    assert strip(foreign.text) == strip(absent.text) == strip(crossed.text)


@pytest.mark.parametrize("path", ["", "/save?criterion=1.1", "/attach", "/detach", "/complete"])
def test_nobody_else_writes(scene, path, work_as):
    outsider = scene.browser(scene.stranger)
    data = {"csrf_token": csrf_of(outsider), LEAD: "yes", "completed": "yes"}
    assert outsider.post(ONE + path, data).status == 404
    reader = scene.browser(scene.viewer)
    assert reader.post(ONE + path, {**data, "csrf_token": csrf_of(reader)}).status in {403, 404}
    assert contents(work_as, scene) == {}


def csrf_of(browser) -> str:
    text = browser.client.get("/security").text
    return text.split('"X-CSRFToken": "')[1].split('"')[0]


def test_a_viewer_reads_and_has_no_form(scene):
    page = scene.browser(scene.viewer).get(ONE)
    assert page.status == 200
    assert "To read only" in page.words
    assert "section-form" not in page.html


def test_saving_the_page_keeps_everything_and_goes_on(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {
        **browser.get(ONE).fields(),
        LEAD: "yes",
        HOW: "Signed by our director.\nIt hangs in the hall.",
        "q.1.2.2.cell_0_name": "Ruth",
        "q.1.2.2.cell_0_duty": "Seals",
        "q.1.2.2.cell_4_name": "Ann",
    }
    answer = browser.post(ONE, sent)
    assert (answer.status, answer.location) == (303, scene.base)
    found = contents(work_as, scene)
    assert found[LEAD].value == "yes"
    assert found[LEAD].how_met == "Signed by our director.\nIt hangs in the hall."
    page = browser.get(ONE)
    fields = page.fields()
    assert fields[HOW] == "Signed by our director.\nIt hangs in the hall."
    assert [fields[f"q.1.2.2.cell_{row}_name"] for row in range(4)] == ["Ruth", "Ann", "", ""]
    # Sent back untouched, it changes nothing.
    browser.post(ONE, fields)
    assert contents(work_as, scene) == found


def test_a_claim_holds_for_the_whole_criterion(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {**browser.get(ONE).fields(), f"{LEAD}.not_applicable_reason": "We have no staff"}
    browser.post(ONE, sent)
    found = contents(work_as, scene)
    assert {one.not_applicable_reason for name, one in found.items() if "q.1.1." in name} == {
        "We have no staff"
    }
    assert "Not applicable" in browser.get(ONE).words


def test_a_wrong_answer_is_named_beside_its_control_and_everything_typed_is_kept(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {
        **browser.get(ONE).fields(),
        LEAD: "yes",
        HOW: "Not lost",
        "q.1.2.1": "yes",
        "q.1.2.3": "four times",
    }
    page = browser.post(ONE, sent)
    assert page.status == 422
    assert page.tree.find(".//title").text.strip().startswith("Error:")
    control = by_id(page.tree, "q.1.2.3")
    assert control.get("value") == "four times"
    assert control.get("aria-invalid") == "true"
    assert "q.1.2.3-error" in control.get("aria-describedby")
    assert by_id(page.tree, "criterion-1.2").get("open") is not None
    assert page.fields()[HOW] == "Not lost"
    assert contents(work_as, scene) == {}
    corrected = {**page.fields(), "q.1.2.3": "4"}
    assert browser.post(ONE, corrected).status == 303
    assert contents(work_as, scene)[LEAD].how_met == "Not lost"


def test_two_tabs_clash_show_both_texts_and_lose_neither(scene, work_as):
    first, second = scene.browser(scene.officer), scene.browser(scene.preparer)
    one, two = first.get(ONE).fields(), second.get(ONE).fields()
    first.post(ONE, {**one, LEAD: "yes", HOW: "Olive's text"})
    page = second.post(ONE, {**two, LEAD: "yes", HOW: "Pat's text", "q.1.2.1": "no"})
    assert page.status == 409
    assert "Olive Ford wrote" in page.words
    assert "Olive's text" in page.words
    assert "Pat's text" in page.words
    assert contents(work_as, scene)[LEAD].how_met == "Olive's text"

    undecided = second.post(ONE, page.fields())
    assert undecided.status == 422
    assert "Choose which version to keep." in undecided.words
    assert "Olive's text" in undecided.words

    merged = {**undecided.fields(), f"keep.{LEAD}": "mine", HOW: "Olive's and Pat's text"}
    assert second.post(ONE, merged).status == 303
    found = contents(work_as, scene)
    assert found[LEAD].how_met == "Olive's and Pat's text"
    assert found["q.1.2.1"].value == "no"


def test_keeping_theirs_leaves_it_as_it_stands(scene, work_as):
    first, second = scene.browser(scene.officer), scene.browser(scene.preparer)
    one, two = first.get(ONE).fields(), second.get(ONE).fields()
    first.post(ONE, {**one, HOW: "Olive's text"})
    page = second.post(ONE, {**two, HOW: "Pat's text", "q.1.2.1": "no"})
    second.post(ONE, {**page.fields(), f"keep.{LEAD}": "theirs"})
    found = contents(work_as, scene)
    assert (found[LEAD].how_met, found["q.1.2.1"].value) == ("Olive's text", "no")


def test_an_old_tab_that_changed_another_answer_does_not_undo(scene, work_as):
    first, second = scene.browser(scene.officer), scene.browser(scene.preparer)
    one, two = first.get(ONE).fields(), second.get(ONE).fields()
    first.post(ONE, {**one, HOW: "Olive's text"})
    assert second.post(ONE, {**two, "q.1.2.1": "no"}).status == 303
    found = contents(work_as, scene)
    assert (found[LEAD].how_met, found["q.1.2.1"].value) == ("Olive's text", "no")


def test_an_autosave_that_was_acknowledged_is_committed(scene, work_as, clock):
    browser = scene.browser(scene.preparer)
    sent = browser.get(ONE).fields()
    line = browser.autosave(ONE, "1.1", {**sent, LEAD: "yes", HOW: "W"})
    assert line.status == 200
    assert line.html.strip().startswith('<div id="save_status"')
    assert "Saved 12:00 UTC" in line.html
    assert 'id="state-1.1"' in line.html
    assert contents(work_as, scene)[LEAD].how_met == "W"
    # The same page goes on saving although it still names its first version.
    for text in ("Wo", "Wor", "Word"):
        assert browser.autosave(ONE, "1.1", {**sent, LEAD: "yes", HOW: text}).status == 200
    assert browser.post(ONE, {**sent, LEAD: "yes", HOW: "Words"}).status == 303
    assert contents(work_as, scene)[LEAD].how_met == "Words"


def test_an_autosave_concerns_its_own_criterion_alone(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {**browser.get(ONE).fields(), LEAD: "yes", "q.1.2.3": "wrong"}
    assert browser.autosave(ONE, "1.1", sent).status == 200
    assert set(contents(work_as, scene)) == {LEAD, "q.1.1.2"} or LEAD in contents(work_as, scene)
    line = browser.autosave(ONE, "1.2", sent)
    assert line.status == 422
    assert "Write a number in digits alone" in line.html
    assert 'href="#q.1.2.3"' in line.html
    assert browser.autosave(ONE, "9.9", sent).status == 404


def test_an_autosave_that_clashes_offers_to_compare(scene, work_as):
    first, second = scene.browser(scene.officer), scene.browser(scene.preparer)
    one, two = first.get(ONE).fields(), second.get(ONE).fields()
    first.autosave(ONE, "1.1", {**one, HOW: "Olive's text"})
    line = second.autosave(ONE, "1.1", {**two, HOW: "Pat's text"})
    assert line.status == 409
    assert "Olive Ford changed the same answer at 12:00 UTC" in line.html
    assert "Compare both versions" in line.html
    assert contents(work_as, scene)[LEAD].how_met == "Olive's text"
    assert second.post(ONE, {**two, HOW: "Pat's text"}).status == 409


def test_a_page_that_was_open_when_the_section_was_locked_gets_its_words_back(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {**browser.get(ONE).fields(), HOW: "Typed too late"}
    stored(work_as, scene, service.lock)
    line = browser.autosave(ONE, "1.1", sent)
    assert line.status == 409
    assert "This section was locked in the meantime" in line.html
    page = browser.post(ONE, sent)
    assert page.status == 409
    assert "What you typed was not saved" in page.words
    assert "Typed too late" in page.words
    assert contents(work_as, scene) == {}


def test_a_returned_section_says_so_and_the_others_are_to_read(scene, work_as):
    stored(work_as, scene, service.lock)
    stored(work_as, scene, lambda work, one: service.reopen(work, one, ["2"]))
    browser = scene.browser(scene.officer)
    assert "To read only" in browser.get(ONE).words
    assert "The agency asked for changes in this section" in browser.get("/sections/2").words
    assert "Changes needed" in browser.get().words


def test_uploading_keeps_what_was_typed_and_returns_to_the_place(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {
        **browser.get(ONE).fields(),
        HOW: "Typed before the upload",
        "criterion": "1.3",
        "file.1.3": chosen(pdf("Audit"), "../audit 2026.pdf"),
    }
    answer = browser.post(f"{ONE}/attach", sent)
    assert (answer.status, answer.location) == (
        303,
        f"{scene.base}{ONE}?open=1.3#evidence-1.3",
    )
    assert contents(work_as, scene)[LEAD].how_met == "Typed before the upload"
    page = browser.get(f"{ONE}?open=1.3")
    assert "audit 2026.pdf" in page.words
    assert "uploaded by Pat Quay" in page.words
    assert "Being checked for viruses" in page.words
    assert by_id(page.tree, "criterion-1.3").get("open") is not None


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"MZ", "setup.exe", "This kind of file is not accepted."),
        (b"a" * (25 * 1024 * 1024 + 1), "a.txt", "This file is larger than 25 MB."),
        (b"", "a.txt", "This file is empty."),
        (b"%PDF-1.4\n<html>", "a.pdf", "What is in this file is not what its name says."),
    ],
)
def test_a_refused_file_is_named_beside_its_control_and_words_are_kept(
    scene, work_as, content, name, words
):
    browser = scene.browser(scene.preparer)
    sent = {
        **browser.get(ONE).fields(),
        HOW: "Not lost",
        "criterion": "1.3",
        "file.1.3": chosen(content, name),
    }
    page = browser.post(f"{ONE}/attach", sent)
    assert page.status == 422
    assert words in page.words
    assert by_id(page.tree, "file.1.3").get("aria-invalid") == "true"
    assert page.fields()[HOW] == "Not lost"
    assert stored(work_as, scene, lambda work, _: work.session.query(Document).count()) == 0
    assert browser.post(ONE, page.fields()).status == 303
    assert contents(work_as, scene)[LEAD].how_met == "Not lost"


def test_pressing_attach_without_a_file_says_what_is_missing(scene):
    browser = scene.browser(scene.preparer)
    page = browser.post(f"{ONE}/attach", {**browser.get(ONE).fields(), "criterion": "1.3"})
    assert page.status == 422
    assert "Choose a file first, then press the button." in page.words


def test_a_chosen_file_is_not_lost_by_pressing_save(scene, work_as):
    browser = scene.browser(scene.preparer)
    sent = {**browser.get(ONE).fields(), "file.1.4": chosen(pdf("Plan"), "plan.pdf")}
    assert browser.post(ONE, sent).status == 303
    found = stored(work_as, scene, lambda work, one: queries.evidence_of(work.session, one.id))
    assert list(found) == ["1.4"]


def test_a_file_is_reused_and_detached(scene, work_as):
    revision = stored(work_as, scene, lambda work, one: make_document(work, one.trader_id))
    browser = scene.browser(scene.preparer)
    page = browser.get(ONE)
    assert revision.filename in page.words
    for _ in range(2):
        sent = {**page.fields(), "criterion": "1.3", "reuse.1.3": str(revision.id)}
        assert browser.post(f"{ONE}/attach", sent).status == 303
    found = stored(work_as, scene, lambda work, one: queries.evidence_of(work.session, one.id))
    assert [len(one) for one in found.values()] == [1]
    (evidence,) = found["1.3"]
    sent = {**browser.get(ONE).fields(), HOW: "Kept", "evidence": str(evidence.id)}
    assert browser.post(f"{ONE}/detach", sent).status == 303
    assert contents(work_as, scene)[LEAD].how_met == "Kept"
    assert stored(work_as, scene, lambda w, one: queries.evidence_of(w.session, one.id)) == {}
    assert browser.post(f"{ONE}/detach", {**sent, "evidence": str(new_id())}).status == 404


def test_a_section_is_marked_complete_or_says_what_is_missing(scene, work_as):
    browser = scene.browser(scene.officer)
    answer = browser.post(ONE, {**browser.get(ONE).fields(), HOW: "Kept", "completed": "yes"})
    assert answer.location == f"{scene.base}{ONE}?check=yes"
    page = browser.get(f"{ONE}?check=yes")
    assert page.status == 200
    assert "Saved, but not marked as complete yet" in page.words
    assert "1.3 Regular review of the security programme: not answered yet." in page.words
    assert contents(work_as, scene)[LEAD].how_met == "Kept"

    stored(work_as, scene, lambda work, one: answer_section(work, one, "2"))
    page = browser.get("/sections/2")
    assert page.fields()["completed"] == ["", "yes"]
    assert "Completed" in browser.get().words
    token = {"csrf_token": csrf_of(browser)}
    browser.post("/sections/2/complete", {**token, "completed": "no"})
    assert "Completed" not in browser.get().words
    answer = browser.post(
        "/sections/2", {**browser.get("/sections/2").fields(), "completed": "yes"}
    )
    assert answer.location == f"{scene.base}/sections/3"
    assert browser.post(f"{ONE}/complete", {**token, "completed": "yes"}).location.endswith(
        "/sections/1?check=yes"
    )


def test_hostile_words_are_only_words(scene):
    browser = scene.browser(scene.preparer)
    hostile = "</textarea><script>alert(1)</script>\n\"'<b>"
    sent = {**browser.get(ONE).fields(), HOW: hostile, "version": "9" * 40, "page_key": "<x>"}
    browser.post(ONE, sent)
    page = browser.get(ONE)
    assert "<script>alert" not in page.html
    assert page.fields()[HOW] == hostile
    assert "<script>alert" not in browser.get("/questions").html


def queries_of(engine, act) -> int:
    seen = []

    def add(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", add)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", add)
    return len(seen)


@pytest.mark.parametrize("path", ["", "/questions", "/sections/1"])
def test_a_page_costs_the_same_for_one_file_and_for_three(scene, work_as, engine, path):
    browser = scene.browser(scene.officer)
    browser.get(path)
    counts = []
    for number in (1, 2):
        for criterion_id in ("1.3", "1.4")[:number]:
            stored(
                work_as,
                scene,
                lambda work, one, to=criterion_id: service.attach_evidence(
                    work, one, to, make_document(work, one.trader_id).id
                ),
            )
        counts.append(queries_of(engine, lambda: browser.get(path)))
    assert counts[0] == counts[1]


def test_a_question_that_hangs_on_a_later_one_is_not_hidden(scene):
    """The style sheet can hide what follows a criterion's first question, and nothing else."""
    page = scene.browser(scene.officer).get("/sections/2")
    classes = {
        child.get("name"): box.get("class")
        for box in page.tree.iter("div")
        if "question" in (box.get("class") or "").split()
        for child in box.iter()
        if child.get("name")
    }
    assert "question--only-if-yes" not in classes["q.2.3.3"].split()
    assert any("question--only-if-yes" in kinds.split() for kinds in classes.values())


def test_questions_that_hang_on_another_criterion_are_shown_with_it(app, work_as):
    """The brokers' second version asks some things only of those who handle goods themselves."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Ada Brook")
        trader = make_trader(work, officer, entity_type=EntityType.BROKER)
        catalogue = catalogues().get("broker", "2026.2")
        elsewhere = next(
            (question, other)
            for criterion in catalogue.criteria()
            for question in criterion.questions
            for other in question.show_if
            if catalogue.criterion_of(other) is not criterion
        )
        assessment = service.start(
            work, trader.id, catalogue=catalogue, profile_id=catalogue.profiles[0].id
        )
        work.session.flush()
        home = f"/traders/{trader.id}/assessments/{assessment.id}"
    client = app.test_client()
    sign_in(client, officer)
    section = catalogue.section_of(catalogue.criterion_of(elsewhere[0].id).id)
    asked = catalogue.question(elsewhere[1]).text
    for page in (f"{home}/sections/{section.id}", f"{home}/questions"):
        assert asked in " ".join(unescape(client.get(page).text).split())
    assert client.get(f"{home}/workbook.xlsx").status_code == 200
