"""What follows from the register's answers, what restrictions take, what no policy may give."""

import json
import uuid
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.facilitation import rules
from app.facilitation.chance import OUT_OF, Chance
from app.facilitation.facts import BROKERS, PartyStanding, facts_of
from app.facilitation.policy import (
    CURRENT,
    EXAMS,
    FOLDER,
    PLACES,
    QUEUES,
    Policy,
    Row,
    current,
)
from app.facilitation.transactions import Mode
from tests.facilitation.scenes import HOLDS, SECURITY, facts, importer

CHANCE = Chance("one secret")
CLIENT = uuid.UUID(int=7)
NEVER = OUT_OF - 1
BENEFITS = [one.code for one in SECURITY.benefits]


def asked(**changes):
    """A canonical transaction as far as the rules read it."""
    return {
        "transaction_id": "TX-1",
        "mode": "ocean",
        "entry_type": "01",
        "risk_score": 100,
        "holds": [],
        **changes,
    }


def broker(answer="active", partner="b"):
    return PartyStanding(role="broker", answer=answer, partner_id=partner, tier=answer == "active")


standings = st.lists(
    st.one_of(
        st.builds(importer, st.integers(0, 3)),
        st.builds(broker, st.sampled_from(["active", "not_active", "not_a_partner", "malformed"])),
        st.sampled_from(["not_active", "malformed"]).map(
            lambda word: PartyStanding(role="importer", answer=word)
        ),
    ),
    max_size=4,
)
scores = st.one_of(st.none(), st.integers(0, 1000))
entry_types = st.integers(0, 99).map("{:02}".format)
draws = st.integers(0, OUT_OF - 1)


@given(
    standings,
    st.lists(st.sampled_from(HOLDS), min_size=1),
    scores,
    st.sampled_from(list(Mode)),
    entry_types,
    draws,
)
def test_under_any_hold_there_is_no_benefit_and_always_an_exam(
    parties, holds, score, mode, entry_type, draw
):
    transaction = asked(
        holds=sorted(set(holds)), risk_score=score, mode=mode.value, entry_type=entry_type
    )
    outcome = rules.answer(current(), transaction, parties, draw).outcome
    assert outcome.benefits == ()
    assert outcome.exam != "none"
    assert (outcome.queue, outcome.place) == ("standard", "port")
    assert outcome.reasons


def burden(outcome):
    return (
        EXAMS.index(outcome.exam),
        QUEUES.index(outcome.queue),
        PLACES.index(outcome.place),
    )


def outcome_for(tier, held, broker_word, score, mode, entry_type, draw, restrictions):
    parties = [importer(tier, *restrictions)]
    if broker_word is not None:
        parties.append(broker_word)
    transaction = asked(holds=held, risk_score=score, mode=mode.value, entry_type=entry_type)
    return rules.answer(current(), transaction, parties, draw).outcome


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(HOLDS), max_size=1),
    st.sampled_from(
        [None, *(broker(w) for w in ("active", "not_active", "not_a_partner", "malformed"))]
    ),
    scores,
    st.sampled_from(list(Mode)),
    st.one_of(st.sampled_from(["01", "03", "61"]), entry_types),
    draws,
    st.lists(st.sampled_from(BENEFITS), unique=True, max_size=3),
)
def test_a_lower_tier_never_gets_more(held, broker_word, score, mode, entry_type, draw, taken):
    outcomes = [
        outcome_for(tier, held, broker_word, score, mode, entry_type, draw, tuple(taken))
        for tier in range(4)
    ]
    for lower, higher in pairwise(outcomes):
        assert set(lower.benefits) <= set(higher.benefits)
        # A tier with a lower sampling rate may stay out of a sample that the lower tier is in;
        # never the other way round, so the comparison holds for exams too.
        assert all(a >= b for a, b in zip(burden(lower), burden(higher), strict=True))


@pytest.mark.parametrize("benefit", BENEFITS)
@pytest.mark.parametrize("mode", list(Mode))
def test_a_restricted_benefit_is_not_given(benefit, mode):
    transaction = asked(mode=mode.value)
    free = rules.answer(current(), transaction, [importer(3)], NEVER).outcome
    restricted = rules.answer(current(), transaction, [importer(3, benefit)], NEVER).outcome
    assert benefit not in restricted.benefits
    assert burden(restricted) >= burden(free)
    if benefit in free.benefits and benefit != "fewer-exams":
        assert set(free.benefits) - set(restricted.benefits) == {benefit}
        assert "benefit-restricted" in [one.code for one in restricted.reasons]


def test_without_front_of_line_the_queue_is_the_standard_one():
    answer = rules.answer(current(), asked(), [importer(3, "front-of-line")], NEVER)
    assert answer.outcome.queue == "standard"
    assert answer.outcome.exam == "none"
    assert answer.outcome.reasons[-1].text == (
        "A benefit is restricted for this importer at present: Front of the line."
    )
    assert "front-of-line" in answer.trace["not_held"]


def test_a_premises_exam_needs_that_benefit():
    assert rules.answer(current(), asked(), [importer(3)], NEVER).outcome.place == "premises"
    restricted = rules.answer(current(), asked(), [importer(3, "exam-at-premises")], NEVER)
    assert restricted.outcome.place == "port"


@pytest.mark.parametrize(
    ("parties", "word"),
    [
        ([], "missing"),
        ([importer(2)], "partner"),
        ([importer(0)], "not_a_partner"),
        ([PartyStanding(role="importer", answer="not_active")], "not_active"),
        ([PartyStanding(role="importer", answer="malformed")], "doubtful"),
        ([importer(2), importer(2)], "partner"),
        ([importer(2), PartyStanding(role="importer", answer="malformed")], "doubtful"),
        ([importer(2), importer(0)], "doubtful"),
        ([importer(0), importer(0)], "doubtful"),
        ([importer(2), importer(2).model_copy(update={"partner_id": "q"})], "doubtful"),
        ([broker()], "missing"),
    ],
)
def test_who_the_importer_is(parties, word):
    facts = facts_of(asked(), parties, risk="low", sampled=False)
    assert facts.importer == word
    assert facts.tier == (2 if word == "partner" else 0)
    assert bool(facts.grants) == (word == "partner")


def test_who_the_broker_is():
    for word in BROKERS:
        given_word = "malformed" if word == "doubtful" else word
        parties = [importer(1), *([] if word == "none" else [broker(given_word)])]
        assert facts_of(asked(), parties, risk="low", sampled=False).broker == word


GENEROUS = Row(
    exam="none",
    random_sample=False,
    queue="front",
    place="premises",
    benefits=["fewer-exams"],
    reasons=["refer"],
)


@pytest.mark.parametrize(
    "known",
    [
        facts(holds=("pga",)),
        facts(risk="unknown"),
        *(
            facts(0, importer=word)
            for word in ("missing", "doubtful", "not_active", "not_a_partner")
        ),
    ],
)
def test_no_policy_gives_anything_under_a_hold_or_in_doubt(known):
    row, corrections = rules.guard(known, GENEROUS)
    assert (row.exam, row.queue, row.place, row.benefits) == ("nii", "standard", "port", [])
    assert len(corrections) == 2


def test_no_policy_lets_a_partner_out_of_the_sample_or_into_it():
    row, corrections = rules.guard(facts(sampled=True), GENEROUS)
    assert (row.exam, row.random_sample, row.queue) == ("nii", True, "front")
    assert corrections
    forced = GENEROUS.model_copy(update={"random_sample": True})
    row, corrections = rules.guard(facts(), forced)
    assert (row.exam, row.random_sample) == ("none", False)
    assert corrections


def test_a_careless_policy_is_corrected_and_says_so():
    graph = json.loads((FOLDER / f"{CURRENT}.json").read_text())
    for row in graph["nodes"][1]["content"]["rules"]:
        row.update(exam='"none"', queue='"front"', place='"premises"')
    careless = Policy(json.dumps(graph).encode(), (FOLDER / f"{CURRENT}.yaml").read_bytes())
    outcome = rules.answer(careless, asked(holds=["pga"]), [importer(3)], NEVER).outcome
    assert (outcome.exam, outcome.queue, outcome.place) == ("nii", "standard", "port")
    assert [one.code for one in outcome.reasons] == ["hold-pga", "guarded"]


def test_the_draw_is_even_and_the_callers_ids_do_not_move_it():
    shipments = [asked(arrival_at=f"2026-11-26T08:00:{n:05}") for n in range(4_000)]
    drawn = [CHANCE.draw(CLIENT, one) for one in shipments]
    assert 1_850 <= sum(draw < OUT_OF // 2 for draw in drawn) <= 2_150
    for change in (
        {"transaction_id": "TX-2"},
        {"filing_id": "F-1"},
        {"risk_score": 999},
        {"holds": ["pga"]},
    ):
        assert CHANCE.draw(CLIENT, {**shipments[0], **change}) == drawn[0]
    assert CHANCE.draw(uuid.UUID(int=8), shipments[0]) != drawn[0]
    assert Chance("another secret").draw(CLIENT, shipments[0]) != drawn[0]


def test_a_drawn_partner_is_examined_and_told_why():
    outcome = rules.answer(current(), asked(), [importer(3)], 0).outcome
    assert (outcome.exam, outcome.random_sample) == ("nii", True)
    assert [one.code for one in outcome.reasons] == ["random-sample"]
    others = rules.answer(current(), asked(), [importer(0)], 0).outcome
    assert not others.random_sample
