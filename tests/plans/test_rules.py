"""When an action is late, and what a promise needs."""

from datetime import date, timedelta

import pytest

from app.plans import rules
from app.plans.rules import Urgency, urgency
from app.plans.workflow import ActionState

DUE = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("on", "wanted"),
    [
        (DUE - timedelta(days=15), Urgency.CALM),
        (DUE - timedelta(days=14), Urgency.SOON),
        (DUE, Urgency.SOON),
        (DUE + timedelta(days=1), Urgency.OVERDUE),
    ],
)
def test_the_due_day_itself_is_not_late(on, wanted):
    assert urgency(ActionState.PROMISED, DUE, on) is wanted
    assert urgency(ActionState.BEGUN, DUE, on) is wanted
    assert urgency(ActionState.DONE, DUE, on) is Urgency.ENDED
    assert urgency(ActionState.DROPPED, DUE, on) is Urgency.ENDED


def test_a_day_to_come_and_not_too_far_is_promised():
    assert rules.due_problems(DUE, DUE) == []
    assert rules.due_problems(DUE + rules.FURTHEST, DUE) == []
    assert rules.due_problems(DUE - timedelta(days=1), DUE)[0].field == "due_on"
    assert rules.due_problems(DUE + rules.FURTHEST + timedelta(days=1), DUE)[0].field == "due_on"


def test_words_are_needed_and_have_an_end():
    assert rules.promise_problems("x" * rules.LONGEST_PROMISE) == []
    assert rules.promise_problems("x" * (rules.LONGEST_PROMISE + 1))
    assert rules.promise_problems("  ")
    assert rules.reason_problems("  ")
    assert rules.reason_problems("x" * (rules.LONGEST_REASON + 1))


def test_only_criteria_of_the_assessment_are_promised():
    assert rules.chosen_problems({"1.1"}, {"1.1", "1.2"}) == []
    assert rules.chosen_problems(set(), {"1.1"})
    assert rules.chosen_problems({"9.9"}, {"1.1"})
