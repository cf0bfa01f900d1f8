"""Shapes of answers, the verdict over two writers, and the gaps."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assessments.rules import (
    EMPTY,
    AnswerInput,
    Content,
    Verdict,
    gaps,
    settle,
    shape_problems,
    spoken,
    standings,
    table_rows,
    table_text,
)
from app.catalogues.loader import catalogues
from app.catalogues.model import Question
from app.catalogues.rules import CriterionState
from tests.factories.assessments import good_value

IMPORTER = catalogues().get("importer", "2026.1")
PROFILE = "importer-tier1"


def question(kind: str) -> Question:
    options = {}
    if kind in {"choice", "level"}:
        options["choices"] = [
            {"value": "weak", "label": "Weak one"},
            {"value": "strong", "label": "Strong one"},
        ]
    if kind == "table":
        options["columns"] = [
            {"value": "name", "label": "Name"},
            {"value": "duty", "label": "Duty"},
        ]
    raw = {"id": "q.1.1.1", "text": "What is it?", "type": kind, "carry": "never", **options}
    return Question.model_validate(raw, strict=False)


ROW = {"name": "Ruth", "duty": "Seals"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("yes_no", "yes"),
        ("yes_no", "no"),
        ("choice", "weak"),
        ("level", "strong"),
        ("number", "0"),
        ("number", "1200.5"),
        ("date", "2024-02-29"),
        ("text", "Anything"),
        ("doc_ref", "SOP-7, page 3"),
        ("table", json.dumps([ROW])),
        *((kind, "") for kind in ("yes_no", "choice", "number", "date", "table", "text")),
    ],
)
def test_answers_of_the_right_form_have_no_problem(kind, value):
    assert shape_problems(question(kind), AnswerInput(value=value)) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("yes_no", "maybe"),
        ("yes_no", "Yes"),
        ("choice", "medium"),
        ("number", "12 of them"),
        ("number", "١٢٣"),
        ("number", "1_000"),
        ("number", "1e9"),
        ("number", "-1"),
        ("number", "nan"),
        ("date", "24.11.2026"),
        ("date", "2026-02-30"),
        ("date", "0026-01-01"),
        ("date", "2026-1-1"),
        ("date", "٢٠٢٦-01-01"),
        ("text", "a" * 4001),
        ("table", "not json"),
        ("table", "[1]"),
        ("table", '["ab"]'),
        ("table", '{"name": "x"}'),
        ("table", '"text"'),
        ("table", json.dumps([{"name": "x"}])),
        ("table", json.dumps([{**ROW, "more": "x"}])),
        ("table", json.dumps([{**ROW, "duty": 3}])),
        ("table", json.dumps([{**ROW, "duty": "x" * 501}])),
        ("table", json.dumps([ROW] * 201)),
        ("table", "[" * 100_000),
    ],
)
def test_answers_of_a_wrong_form_are_named_beside_their_control(kind, value):
    (problem,) = shape_problems(question(kind), AnswerInput(value=value))
    assert problem.field == "q.1.1.1"


def test_each_text_has_its_own_limit_and_its_own_field():
    long = AnswerInput(
        how_met="a" * 8001, document_reference="a" * 501, not_applicable_reason="a" * 2001
    )
    assert [problem.field for problem in shape_problems(question("text"), long)] == [
        "q.1.1.1.how_met",
        "q.1.1.1.document_reference",
        "q.1.1.1.not_applicable_reason",
    ]


@given(st.text())
def test_cleaning_keeps_words_and_does_nothing_twice(text):
    once = AnswerInput(value=text).cleaned()
    assert once.cleaned() == once
    assert "\x00" not in once.value
    assert "\r" not in once.value
    visible = "".join(char for char in text if char.isalnum())
    assert "".join(char for char in once.value if char.isalnum()) == visible


@given(st.lists(st.fixed_dictionaries({"name": st.text(), "duty": st.text()}), max_size=5))
def test_a_table_comes_back_as_it_was_without_empty_rows(rows):
    text = table_text(rows)
    back = table_rows(text)
    assert table_text(back) == text
    assert all(any(row.values()) for row in back)


def test_values_are_spoken_in_words():
    assert spoken(question("yes_no"), "yes") == "Yes"
    assert spoken(question("choice"), "weak") == "Weak one"
    assert spoken(question("table"), json.dumps([ROW, ROW])) == "\n".join(
        ["Name: Ruth; Duty: Seals"] * 2
    )
    assert spoken(question("number"), "12") == "12"


def test_the_verdict_over_two_writers_never_overwrites_unseen():
    """All combinations of what was shown, what stands and what is sent."""
    texts = ("", "a", "b")
    for shown, present, sent, foreign in product(texts, texts, texts, (False, True)):
        if not foreign and shown != present:
            continue
        verdict = settle(
            AnswerInput(value=sent),
            shown=Content(value=shown),
            present=Content(value=present),
            foreign=foreign,
        )
        if sent == present:
            assert verdict is Verdict.KEEP
        elif not foreign:
            assert verdict is Verdict.WRITE
        elif sent == shown:
            assert verdict is Verdict.KEEP
        else:
            assert verdict is Verdict.CLASH


def test_texts_that_are_not_given_stay():
    present = Content("yes", "By camera", "SOP-1", "")
    given_input = AnswerInput(value="no")
    assert given_input.onto(present) == Content("no", "By camera", "SOP-1", "")


def full() -> dict[str, Content]:
    return {one.id: Content(value=good_value(one)) for one in IMPORTER.questions()}


def evidence() -> dict[str, int]:
    return {one.id: one.evidence.min for one in IMPORTER.criteria()}


MUSTS = [one for one in IMPORTER.criteria() if IMPORTER.modality(PROFILE, one.id) == "must"]
SHOULD = next(one for one in IMPORTER.criteria() if one.modality == "should")


def test_nothing_answered_leaves_every_must_open_and_nothing_else():
    found = gaps(IMPORTER, PROFILE, {}, {})
    assert [problem.params["criterion"] for problem in found] == [one.id for one in MUSTS]
    assert {problem.code for problem in found} == {"unanswered"}
    assert {one.state for one in standings(IMPORTER, PROFILE, {}, {})} == {
        CriterionState.UNANSWERED
    }


def test_everything_answered_with_evidence_leaves_no_gap():
    assert gaps(IMPORTER, PROFILE, full(), evidence()) == []


def test_a_should_without_an_answer_is_no_gap():
    answers = full()
    for one in SHOULD.questions:
        del answers[one.id]
    assert gaps(IMPORTER, PROFILE, answers, evidence()) == []


@pytest.mark.parametrize(
    ("how_met", "files", "codes"),
    [("", 0, ["plan-missing"]), ("We will by June.", 0, []), ("", 3, ["plan-missing"])],
)
def test_a_no_needs_a_plan_and_no_evidence(how_met, files, codes):
    must = next(one for one in MUSTS if one.questions[0].type == "yes_no")
    answers = full() | {must.questions[0].id: Content(value="no", how_met=how_met)}
    found = gaps(IMPORTER, PROFILE, answers, evidence() | {must.id: files})
    assert [problem.code for problem in found] == codes
    assert all(problem.params["criterion"] == must.id for problem in found)


def test_missing_evidence_is_a_gap_beside_the_file_control():
    must = next(one for one in MUSTS if one.evidence.min)
    found = gaps(IMPORTER, PROFILE, full(), evidence() | {must.id: 0})
    assert [(problem.code, problem.field) for problem in found] == [
        ("evidence-missing", f"file.{must.id}")
    ]


def test_a_claim_that_it_does_not_apply_needs_neither_evidence_nor_plan():
    must = next(one for one in MUSTS if one.evidence.min)
    claim = {one.id: Content(not_applicable_reason="No such cargo") for one in must.questions}
    found = gaps(IMPORTER, PROFILE, full() | claim, evidence() | {must.id: 0})
    assert found == []
    (one,) = [
        s for s in standings(IMPORTER, PROFILE, full() | claim, {}) if s.criterion.id == must.id
    ]
    assert one.state is CriterionState.NOT_APPLICABLE_CLAIMED


def test_an_empty_content_is_unanswered():
    assert not EMPTY.given.is_answered
    assert not EMPTY.given.not_applicable
