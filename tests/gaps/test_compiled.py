"""The prepared rules say what the plain ones say, for every shipped profile and any answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogues.loader import catalogues
from app.catalogues.rules import Given
from app.gaps.rules.compiled import TierRules, tier_rules
from app.gaps.rules.tiers import tier_outcomes
from tests.gaps.test_path import PROFILE, scenes


def said(answers):
    """The answers as the prepared rules take them; a claim stands above a value."""
    return {key: None if one.not_applicable else one.value for key, one in answers.items()}


SHIPPED = [(one, one.profiles[0].id) for one in catalogues()]


@settings(max_examples=400)
@given(scenes())
def test_over_catalogues_of_chance(scene):
    catalogue, answers, accepted = scene
    plain = tier_outcomes(catalogue, PROFILE, answers, accepted)
    assert TierRules(catalogue, PROFILE).outcomes(said(answers), accepted) == plain


def values(question):
    return sorted(question.possible or {"As written."})


@pytest.mark.parametrize(("catalogue", "profile_id"), SHIPPED, ids=lambda one: str(one)[:40])
@settings(max_examples=8)
@given(data=st.data())
def test_over_the_shipped_catalogues(catalogue, profile_id, data):
    draws = data.draw(
        st.lists(
            st.integers(0, 11),
            min_size=len(list(catalogue.questions())),
            max_size=len(list(catalogue.questions())),
        )
    )
    answers = {}
    for question, chance in zip(catalogue.questions(), draws, strict=True):
        if chance == 0:
            continue
        best = values(question)[-1]
        worst = values(question)[0]
        answers[question.id] = Given(
            "" if chance == 1 else worst if chance == 2 else best, not_applicable=chance == 3
        )
    accepted = {one.id for place, one in enumerate(catalogue.criteria()) if draws[place] % 2}
    assert tier_rules(catalogue, profile_id).outcomes(said(answers), accepted) == tier_outcomes(
        catalogue, profile_id, answers, accepted
    )
