"""The score: bounded, monotone, and never a number where nothing is known."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.advance_data.counting import Counting
from app.advance_data.scoring import (
    TRUST,
    WEIGHTS,
    Count,
    Figures,
    Kind,
    PartId,
    Weights,
    Word,
    gains,
    read_figures,
    score_of,
    signal_of,
    total,
    worst_rules,
)

CHECK_DIGIT = Kind("CNTR_CHECK", "container_number", "error", "The last digit does not fit.")


@st.composite
def counts(draw):
    due = draw(st.integers(0, 500))
    good = draw(st.integers(0, due))
    return Count(good, draw(st.integers(0, due - good)), due)


@st.composite
def every_figures(draw):
    parts = {one: draw(counts()) for one in PartId}
    return Figures(draw(st.integers(0, 5000)), 0, parts, overdue=draw(st.integers(0, 3)))


def perfect(rows=100):
    return Figures(rows, 0, {one: Count(rows, 0, rows) for one in PartId})


def test_nothing_is_not_100():
    assert score_of(Figures()) is None
    assert score_of(total([])) is None
    assert signal_of(Figures()) is Word.UNKNOWN
    assert gains(Figures()) == []


@given(every_figures())
def test_a_score_lies_between_0_and_100_and_its_ends_are_in_order(figures):
    score = score_of(figures)
    if score is None:
        assert not any(count.due for count in figures.parts.values())
        return
    assert 0 <= score.lowest <= score.highest <= 100
    assert sum(one.out_of for one in score.parts) == 100
    assert sum(one.lowest for one in score.parts) == score.lowest
    assert score.certain == (not any(count.unknown for count in figures.parts.values()))


@given(every_figures(), st.sampled_from(list(PartId)), st.sampled_from(["mend", "learn", "doubt"]))
def test_mending_never_lowers_and_a_doubt_never_raises(figures, part, change):
    count = figures.parts[part]
    if change == "mend" and count.bad:
        better = replace(count, good=count.good + 1)
    elif change == "learn" and count.unknown:
        better = replace(count, good=count.good + 1, unknown=count.unknown - 1)
    elif change == "doubt" and count.bad:
        better = replace(count, unknown=count.unknown + 1)
    else:
        return
    after = replace(figures, parts={**figures.parts, part: better})
    one, two = score_of(figures), score_of(after)
    assert one.lowest <= two.lowest
    assert one.highest <= two.highest
    if change == "doubt":
        # That it is no longer known to be bad speaks for nobody.
        assert one.lowest == two.lowest
    assert TRUST[signal_of(figures)] <= TRUST[signal_of(after)]


@given(every_figures(), every_figures())
def test_a_worse_score_never_speaks_louder(one, other):
    scores = score_of(one), score_of(other)
    if None in scores or one.overdue != other.overdue or one.rows != other.rows:
        return
    low, high = sorted((one, other), key=lambda figures: score_of(figures).lowest)
    assert TRUST[signal_of(low)] <= TRUST[signal_of(high)]


@given(every_figures())
def test_an_unknown_or_overdue_trader_is_trusted_no_more_than_a_poor_one(figures):
    few = replace(figures, rows=WEIGHTS.signals.fewest - 1)
    assert signal_of(few) is Word.UNKNOWN
    assert TRUST[Word.UNKNOWN] == TRUST[Word.POOR] == min(TRUST.values())
    assert signal_of(replace(figures, overdue=1)) is not Word.GOOD
    known = replace(
        figures,
        parts={one: replace(count, good=0) for one, count in figures.parts.items()},
    )
    assert signal_of(known) in {Word.POOR, Word.UNKNOWN}


def test_a_perfect_file_is_100_and_good():
    assert score_of(perfect()).lowest == 100
    assert signal_of(perfect()) is Word.GOOD


def test_the_weights_of_the_reference():
    assert [(one.id.value, one.weight) for one in WEIGHTS.parts] == [
        ("completeness", 30),
        ("validity", 30),
        ("consistency", 20),
        ("timeliness", 15),
        ("stability", 5),
    ]
    figures = replace(perfect(), parts={**perfect().parts, PartId.VALIDITY: Count(90, 0, 100)})
    assert score_of(figures).lowest == Fraction(97)


def test_a_part_with_nothing_due_shares_its_weight_out():
    figures = replace(perfect(), parts={**perfect().parts, PartId.TIMELINESS: Count()})
    score = score_of(figures)
    assert score.lowest == score.highest == 100
    assert {one.rule.id.value: one.out_of for one in score.parts}["timeliness"] == 0


@given(every_figures(), every_figures())
def test_figures_add_up_and_come_back_from_json(one, other):
    together = one + other
    assert together.rows == one.rows + other.rows
    assert all(together.count(part) == one.count(part) + other.count(part) for part in PartId)
    assert read_figures(together.as_json()) == together


def test_the_largest_gain_comes_first_and_is_what_mending_brings():
    parts = {
        **perfect().parts,
        PartId.VALIDITY: Count(80, 0, 100),
        PartId.TIMELINESS: Count(40, 40, 100),
    }
    figures = Figures(100, 20, parts, {CHECK_DIGIT: 20}, late=20, undated=40)
    first, second, third = gains(figures)
    assert (first.kind, first.units, first.points) == (CHECK_DIGIT, 20, 6) or first.points == 6
    assert {one.points for one in (first, second)} == {6}
    assert third.points == 3
    mended = replace(figures, parts={**parts, PartId.VALIDITY: Count(100, 0, 100)}, kinds={})
    assert score_of(mended).lowest - score_of(figures).lowest == 6


def test_the_worst_rules_are_five_and_cost_something():
    kinds = {Kind(f"CODE{number}", "hts", "error", "x"): number for number in range(1, 9)} | {
        Kind("PORT_UNKNOWN", "port_lading", "warning", "x"): 900
    }
    figures = Figures(900, 8, perfect(900).parts, kinds)
    assert [kind.code for kind, _ in worst_rules(figures)] == [
        f"CODE{number}" for number in (8, 7, 6, 5, 4)
    ]


@pytest.mark.parametrize(
    ("code", "field", "severity", "part"),
    [
        ("CNTR_CHECK", "container_number", "error", PartId.VALIDITY),
        ("MISSING", "hts", "error", PartId.COMPLETENESS),
        ("NAME", "seller_name", "error", PartId.COMPLETENESS),
        ("MISSING", "bill_number", "error", PartId.VALIDITY),
        ("ORIGIN_MISMATCH", "country_of_origin", "warning", PartId.CONSISTENCY),
        ("REF", "filing_ref", "error", PartId.STABILITY),
        ("PORT_UNKNOWN", "port_lading", "warning", None),
    ],
)
def test_what_each_fault_costs(code, field, severity, part):
    assert WEIGHTS.part_of(code, field, severity) is part


@pytest.mark.parametrize(
    "change",
    [
        {"parts": [one.model_dump() for one in WEIGHTS.parts][:4]},
        {"parts": [{**one.model_dump(), "weight": 21} for one in WEIGHTS.parts]},
        {"signals": {"fewest": 20, "good": 60, "watch": 75}},
        {"version": None},
    ],
)
def test_weights_that_do_not_hold_together_are_refused(change):
    with pytest.raises(ValidationError):
        Weights.model_validate({**WEIGHTS.model_dump(), **change})


def test_a_refused_row_has_what_can_be_said_of_it_and_the_rest_is_unknown():
    counting = Counting(WEIGHTS)
    counting.refused([CHECK_DIGIT, Kind("MISSING", "hts", "error", "x")])
    figures = counting.figures()
    assert (figures.rows, figures.open) == (1, 1)
    assert figures.count(PartId.COMPLETENESS) == Count(9, 0, 10)
    assert figures.count(PartId.VALIDITY) == Count(0, 0, 1)
    assert figures.count(PartId.CONSISTENCY) == Count(0, 1, 1)
    assert figures.count(PartId.TIMELINESS) == Count(0, 1, 1)


def test_of_a_row_that_cannot_be_read_nothing_is_known():
    counting = Counting(WEIGHTS)
    counting.refused([Kind("CELLS", "", "error", "x")])
    figures = counting.figures()
    assert figures.count(PartId.COMPLETENESS) == Count(0, 10, 10)
    assert figures.count(PartId.VALIDITY) == Count(0, 0, 1)
