"""Saving, clashing, evidence, completing, locking and reopening, on the real database."""

import io
import json

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError

from app.assessments import queries, service
from app.assessments.errors import AnswersClashError, SectionLockedError
from app.assessments.models import Answer, AnswerRevision, Assessment
from app.assessments.rules import AnswerInput, Content
from app.assessments.snapshots import snapshot
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.authz.permissions import Permission
from app.documents import service as documents
from app.kernel.errors import (
    IllegalTransitionError,
    NotFoundError,
    NotReadyError,
    UnavailableError,
)
from app.kernel.ids import new_id
from tests.factories.assessments import (
    answer_everything,
    answer_section,
    good_answers,
    make_assessment,
)
from tests.factories.documents import make_document, pdf
from tests.factories.identity import make_person
from tests.factories.traders import acting, make_trader

LEAD, NEXT = "q.1.1.1", "q.1.2.1"


@pytest.fixture
def assessment(app, work):
    return make_assessment(work, make_trader(work, make_person(work)))


def tags(work, assessment):
    work.session.flush()
    found = work.session.query(AuditEvent).filter_by(subject_id=assessment.id)
    return [one.tag for one in found.order_by(AuditEvent.id)]


def save(work, assessment, answers, version, page_key="", section_id="1"):
    given = {
        question_id: one if isinstance(one, AnswerInput) else AnswerInput(value=one)
        for question_id, one in answers.items()
    }
    return service.save_answers(
        work,
        assessment,
        section_id,
        answers=given,
        expected_version=version,
        page_key=page_key,
    )


def content(work, assessment, question_id=LEAD):
    return queries.contents_of(work.session, assessment.id).get(question_id)


def test_a_save_is_one_version_one_event_and_one_revision_each(work, assessment):
    assert save(work, assessment, {LEAD: "yes", NEXT: "no"}, 0) == 1
    assert tags(work, assessment) == ["assessment:started", "assessment:answers-saved"]
    last = work.session.query(AuditEvent).filter_by(tag="assessment:answers-saved").one()
    assert last.data == {"section": "1", "questions": [LEAD, NEXT], "version": 1}
    history = queries.history_of(work.session, assessment.id, [LEAD, NEXT])
    assert [(one.question_id, one.value, one.version) for one in history] == [
        (LEAD, "yes", 1),
        (NEXT, "no", 1),
    ]


def test_saving_the_same_again_writes_nothing(work, assessment):
    save(work, assessment, {LEAD: "yes"}, 0)
    assert save(work, assessment, {LEAD: " yes "}, 0) == 1
    assert save(work, assessment, {}, 1) == 1
    assert tags(work, assessment) == ["assessment:started", "assessment:answers-saved"]


def test_the_explanations_of_an_answer_are_saved_with_it(work, assessment):
    given = AnswerInput("yes", "By\r\nposter\x00", "SOP-1", None)
    save(work, assessment, {LEAD: given}, 0)
    assert content(work, assessment) == Content("yes", "By\nposter", "SOP-1", "")
    save(work, assessment, {LEAD: AnswerInput(not_applicable_reason="No staff")}, 1)
    assert content(work, assessment) == Content("yes", "By\nposter", "SOP-1", "No staff")


def test_a_wrong_form_of_answer_saves_nothing_at_all(work, assessment):
    with pytest.raises(NotReadyError) as refusal:
        save(work, assessment, {LEAD: "yes", "q.1.2.3": "often", NEXT: "perhaps"}, 0)
    assert [one.field for one in refusal.value.problems] == ["q.1.2.3", NEXT]
    assert queries.contents_of(work.session, assessment.id) == {}


@pytest.mark.parametrize("question_id", ["q.2.1.1", "q.99.1", "", "1.1"])
def test_questions_of_other_sections_are_not_there(work, assessment, question_id):
    with pytest.raises(NotFoundError):
        save(work, assessment, {question_id: "yes"}, 0)


@pytest.mark.parametrize("section_id", ["99", "", "sections"])
def test_unknown_sections_are_not_there(work, assessment, section_id):
    with pytest.raises(NotFoundError):
        save(work, assessment, {LEAD: "yes"}, 0, section_id=section_id)


def test_two_pages_on_one_answer_clash_and_both_texts_are_there(work, assessment):
    save(work, assessment, {LEAD: AnswerInput("yes", "Theirs")}, 0, "tab-a")
    with pytest.raises(AnswersClashError) as refusal:
        save(work, assessment, {LEAD: AnswerInput("yes", "Yours"), NEXT: "no"}, 0, "tab-b")
    (clash,) = refusal.value.clashes
    assert (clash.theirs.how_met, clash.yours.how_met, clash.by) == ("Theirs", "Yours", "test")
    assert refusal.value.version == 1
    assert refusal.value.merged[NEXT].value == "no"
    assert content(work, assessment).how_met == "Theirs"
    assert content(work, assessment, NEXT) is None
    # The merged page knows the present version, so saving it once more is a decision.
    save(work, assessment, refusal.value.merged, refusal.value.version, "tab-c")
    assert content(work, assessment).how_met == "Yours"
    revisions = queries.history_of(work.session, assessment.id, [LEAD])
    assert [one.how_met for one in revisions] == ["Theirs", "Yours"]


def test_two_pages_on_two_answers_do_not_clash(work, assessment):
    save(work, assessment, {LEAD: "yes", NEXT: ""}, 0, "tab-a")
    save(work, assessment, {LEAD: "", NEXT: "no"}, 0, "tab-b")
    assert content(work, assessment).value == "yes"
    assert content(work, assessment, NEXT).value == "no"


def test_a_page_that_touched_nothing_overwrites_nothing(work, assessment):
    save(work, assessment, {LEAD: "yes"}, 0, "tab-a")
    assert save(work, assessment, {LEAD: ""}, 0, "tab-b") == 1
    assert content(work, assessment).value == "yes"


def test_a_page_never_clashes_with_itself_although_it_keeps_its_version(work, assessment):
    for words in ("A", "A poster", "A poster in the hall", ""):
        save(work, assessment, {LEAD: AnswerInput(how_met=words)}, 0, "tab-a")
    assert content(work, assessment).how_met == ""
    history = queries.history_of(work.session, assessment.id, [LEAD])
    assert [one.how_met for one in history] == ["A", "A poster", "A poster in the hall", ""]


def test_a_page_clashes_with_what_was_written_after_its_own_last_save(work, assessment):
    save(work, assessment, {LEAD: AnswerInput(how_met="Mine")}, 0, "tab-a")
    save(work, assessment, {LEAD: AnswerInput(how_met="Mine, corrected")}, 1, "tab-b")
    # Not touched since its last save: theirs stands.
    save(work, assessment, {LEAD: AnswerInput(how_met="Mine")}, 0, "tab-a")
    assert content(work, assessment).how_met == "Mine, corrected"
    with pytest.raises(AnswersClashError):
        save(work, assessment, {LEAD: AnswerInput(how_met="Mine, longer")}, 0, "tab-a")


def test_an_earlier_word_that_arrives_late_never_overwrites_a_later_one(work, assessment):
    """The background save was on its way when the person pressed the button."""
    save(work, assessment, {LEAD: AnswerInput(how_met="A po")}, 0, "tab-a")
    page = service.PageInput(
        answers={LEAD: AnswerInput(how_met="A poster")}, expected_version=0, page_key="tab-a"
    )
    service.save_page(work, assessment, "1", page)
    with pytest.raises(AnswersClashError):
        save(work, assessment, {LEAD: AnswerInput(how_met="A post")}, 0, "tab-a")
    assert content(work, assessment).how_met == "A poster"


def test_without_a_page_key_only_the_version_counts(work, assessment):
    save(work, assessment, {LEAD: "yes"}, 0)
    with pytest.raises(AnswersClashError):
        save(work, assessment, {LEAD: "no"}, 0)
    assert save(work, assessment, {LEAD: "no"}, 1) == 2


def test_the_past_cannot_be_altered(work_as, assessment, work):
    save(work, assessment, {LEAD: "yes"}, 0)
    for statement in ("UPDATE answer_revision SET value = 'no'", "DELETE FROM answer_revision"):
        with pytest.raises(ProgrammingError), work.session.begin_nested():
            work.session.execute(text(statement))
    assert work.session.query(AnswerRevision).one().value == "yes"
    with pytest.raises(ProgrammingError), work.session.begin_nested():
        work.session.execute(text("UPDATE assessment SET catalogue_sha256 = 'x'"))


def test_evidence_is_attached_once_detached_and_attached_again(work, assessment):
    revision = make_document(work, assessment.trader_id)
    first = service.attach_evidence(work, assessment, "1.3", revision.id)
    assert service.attach_evidence(work, assessment, "1.3", revision.id).id == first.id
    service.attach_evidence(work, assessment, "1.4", revision.id)
    service.detach_evidence(work, assessment, first.id)
    service.detach_evidence(work, assessment, first.id)
    assert list(queries.evidence_of(work.session, assessment.id)) == ["1.4"]
    assert queries.evidence_revision_ids(work.session, assessment.id) == {revision.id}
    again = service.attach_evidence(work, assessment, "1.3", revision.id)
    assert again.id != first.id
    assert tags(work, assessment)[1:] == [
        "assessment:evidence-attached",
        "assessment:evidence-attached",
        "assessment:evidence-detached",
        "assessment:evidence-attached",
    ]


def test_a_file_that_is_sent_twice_is_kept_and_attached_once(work, assessment):
    for name in ("a.pdf", "b.pdf"):
        service.upload_evidence(
            work, assessment, "1.3", filename=name, stream=io.BytesIO(pdf("once"))
        )
    ((one,),) = queries.evidence_of(work.session, assessment.id).values()
    assert one.revision.filename == "a.pdf"
    assert one.revision.document.owner_id == assessment.id


def test_a_refused_file_is_named_beside_its_criterion(work, assessment):
    with pytest.raises(NotReadyError) as refusal:
        service.upload_evidence(work, assessment, "1.3", filename="a.exe", stream=io.BytesIO(b"MZ"))
    assert [one.field for one in refusal.value.problems] == ["file.1.3"]


def test_foreign_removed_and_infected_files_support_nothing(work, assessment):
    other = make_trader(work, make_person(work), name="Other LLC")
    foreign = make_document(work, other.id)
    removed = make_document(work, assessment.trader_id)
    documents.remove(work, removed.document)
    infected = make_document(work, assessment.trader_id)
    documents.note_scan(work, infected, found="Eicar")
    for revision_id in (foreign.id, removed.id, infected.id, new_id()):
        with pytest.raises(NotFoundError):
            service.attach_evidence(work, assessment, "1.3", revision_id)
    late = make_document(work, assessment.trader_id)
    service.attach_evidence(work, assessment, "1.3", late.id)
    documents.note_scan(work, late, found="Eicar")
    work.session.flush()
    assert queries.usable(queries.evidence_of(work.session, assessment.id)) == {"1.3": 0}
    documents.remove(work, late.document)
    work.session.flush()
    assert queries.evidence_of(work.session, assessment.id) == {}
    assert queries.evidence_revision_ids(work.session, assessment.id) == set()


def test_another_assessments_evidence_is_not_there(work, assessment):
    other = make_assessment(work, make_trader(work, make_person(work), name="Other LLC"))
    evidence = service.attach_evidence(work, other, "1.3", make_document(work, other.trader_id).id)
    with pytest.raises(NotFoundError):
        service.detach_evidence(work, assessment, evidence.id)


def test_a_section_is_complete_when_a_person_says_so_and_nothing_is_missing(work, assessment):
    with pytest.raises(NotReadyError) as refusal:
        service.complete_section(work, assessment, "1")
    assert {one.params["section"] for one in refusal.value.problems} == {"1"}
    answer_section(work, assessment, "1")
    first = queries.progress(work.session, assessment)[0]
    assert (first.completed, first.answered, first.total) == (True, 4, 4)
    service.complete_section(work, assessment, "1")
    service.reopen_section(work, assessment, "1")
    service.reopen_section(work, assessment, "1")
    assert not queries.progress(work.session, assessment)[0].completed
    assert tags(work, assessment)[-2:] == [
        "assessment:section-completed",
        "assessment:section-reopened",
    ]


def test_progress_counts_what_applies_and_a_stranger_section_is_untouched(work, assessment):
    save(work, assessment, {LEAD: "yes", "q.1.1.2": "In the hall"}, 0)
    first, second, *_ = queries.progress(work.session, assessment)
    assert (first.answered, first.total, first.started, first.completed) == (1, 4, True, False)
    assert (second.answered, second.started) == (0, False)
    assert first.musts_unanswered == first.musts == 2
    save(work, assessment, {LEAD: "yes", "q.1.1.2": ""}, 1)
    assert queries.progress(work.session, assessment)[0].answered == 0


def test_a_submitted_assessment_is_locked_and_a_return_opens_the_named_sections(work, assessment):
    answer_section(work, assessment, "1")
    answer_section(work, assessment, "2")
    service.lock(work, assessment)
    assert assessment.state == "submitted"
    for section_id, answer in (("1", {LEAD: "no"}), ("2", {"q.2.1.1": "no"})):
        with pytest.raises(SectionLockedError):
            save(work, assessment, answer, 9, section_id=section_id)
    with pytest.raises(SectionLockedError):
        service.reopen_section(work, assessment, "1")
    revision = make_document(work, assessment.trader_id)
    with pytest.raises(SectionLockedError):
        service.attach_evidence(work, assessment, "1.3", revision.id)
    attached = queries.evidence_of(work.session, assessment.id)["1.3"][0]
    with pytest.raises(SectionLockedError):
        service.detach_evidence(work, assessment, attached.id)
    with pytest.raises(IllegalTransitionError):
        service.lock(work, assessment)

    with pytest.raises(NotFoundError):
        service.reopen(work, assessment, ["1", "99"])
    service.reopen(work, assessment, ["2"])
    service.reopen(work, assessment, ["3"])
    work.session.flush()
    assert assessment.reopened_sections == ["2", "3"]
    by_id = {one.section.id: one for one in queries.progress(work.session, assessment)}
    assert [by_id[n].editable for n in "123"] == [False, True, True]
    assert [by_id[n].completed for n in "123"] == [True, False, False]
    save(work, assessment, {"q.2.1.1": "no"}, 9, section_id="2")
    with pytest.raises(SectionLockedError):
        save(work, assessment, {LEAD: "no"}, 9)
    service.lock(work, assessment)
    assert assessment.reopened_sections == []
    assert [tag for tag in tags(work, assessment) if "lock" in tag or "assessment:reop" in tag] == [
        "assessment:locked",
        "assessment:reopened",
        "assessment:reopened",
        "assessment:locked",
    ]


def test_a_draft_cannot_be_returned(work, assessment):
    with pytest.raises(IllegalTransitionError):
        service.reopen(work, assessment, ["1"])


def test_everything_answered_leaves_no_gap_and_the_snapshot_tells_all(work, assessment):
    answer_everything(work, assessment)
    assert queries.open_gaps(work.session, assessment) == []
    told = snapshot(work.session, assessment)
    catalogue = queries.catalogue_of(assessment)
    assert told["catalogue"]["sha256"] == catalogue.sha256 == assessment.catalogue_sha256
    criteria = [one for section in told["sections"] for one in section["criteria"]]
    assert [one["id"] for one in criteria] == [one.id for one in catalogue.criteria()]
    asked = [one for criterion in criteria for one in criterion["questions"]]
    assert len(asked) == len(list(catalogue.questions()))
    assert all(one["text"] and one["value"] and one["label"] for one in asked)
    assert all(len(one["evidence"]) == one["evidence_wanted"] for one in criteria)
    (file,) = next(one["evidence"] for one in criteria if one["evidence"])
    assert len(file["sha256"]) == 64
    assert file["filename"].endswith(".pdf")


def test_the_snapshot_of_an_empty_assessment_says_that_nothing_was_answered(work, assessment):
    told = json.loads(json.dumps(snapshot(work.session, assessment)))
    first = told["sections"][0]["criteria"][0]
    assert first["state"] == "unanswered"
    assert first["questions"][0]["value"] == ""
    assert first["questions"][0]["answered_by"] is None


class Counter:
    def __init__(self, session):
        self.session = session
        self.count = 0

    def __enter__(self):
        event.listen(self.session.get_bind(), "before_cursor_execute", self.add)
        return self

    def __exit__(self, *_):
        event.remove(self.session.get_bind(), "before_cursor_execute", self.add)

    def add(self, *_):
        self.count += 1


@pytest.mark.parametrize("read", [queries.progress, queries.open_gaps])
def test_reading_costs_the_same_for_one_section_and_for_three(work, assessment, read):
    counts = []
    for section_ids in ("1", "23"):
        for section_id in section_ids:
            answer_section(work, assessment, section_id)
        work.session.flush()
        work.session.expire_all()
        work.session.refresh(assessment)
        with Counter(work.session) as counter:
            read(work.session, assessment)
        counts.append(counter.count)
    assert counts[0] == counts[1] <= 3


def test_an_altered_catalogue_is_refused(work, assessment, super_engine, work_as):
    work.session.commit()
    with super_engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE assessment SET catalogue_sha256 = repeat('0', 64)")
    with work_as(system_actor("test")) as fresh:
        found = fresh.session.get(Assessment, assessment.id)
        with pytest.raises(UnavailableError):
            service.lock(fresh, found)
        fresh.session.rollback()


def test_a_stranger_sees_no_assessment(work, assessment):
    stranger = acting(work, make_person(work))
    for trader_id, assessment_id in (
        (assessment.trader_id, assessment.id),
        (new_id(), assessment.id),
        (assessment.trader_id, new_id()),
    ):
        with pytest.raises(NotFoundError):
            queries.visible_assessment(stranger, trader_id, assessment_id, Permission.TRADER_VIEW)


def test_answers_of_all_types_fit_their_questions(work, assessment):
    for section in queries.catalogue_of(assessment).sections_in(assessment.profile_id):
        save(work, assessment, good_answers(section.criteria), 0, section_id=section.id)
    assert work.session.query(Answer).count() == len(
        list(queries.catalogue_of(assessment).questions())
    )
