"""Each rule on both sides of its day, and nothing where no fact is."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from app.catalogues.loader import catalogues
from app.catalogues.rules import Applicability, Result
from app.documents.age import last_day_of
from app.gaps.rules import File, evidence_result
from app.home.duties import (
    AHEAD,
    Cover,
    Duty,
    Facts,
    Kind,
    Licence,
    NewCriteria,
    Promise,
    Proof,
    duties,
)

TODAY = date(2026, 11, 24)
ID = UUID(int=7)
DAY = timedelta(days=1)


def bond(first, last, number="1"):
    return Cover(
        number,
        TODAY + timedelta(days=first),
        None if last is None else TODAY + timedelta(days=last),
    )


def test_a_company_of_which_nothing_is_known_has_no_duty():
    assert duties(Facts(), TODAY) == []


@pytest.mark.parametrize(
    ("covers", "wanted"),
    [
        ([bond(-400, None)], None),
        ([bond(10, 400)], None),
        ([bond(-400, 60)], 60),
        ([bond(-400, 61)], None),
        ([bond(-400, 0)], 0),
        ([bond(-400, -1)], -1),
        # One that follows without a gap carries on, one that leaves a day out does not.
        ([bond(-400, 10), bond(11, None, "2")], None),
        ([bond(-400, 10), bond(11, 20, "2")], 20),
        ([bond(-400, 10), bond(12, None, "2")], 10),
        ([bond(-400, 10), bond(-5, 30, "2")], 30),
        ([bond(-400, -1), bond(1, None, "2")], -1),
        ([bond(-400, -300), bond(-200, -100, "2")], -100),
    ],
)
def test_a_bond_is_told_sixty_days_before_it_leaves_a_gap(covers, wanted):
    found = duties(Facts(covers=covers), TODAY)
    assert [one.on for one in found] == ([] if wanted is None else [TODAY + timedelta(days=wanted)])
    assert [one.late for one in found] == ([] if wanted is None else [wanted < 0])


def test_a_licence_is_missed_when_the_last_one_ended():
    gone, live = Licence("406", TODAY - DAY), Licence("407", None)
    assert duties(Facts(licences=[gone, live]), TODAY) == []
    assert duties(Facts(licences=[live]), TODAY) == []
    older = Licence("405", TODAY - 9 * DAY)
    assert duties(Facts(licences=[gone, older]), TODAY) == [
        Duty(Kind.LICENCE, TODAY - DAY, "406", late=True)
    ]


def test_a_debt_is_told_since_it_is_known():
    (found,) = duties(Facts(debt_told_on=TODAY - DAY), TODAY)
    assert (found.kind, found.on) == (Kind.DEBT, TODAY - DAY)


@pytest.mark.parametrize(("days", "told"), [(61, False), (60, True), (0, True), (-1, True)])
def test_evidence_and_promises_are_told_sixty_days_ahead(days, told):
    on = TODAY + timedelta(days=days)
    facts = Facts(proofs=[Proof("Seal log", ID, on)], promises=[Promise("1.3 Audit", on, ID, ID)])
    found = duties(facts, TODAY)
    assert [one.kind for one in found] == ([Kind.ACTION, Kind.EVIDENCE] if told else [])
    assert all(one.late == (days < 0) for one in found)


def test_new_criteria_are_told_however_far_ahead():
    facts = Facts(criteria=[NewCriteria("Criteria", "2027.1", TODAY + 2 * AHEAD, ID)])
    (found,) = duties(facts, TODAY)
    assert (found.kind, found.name, found.late) == (Kind.CRITERIA, "Criteria 2027.1", False)


def test_the_earliest_comes_first():
    facts = Facts(
        covers=[bond(-400, 5)],
        proofs=[Proof("Log", ID, TODAY + 2 * DAY)],
        promises=[Promise("1.3", TODAY - DAY, ID, ID)],
    )
    assert [one.kind for one in duties(facts, TODAY)] == [Kind.ACTION, Kind.EVIDENCE, Kind.BOND]


@pytest.mark.parametrize("stored", [date(2026, 1, 31), date(2026, 2, 28), date(2024, 2, 29), TODAY])
@pytest.mark.parametrize("months", [1, 6, 12, 13])
@pytest.mark.parametrize("expires", [None, date(2026, 6, 1), date(2040, 1, 1)])
def test_the_last_day_is_the_last_on_which_the_report_counts_it(stored, months, expires):
    criterion = catalogues().get("importer", "2026.2").criterion("1.3")
    rule = criterion.evidence.model_copy(update={"min": 1, "max_age_months": months})
    criterion = criterion.model_copy(update={"evidence": rule})
    last = last_day_of(stored, expires, months)

    def counts(on):
        file = File("clean", stored, expires)
        return evidence_result(criterion, Applicability.APPLIES, [file], on).result is Result.MET

    assert counts(last)
    assert not counts(last + DAY)
