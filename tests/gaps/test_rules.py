"""The measures of a criterion, and the report: gates before points, and unknown is never met."""

from datetime import date

import pytest

from app.catalogues.loader import catalogues
from app.catalogues.rules import Applicability, Given, Result
from app.gaps.rules import File, WhyKind, evidence_result, gate, report
from app.gaps.rules.tiers import reached
from tests.factories.assessments import good_value

TODAY = date(2026, 11, 24)
IMPORTER = catalogues().get("importer", "2026.2")
APPLIES = Applicability.APPLIES


def criterion(minimum=1, months=None):
    found = IMPORTER.criterion("1.3")
    rule = found.evidence.model_copy(update={"min": minimum, "max_age_months": months})
    return found.model_copy(update={"evidence": rule})


def clean(stored=TODAY, expires=None):
    return File("clean", stored, expires)


@pytest.mark.parametrize(
    ("files", "months", "wanted"),
    [
        ([], None, Result.NOT_MET),
        ([clean()], None, Result.MET),
        ([File("unscanned", TODAY)], None, Result.MET),
        ([File("infected", TODAY)], None, Result.NOT_MET),
        # A file that is still to be scanned proves nothing yet, and is not nothing either.
        ([File("pending", TODAY)], None, Result.UNKNOWN),
        ([clean(expires=TODAY)], None, Result.MET),
        ([clean(expires=date(2026, 11, 23))], None, Result.NOT_MET),
        ([clean(date(2025, 11, 24))], 12, Result.MET),
        ([clean(date(2025, 11, 23))], 12, Result.NOT_MET),
        ([File("pending", TODAY, date(2026, 11, 23))], None, Result.NOT_MET),
    ],
)
def test_evidence_is_enough_missing_or_not_known(files, months, wanted):
    assert evidence_result(criterion(1, months), APPLIES, files, TODAY).result is wanted


def test_a_month_without_that_day_ends_on_its_last():
    found = evidence_result(criterion(1, 1), APPLIES, [clean(date(2026, 2, 28))], date(2026, 3, 31))
    assert found.result is Result.MET
    found = evidence_result(criterion(1, 1), APPLIES, [clean(date(2026, 2, 27))], date(2026, 3, 31))
    assert (found.result, found.outdated) == (Result.NOT_MET, 1)


def test_nothing_is_asked_for_where_the_criterion_does_not_apply():
    none = evidence_result(criterion(2), Applicability.DOES_NOT_APPLY, [], TODAY)
    assert (none.result, none.missing) == (Result.DOES_NOT_APPLY, 0)
    open_ = evidence_result(criterion(2), Applicability.UNDETERMINED, [], TODAY)
    assert (open_.result, open_.missing) == (Result.UNKNOWN, 2)


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ([], Result.MET),
        ([Result.MET, Result.DOES_NOT_APPLY], Result.MET),
        ([Result.MET, Result.UNKNOWN], Result.UNKNOWN),
        ([Result.UNKNOWN, Result.NOT_MET, Result.MET], Result.NOT_MET),
    ],
)
def test_one_must_that_is_not_met_shuts_a_gate_and_a_doubt_never_opens_it(results, wanted):
    assert gate(results) is wanted


def test_no_tier_is_reached_above_a_shut_gate():
    assert reached([(1, Result.MET), (2, Result.UNKNOWN), (3, Result.MET)]) == 1
    assert reached([(1, Result.NOT_MET), (2, Result.MET)]) is None


def answered(**changes):
    answers = {one.id: Given(good_value(one)) for one in IMPORTER.questions()}
    return {**answers, **{f"q.{key[1:].replace('_', '.')}": one for key, one in changes.items()}}


def of(answers, files=None, assessed=None, profile="importer-tier1"):
    return report(IMPORTER, profile, answers, files or {}, assessed or {}, on=TODAY)


def proved():
    return {one.id: [clean()] * one.evidence.min for one in IMPORTER.criteria()}


def test_a_blank_assessment_is_unknown_everywhere_and_never_not_met():
    found = of({})
    assert {one.claimed for one in found.tiers} == {Result.UNKNOWN}
    assert {one.assessed for one in found.tiers} == {Result.UNKNOWN}
    assert all(one.claimed is not Result.NOT_MET for one in found.criteria)
    assert (found.claimed_tier, found.assessed_tier, found.evidence_tier) == (None, None, None)
    assert all((one.least, one.most) == (0.0, 1.0) for one in found.sections)


def test_the_three_measures_are_apart():
    found = of(answered(), proved())
    assert (found.claimed_tier, found.assessed_tier, found.evidence_tier) == (3, None, 3)
    assert found.next_tier is None
    assert not found.gaps
    bare = of(answered())
    assert (bare.claimed_tier, bare.evidence_tier) == (3, None)
    accepted = {one.id: Result.MET for one in IMPORTER.criteria()}
    judged = of(answered(), proved(), accepted)
    assert judged.assessed_tier == 3


def test_points_never_buy_a_missing_must():
    must = next(
        one.id
        for one in IMPORTER.criteria()
        if IMPORTER.modality("importer-tier1", one.id) == "must"
    )
    lead = IMPORTER.criterion(must).questions[0].id
    found = of({**answered(), lead: Given("no")}, proved())
    assert min(one.least for one in found.sections) > 0.5
    assert found.claimed_tier is None
    assert found.gaps[0].criterion.id == must
    assert found.gaps[0].blocks == (1, 2, 3)
    assert [one.question_id for one in found.path.steps][:1] == [lead]


def test_a_level_that_is_enough_for_one_tier_keeps_another_shut():
    found = of({**answered(), "q.2.1.2": Given("scored")}, proved())
    (gap,) = [one for one in found.criteria if one.blocks]
    assert (gap.criterion.id, gap.blocks, found.claimed_tier) == ("2.1", (3,), 2)
    (step,) = found.path.steps
    assert (step.question_id, step.value) == ("q.2.1.2", "scored-measures")
    # Under the profile of tier 1 the criterion itself is met.
    assert gap.claimed is Result.MET
    third = of({**answered(), "q.2.1.2": Given("scored")}, proved(), profile="importer-tier3")
    (why,) = next(one for one in third.criteria if one.criterion.id == "2.1").why
    assert (why.kind, why.required[0], why.current) == (
        WhyKind.TOO_LOW,
        "scored-measures",
        "scored",
    )


def test_a_claim_leaves_a_gate_unknown_until_the_agency_accepts_it():
    claims = {one.id: Given(not_applicable=True) for one in IMPORTER.criterion("4.1").questions}
    found = of({**answered(), **claims}, proved())
    assert found.tiers[0].claimed is Result.UNKNOWN
    assert found.path.steps
    settled = of({**answered(), **claims}, proved(), {"4.1": Result.MET})
    assert settled.tiers[0].claimed is Result.MET
    assert settled.path.steps == ()


def test_files_that_a_tier_still_takes_are_counted_by_criterion():
    files = proved()
    files["1.3"] = []
    answers = {**answered(), "q.1.3.1": Given("no")}
    found = of(answers, files)
    assert [(one.criterion_id, one.count) for one in found.files] == [
        ("1.3", IMPORTER.criterion("1.3").evidence.min)
    ]
