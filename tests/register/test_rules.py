"""What may be done to a standing, and what comes of it; no database."""

from datetime import timedelta

import pytest

from app.kernel.ids import new_id
from app.register import rules
from app.register.programme import PROGRAMMES, Status
from app.register.rules import Outcome, Standing, Wish
from tests.conftest import NOON

SECURITY = PROGRAMMES["security"]
DAY = timedelta(days=1)


def standing(status, tier=None, restrictions=(), from_=NOON, until=None):
    return Standing("security", status, tier, restrictions, from_, until, "x", "y", new_id())


CERTIFIED = standing(Status.CERTIFIED, 1)
VALIDATED = standing(Status.VALIDATED, 2)
HIGHEST = standing(Status.VALIDATED, 3)
RESTRICTED = standing(Status.VALIDATED, 2, ("front-of-line",))
SUSPENDED = standing(Status.SUSPENDED, 2)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (None, "certify reject declare-ineligible correct"),
        (standing(Status.APPLICANT), "certify reject declare-ineligible withdraw correct"),
        (CERTIFIED, "validate suspend suspend-urgently restrict remove withdraw correct"),
        (
            VALIDATED,
            "validate lower-tier suspend suspend-urgently restrict remove withdraw correct",
        ),
        (HIGHEST, "lower-tier suspend suspend-urgently restrict remove withdraw correct"),
        (
            RESTRICTED,
            (
                "validate lower-tier suspend suspend-urgently restrict lift-restriction remove"
                " withdraw correct"
            ),
        ),
        (SUSPENDED, "reinstate remove withdraw correct"),
        (
            standing(Status.SUSPENDED, 2, ("front-of-line",)),
            "lift-restriction reinstate remove withdraw correct",
        ),
        (standing(Status.SUSPENDED), "remove withdraw correct"),
        (standing(Status.REMOVED), "certify correct"),
        (standing(Status.WITHDRAWN), "certify correct"),
        (standing(Status.INELIGIBLE), "certify reject correct"),
        (standing(Status.REJECTED), "certify reject correct"),
    ],
)
def test_the_moves_of_each_standing(present, expected):
    found = [move.id for move in rules.available_moves(present, SECURITY)]
    assert found == expected.split()


@pytest.mark.parametrize(
    ("move", "present", "expected"),
    [
        ("certify", None, (1,)),
        ("validate", CERTIFIED, (2, 3)),
        ("validate", VALIDATED, (3,)),
        ("lower-tier", VALIDATED, (1,)),
        ("lower-tier", HIGHEST, (1, 2)),
    ],
)
def test_a_grant_goes_up_and_a_taking_goes_down(move, present, expected):
    assert rules.open_tiers(SECURITY.move(move), present, SECURITY) == expected


@pytest.mark.parametrize(
    ("move", "present", "wish", "expected"),
    [
        ("certify", None, Wish(tier=1), Outcome(Status.CERTIFIED, 1, ())),
        ("reject", None, Wish(), Outcome(Status.REJECTED, None, ())),
        ("validate", CERTIFIED, Wish(tier=3), Outcome(Status.VALIDATED, 3, ())),
        ("validate", RESTRICTED, Wish(tier=3), Outcome(Status.VALIDATED, 3, ("front-of-line",))),
        ("lower-tier", HIGHEST, Wish(tier=1), Outcome(Status.CERTIFIED, 1, ())),
        ("suspend", RESTRICTED, Wish(), Outcome(Status.SUSPENDED, 2, ("front-of-line",))),
        ("reinstate", SUSPENDED, Wish(), Outcome(Status.VALIDATED, 2, ())),
        ("reinstate", standing(Status.SUSPENDED, 1), Wish(), Outcome(Status.CERTIFIED, 1, ())),
        (
            "restrict",
            RESTRICTED,
            Wish(restrictions=("risk-score",)),
            Outcome(Status.VALIDATED, 2, ("front-of-line", "risk-score")),
        ),
        (
            "lift-restriction",
            RESTRICTED,
            Wish(restrictions=("front-of-line",)),
            Outcome(Status.VALIDATED, 2, ()),
        ),
        ("remove", RESTRICTED, Wish(), Outcome(Status.REMOVED, None, ())),
        ("withdraw", SUSPENDED, Wish(), Outcome(Status.WITHDRAWN, None, ())),
        (
            "correct",
            SUSPENDED,
            Wish(status=Status.VALIDATED, tier=3, restrictions=("risk-score",)),
            Outcome(Status.VALIDATED, 3, ("risk-score",)),
        ),
    ],
)
def test_the_outcome_of_each_move(move, present, wish, expected):
    assert rules.outcome(SECURITY.move(move), present, SECURITY, wish) == expected


@pytest.mark.parametrize(
    ("move", "present", "change", "fields"),
    [
        ("certify", None, {}, []),
        ("certify", CERTIFIED, {}, ["move"]),
        ("certify", None, {"tier": None}, ["tier"]),
        ("certify", None, {"tier": 2}, ["tier"]),
        ("certify", None, {"reason_code": "incident"}, ["reason_code"]),
        ("certify", None, {"reason_text": "  "}, ["reason_text"]),
        ("certify", None, {"effective_from": NOON - DAY}, ["effective_from"]),
        ("certify", None, {"effective_from": NOON - timedelta(seconds=59)}, []),
        ("certify", None, {"effective_from": NOON + DAY}, []),
        ("certify", None, {"effective_until": NOON + DAY}, ["effective_until"]),
        ("suspend", VALIDATED, {"tier": 2}, ["tier"]),
        ("suspend", VALIDATED, {"effective_from": NOON + DAY}, ["effective_from"]),
        ("remove", VALIDATED, {"effective_from": NOON + DAY}, []),
        ("restrict", VALIDATED, {}, ["restrictions"]),
        ("restrict", VALIDATED, {"restrictions": ("exam-at-premises",)}, ["restrictions"]),
        ("restrict", RESTRICTED, {"restrictions": ("front-of-line",)}, ["restrictions"]),
        ("lift-restriction", RESTRICTED, {"restrictions": ("risk-score",)}, ["restrictions"]),
        ("correct", VALIDATED, {}, ["status", "effective_from"]),
        (
            "correct",
            VALIDATED,
            {"status": Status.VALIDATED, "tier": 1, "effective_from": NOON - DAY},
            ["tier"],
        ),
        (
            "correct",
            VALIDATED,
            {
                "status": Status.REMOVED,
                "effective_from": NOON - DAY,
                "effective_until": NOON - DAY,
            },
            ["effective_until"],
        ),
        (
            "correct",
            None,
            {"status": Status.CERTIFIED, "tier": 1, "effective_from": NOON - 9 * DAY},
            [],
        ),
    ],
)
def test_every_problem_names_its_field(move, present, change, fields):
    found = SECURITY.move(move)
    wish = {
        "tier": 1 if move == "certify" else None,
        "reason_code": found.reasons[0].code,
        "reason_text": "As found.",
    }
    problems = rules.problems(found, present, SECURITY, Wish(**{**wish, **change}), now=NOON)
    assert [one.field for one in problems] == fields


def test_nothing_starts_in_the_past_but_a_correction():
    for name in ("certify", "suspend", "remove"):
        assert rules.start(SECURITY.move(name), NOON - DAY, NOON) == NOON
        assert rules.start(SECURITY.move(name), None, NOON) == NOON
    assert rules.start(SECURITY.move("remove"), NOON + DAY, NOON) == NOON + DAY
    assert rules.start(SECURITY.move("suspend"), NOON + DAY, NOON) == NOON
    assert rules.start(SECURITY.move("correct"), NOON - DAY, NOON) == NOON - DAY


GRANTED = Outcome(Status.VALIDATED, 2, ("risk-score",))
TAKEN = Outcome(Status.SUSPENDED, 2, ())


@pytest.mark.parametrize(
    ("later", "granted", "taken"),
    [
        ("", None, None),
        ("g", None, None),
        ("t", 1, 1),
        ("tt", 1, 1),
        ("gt", 2, 2),
        ("tg", 1, None),
        ("tgt", 1, 3),
        ("gttg", 2, None),
    ],
)
def test_an_entry_ends_so_that_no_taking_is_forgotten_and_no_promise_returns(later, granted, taken):
    known = [
        standing(
            Status.VALIDATED if kind == "g" else Status.REMOVED,
            3 if kind == "g" else None,
            from_=NOON + days * DAY,
        )
        for days, kind in enumerate(later, 1)
    ]
    for outcome, days in [(GRANTED, granted), (TAKEN, taken)]:
        expected = None if days is None else NOON + days * DAY
        assert rules.end(SECURITY, [CERTIFIED, *known], NOON, outcome) == expected


def test_benefits_are_those_of_the_tier_less_the_restricted():
    assert "front-of-line" in rules.benefits(SECURITY, VALIDATED)
    assert "front-of-line" not in rules.benefits(SECURITY, RESTRICTED)
    assert set(rules.benefits(SECURITY, VALIDATED)) < set(rules.benefits(SECURITY, HIGHEST))
    assert rules.benefits(SECURITY, SUSPENDED) == ()
    # Whatever a row says: a tier that the programme does not have grants nothing.
    assert rules.benefits(SECURITY, standing(Status.VALIDATED, 9)) == ()
