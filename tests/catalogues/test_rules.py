"""Applicability is three-valued, and a criterion's state follows from its questions."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogues.check import examine
from app.catalogues.loader import catalogues
from app.catalogues.model import Catalogue, UnknownIdError
from app.catalogues.rules import (
    Answers,
    Applicability,
    CriterionState,
    Given,
    applicable,
    criterion_state,
)

SOUND = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")
APPLIES = Applicability.APPLIES
NOT = Applicability.DOES_NOT_APPLY
OPEN = Applicability.UNDETERMINED


def tiny() -> Catalogue:
    content, faults = examine(SOUND.encode(), "tiny.yaml")
    assert content is not None, faults
    return Catalogue(content, "0" * 64)


@pytest.mark.parametrize(
    ("answers", "second", "third"),
    [
        ({}, OPEN, OPEN),
        ({"q.1.1.1": Given("   ")}, OPEN, OPEN),
        ({"q.1.1.1": Given("no")}, NOT, NOT),
        ({"q.1.1.1": Given("yes")}, APPLIES, OPEN),
        ({"q.1.1.1": Given("yes"), "q.1.1.2": Given("paper")}, APPLIES, APPLIES),
        ({"q.1.1.1": Given("yes"), "q.1.1.2": Given("stone")}, APPLIES, NOT),
        # An answer that went stale when its question fell away decides nothing any more.
        ({"q.1.1.1": Given("no"), "q.1.1.2": Given("paper")}, NOT, NOT),
        # A claim that the question does not apply is not yet accepted by anybody.
        ({"q.1.1.1": Given(not_applicable=True)}, OPEN, OPEN),
    ],
)
def test_conditions_are_followed_through(
    answers: Answers, second: Applicability, third: Applicability
) -> None:
    found = applicable(tiny(), "low", answers)
    assert dict(found.questions) == {"q.1.1.1": APPLIES, "q.1.1.2": second, "q.2.1.1": third}
    assert dict(found.criteria) == {"1.1": APPLIES, "2.1": third}


@pytest.mark.parametrize(
    ("answers", "first", "second"),
    [
        ({}, CriterionState.UNANSWERED, CriterionState.UNDETERMINED),
        ({"q.1.1.1": Given("no")}, CriterionState.ANSWERED, CriterionState.DOES_NOT_APPLY),
        ({"q.1.1.1": Given("yes")}, CriterionState.UNANSWERED, CriterionState.UNDETERMINED),
        (
            {"q.1.1.1": Given(not_applicable=True)},
            CriterionState.UNDETERMINED,
            CriterionState.UNDETERMINED,
        ),
        (
            {"q.1.1.1": Given("yes"), "q.1.1.2": Given("paper")},
            CriterionState.ANSWERED,
            CriterionState.UNANSWERED,
        ),
        (
            {
                "q.1.1.1": Given("yes"),
                "q.1.1.2": Given("paper"),
                "q.2.1.1": Given(not_applicable=True),
            },
            CriterionState.ANSWERED,
            CriterionState.NOT_APPLICABLE_CLAIMED,
        ),
    ],
)
def test_a_criterion_is_answered_only_when_every_question_is(
    answers: Answers, first: CriterionState, second: CriterionState
) -> None:
    catalogue = tiny()
    found = applicable(catalogue, "low", answers)
    states = [
        criterion_state(catalogue.criterion(one), found.questions, answers)
        for one in ("1.1", "2.1")
    ]
    assert states == [first, second]


def test_a_profile_weighs_criteria_its_own_way() -> None:
    catalogue = tiny()
    assert catalogue.modality("low", "2.1") == "should"
    assert catalogue.modality("high", "2.1") == "must"
    assert catalogue.modality("high", "1.1") == "must"
    with pytest.raises(UnknownIdError):
        catalogue.modality("middle", "1.1")


def test_what_a_profile_leaves_out_is_neither_applicable_nor_weighed() -> None:
    content, faults = examine(
        SOUND.replace('tier: 1\n    include: ["1", "2"]', 'tier: 1\n    include: ["1"]').encode(),
        "tiny.yaml",
    )
    assert content is not None, faults
    catalogue = Catalogue(content, "0" * 64)
    assert set(applicable(catalogue, "low", {}).criteria) == {"1.1"}
    with pytest.raises(UnknownIdError):
        catalogue.modality("low", "2.1")


def some_answers(catalogue: Catalogue) -> st.SearchStrategy[dict[str, Given]]:
    """Draw answers for the questions that conditions hang on, and claims in their place."""
    asked = sorted({other for question in catalogue.questions() for other in question.show_if})
    one = st.one_of(
        st.sampled_from([Given(), Given(" "), Given(not_applicable=True), Given("no such answer")]),
        st.sampled_from(
            sorted(
                {
                    value
                    for question_id in asked
                    for value in catalogue.question(question_id).possible or ()
                }
            )
        ).map(Given),
    )
    return st.dictionaries(st.sampled_from(asked), one)


IMPORTER = catalogues().current("security", "importer")


@settings(max_examples=60)
@given(answers=some_answers(IMPORTER), more=some_answers(IMPORTER))
def test_learning_more_settles_what_was_open_and_never_unsettles(
    answers: dict[str, Given], more: dict[str, Given]
) -> None:
    before = applicable(IMPORTER, "importer-tier1", answers)
    assert set(before.questions) == {question.id for question in IMPORTER.questions()}
    assert set(before.criteria) == {criterion.id for criterion in IMPORTER.criteria()}
    told = {key: value for key, value in answers.items() if value.is_answered}
    after = applicable(IMPORTER, "importer-tier1", {**more, **told})
    for question in IMPORTER.questions():
        if not question.show_if:
            assert before.questions[question.id] is APPLIES
        elif before.questions[question.id] is not OPEN:
            # Only blanks and unaccepted claims were filled in, so every verdict must stand.
            assert after.questions[question.id] is before.questions[question.id]


@settings(max_examples=60)
@given(answers=some_answers(IMPORTER))
def test_a_criterion_never_falls_away_while_a_question_of_it_might_apply(
    answers: dict[str, Given],
) -> None:
    found = applicable(IMPORTER, "importer-tier1", answers)
    for criterion in IMPORTER.criteria():
        verdicts = {found.questions[question.id] for question in criterion.questions}
        assert (found.criteria[criterion.id] is NOT) == (verdicts == {NOT})
        state = criterion_state(criterion, found.questions, answers)
        assert (state is CriterionState.DOES_NOT_APPLY) == (verdicts == {NOT})
