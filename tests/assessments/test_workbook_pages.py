"""The workbook on its way out and back: what is refused by name, shown, chosen, taken once."""

import io
import re
import threading
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.assessments import queries, service
from app.assessments.errors import WorkbookOvertakenError
from app.assessments.models import AnswerRevision, AnswerWorkbook, Assessment
from app.assessments.rules import AnswerInput
from app.assessments.workbook.preview import differences
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import TraderRole, system_actor
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.traders.models import Trader
from tests.assessments.conftest import chosen
from tests.factories.assessments import make_assessment
from tests.factories.traders import appoint_person
from tests.factories.workbooks import make_workbook, parts_of, rows_of, spot, typed, zipped


@pytest.fixture
def questions(scene, work_as) -> list[str]:
    """The first three questions of the first section that take a free text beside them."""
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        section = queries.catalogue_of(assessment).sections_in(assessment.profile_id)[0]
        return [one.questions[0].id for one in section.criteria[:3]]


def say(scene, work_as, texts: dict[str, str], *, who: str = "Colleague") -> None:
    with work_as(system_actor(who)) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        section = queries.catalogue_of(assessment).sections_in(assessment.profile_id)[0]
        version = queries.sections_of(work.session, assessment.id)[section.id].version
        service.save_answers(
            work,
            assessment,
            section.id,
            answers={one: AnswerInput(how_met=text) for one, text in texts.items()},
            expected_version=version,
        )


def contents(scene, work_as) -> dict[str, str]:
    with work_as(system_actor("test")) as work:
        found = queries.contents_of(work.session, scene.assessment_id)
        return {one: content.how_met for one, content in found.items()}


def events(work_as, tag: EventTag) -> list[AuditEvent]:
    with work_as(system_actor("test")) as work:
        return list(work.session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)))


def download(browser) -> bytes:
    answer = browser.client.get(f"{browser.base}/workbook.xlsx")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return answer.data


def upload(browser, content: bytes, name: str = "filled.xlsx"):
    page = browser.get("/workbook")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.html)[1]
    return browser.post("/workbook", {"csrf_token": token, "file": chosen(content, name)})


def form_of(page) -> dict[str, list[str]]:
    """The form of the differences, as a browser sends it untouched."""
    form = next(one for one in page.tree.iter("form") if "/workbook/" in one.get("action", ""))
    found: dict[str, list[str]] = {}
    for one in form.iter("input"):
        if one.get("type") == "checkbox" and one.get("checked") is None:
            continue
        found.setdefault(one.get("name"), []).append(one.get("value"))
    return found


def path_of(browser, location: str) -> str:
    return location.split(browser.base, 1)[1]


def test_round_trip_shows_old_and_new_and_takes_what_is_ticked(scene, work_as, questions):
    first, second, third = questions
    say(scene, work_as, {first: "As before", second: "Kept words"})
    browser = scene.browser(scene.preparer)
    content = download(browser)
    filled = typed(
        content,
        {
            spot(content, first, "how_met"): "In new words",
            spot(content, second, "how_met"): None,
            spot(content, third, "how_met"): "For the first time",
            spot(content, third): "perhaps",
        },
    )
    answer = upload(browser, filled)
    assert answer.status == 303
    path = path_of(browser, answer.location)
    page = browser.get(path)
    for words in ("As before", "In new words", "For the first time", "Nothing has been changed"):
        assert words in page.words
    sheet, row, column = spot(content, third)
    assert f"{sheet}" in page.words
    assert f"F{row + 1}" in page.words
    assert column == 5
    # Emptying is shown, and is not chosen unless somebody says so.
    form = form_of(page)
    assert form["take"] == [first, third]
    assert contents(scene, work_as) == {first: "As before", second: "Kept words"}

    assert browser.post(path, form).status == 303
    now = contents(scene, work_as)
    assert now == {first: "In new words", second: "Kept words", third: "For the first time"}
    assert len(events(work_as, EventTag.WORKBOOK_APPLIED)) == 1
    with work_as(system_actor("test")) as work:
        kept = work.session.scalars(
            select(AnswerRevision).where(AnswerRevision.how_met == "In new words")
        ).one()
        assert kept.saved_by == scene.preparer.id
        row = work.session.scalars(select(AnswerWorkbook)).one()
        assert (row.state, row.given, row.taken) == ("applied", {}, 2)

    # The same button once more changes nothing and says the same.
    say(scene, work_as, {first: "Written since"})
    assert browser.post(path, form).status == 303
    assert contents(scene, work_as)[first] == "Written since"
    assert len(events(work_as, EventTag.WORKBOOK_APPLIED)) == 1
    assert browser.get(path).status == 303


def test_what_changed_meanwhile_is_a_conflict_and_is_not_chosen(scene, work_as, questions):
    first, second, third = questions
    say(scene, work_as, {first: "Old", second: "Old too", third: "Third"})
    browser = scene.browser(scene.preparer)
    content = download(browser)
    say(scene, work_as, {first: "Changed by a colleague", third: "Changed as well"})
    filled = typed(
        content,
        {
            spot(content, first, "how_met"): "Changed offline",
            spot(content, second, "how_met"): "Changed offline too",
        },
    )
    path = path_of(browser, upload(browser, filled).location)
    page = browser.get(path)
    assert "Conflict" in page.words
    assert "Colleague changed this answer after the workbook was downloaded" in page.words
    assert "Changed by a colleague" in page.words
    # What the workbook left alone is no difference, although it changed in the portal.
    assert "Changed as well" not in page.words
    form = form_of(page)
    assert form["take"] == [second]
    form["take"] = [first, second]
    assert browser.post(path, form).status == 303
    assert contents(scene, work_as) == {
        first: "Changed offline",
        second: "Changed offline too",
        third: "Changed as well",
    }
    with work_as(system_actor("test")) as work:
        texts = set(work.session.scalars(select(AnswerRevision.how_met)))
    assert texts >= {"Changed by a colleague", "Changed offline"}


def test_what_changed_after_the_page_was_opened_is_shown_again(scene, work_as, questions):
    first, second, _ = questions
    browser = scene.browser(scene.preparer)
    content = download(browser)
    filled = typed(
        content,
        {
            spot(content, first, "how_met"): "Mine",
            spot(content, second, "how_met"): "Mine too",
        },
    )
    path = path_of(browser, upload(browser, filled).location)
    form = form_of(browser.get(path))
    say(scene, work_as, {first: "A colleague was faster"})
    again = browser.post(path, form)
    assert again.status == 409
    assert "A colleague was faster" in again.words
    assert "Mine" in again.words
    assert contents(scene, work_as) == {first: "A colleague was faster"}
    assert browser.post(path, form_of(again)).status == 303
    assert contents(scene, work_as) == {first: "Mine", second: "Mine too"}


def test_two_people_who_apply_at_once_take_it_once(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        received = make_workbook(work, assessment, {questions[0]: "Words"})
        workbook_id = received.id
    outcome: list[object] = []
    barrier = threading.Barrier(2)

    def press(who: str) -> None:
        with work_as(system_actor(who)) as work:
            assessment = work.session.get(Assessment, scene.assessment_id)
            received = work.session.get(AnswerWorkbook, workbook_id)
            barrier.wait(10)
            outcome.append(
                service.apply_workbook(
                    work, assessment, received, chosen=[questions[0]], seen={"1": 0}
                )
            )

    threads = [threading.Thread(target=press, args=(who,)) for who in ("left", "right")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert outcome == [1, 1]
    assert len(events(work_as, EventTag.WORKBOOK_APPLIED)) == 1


def test_other_workbooks_are_refused_by_name_and_foreign_ones_as_unknown(scene, work_as, questions):
    browser = scene.browser(scene.preparer)
    content = download(browser)
    with work_as(system_actor("test")) as work:
        trader = work.session.get(Trader, scene.trader_id)
        second_id = make_assessment(work, trader).id
        foreign = work.session.scalars(
            select(Trader).where(Trader.name == "Other Imports LLC")
        ).one()
        foreign_id = make_assessment(work, foreign).id
        # Whoever acts for both companies is told no more than anybody else.
        appoint_person(work, foreign, scene.stranger, scene.preparer, TraderRole.PREPARER)

    def refused(replacing: dict[str, str]) -> str:
        cells = {}
        for number, row in enumerate(rows_of(content)["Cover"]):
            if row and row[0] in replacing:
                cells["Cover", number, 2] = replacing[row[0]]
        assert len(cells) == len(replacing)
        answer = upload(browser, typed(content, cells))
        assert answer.status == 422
        return re.search(r'id="file-error">(.*?)</div>', answer.html, re.DOTALL)[1]

    assert "version 2019.1 of the criteria" in refused({"version": "2019.1"})
    assert "of the criteria" in refused({"sha256": "0" * 64})
    assert "earlier or later release" in refused({"format": "fairway-assessment-workbook-0"})
    assert "another assessment of yours" in refused({"assessment": str(second_id)})
    unknown = refused({"assessment": str(foreign_id)})
    assert unknown == refused({"assessment": "0198a0a0-0000-7000-8000-000000000000"})
    assert unknown == refused({"assessment": "=1+1"[1:]})
    parts = parts_of(content)
    other = zipped(
        parts
        | {"xl/sharedStrings.xml": parts["xl/sharedStrings.xml"].replace(b">cover<", b">else<")}
    )
    answer = upload(browser, other)
    assert answer.status == 422
    assert "that you can see here" in answer.words
    assert events(work_as, EventTag.WORKBOOK_RECEIVED) == []


def test_nothing_chosen_and_put_away(scene, work_as, questions):
    browser = scene.browser(scene.preparer)
    content = download(browser)
    filled = typed(content, {spot(content, questions[0], "how_met"): "Words"})
    path = path_of(browser, upload(browser, filled).location)
    form = form_of(browser.get(path)) | {"take": []}
    again = browser.post(path, form)
    assert again.status == 422
    assert "Choose at least one answer" in again.words
    assert "filled.xlsx" in browser.get("/workbook").words
    assert browser.post(f"{path}/discard", form).status == 303
    assert browser.get(path).status == 303
    assert "filled.xlsx" not in browser.get("/workbook").words
    assert contents(scene, work_as) == {}
    assert browser.post(path, form | {"take": [questions[0]]}).status == 409
    assert contents(scene, work_as) == {}
    with work_as(system_actor("test")) as work:
        assert work.session.scalars(select(AnswerWorkbook)).one().given == {}


def test_without_a_file_and_for_those_who_only_look(scene, work_as):
    browser = scene.browser(scene.preparer)
    page = browser.get("/workbook")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.html)[1]
    refused = browser.post("/workbook", {"csrf_token": token})
    assert refused.status == 422
    assert "Choose the workbook that you filled in." in refused.words
    viewer = scene.browser(scene.viewer)
    assert "Your role does not include" in viewer.get("/workbook").words
    assert len(download(viewer)) > 10_000
    stranger = scene.browser(scene.stranger)
    assert stranger.get("/workbook").status == 404
    assert stranger.client.get(f"{stranger.base}/workbook.xlsx").status_code == 404


def test_a_submitted_assessment_takes_nothing(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        received = make_workbook(work, assessment, {questions[0]: "Words"})
        workbook_id = received.id
        service.lock(work, assessment)
    browser = scene.browser(scene.preparer)
    assert "cannot be changed now" in browser.get("/workbook").words
    path = f"/workbook/{workbook_id}"
    page = browser.get(path)
    assert "Locked" in page.words
    form = form_of(page)
    assert "take" not in form
    assert browser.post(path, form | {"take": [questions[0]]}).status == 409
    assert contents(scene, work_as) == {}


def test_what_the_workbook_did_not_give_cannot_be_taken(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        received = make_workbook(work, assessment, {questions[0]: "Words"})
        with pytest.raises(NotFoundError):
            service.apply_workbook(work, assessment, received, chosen=["q.none"], seen={})
        other = make_assessment(work, work.session.get(Trader, scene.trader_id))
        with pytest.raises(NotFoundError):
            queries.visible_workbook(work, other, received.id)
        assert len(differences(work.session, assessment, received)) == 1


def test_criteria_that_changed_since_the_upload_refuse_it(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        received = AnswerWorkbook(
            id=work.new_id(),
            trader_id=assessment.trader_id,
            assessment_id=assessment.id,
            catalogue_sha256="0" * 64,
            filename="filled.xlsx",
            sha256="1" * 64,
            shown_versions={},
            given={questions[0]: {"how_met": "Words"}},
            faults=[],
            received_at=work.now,
            received_by_name="Pat Quay",
            taken=0,
        )
        work.session.add(received)
        with pytest.raises(ConflictError, match="criteria"):
            service.apply_workbook(work, assessment, received, chosen=[questions[0]], seen={})


def test_what_was_decided_on_says_nothing_any_more_in_sql(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        workbook_id = make_workbook(work, assessment, {questions[0]: "Words"}).id
    with (
        pytest.raises(Exception, match="ck_answer_workbook"),
        work_as(system_actor("test")) as work,
    ):
        work.session.execute(
            update(AnswerWorkbook)
            .where(AnswerWorkbook.id == UUID(str(workbook_id)))
            .values(_state="applied")
        )


def test_an_overtaken_workbook_names_the_answers(scene, work_as, questions):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        received = make_workbook(work, assessment, dict.fromkeys(questions, "Words"))
        service.save_answers(
            work,
            assessment,
            "1",
            answers={questions[1]: AnswerInput(how_met="Faster")},
            expected_version=0,
        )
        work.session.flush()
        with pytest.raises(WorkbookOvertakenError) as overtaken:
            service.apply_workbook(work, assessment, received, chosen=questions, seen={"1": 0})
        assert overtaken.value.question_ids == (questions[1],)
        with pytest.raises(NotReadyError):
            service.receive_workbook(
                work, assessment, filename="x.xlsx", stream=io.BytesIO(b"PK nothing")
            )
