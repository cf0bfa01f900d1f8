"""Who may apply: the shipped rules, and the decisions about them, without a database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from app.applications.eligibility import FOLDER, for_trader, load, rules
from app.applications.rules.eligible import (
    CHECK_LASTS,
    answer_problems,
    failed_points,
    known_answers,
    opens_start,
    standing_problems,
    start_problems,
)
from app.catalogues.loader import catalogues
from app.kernel.identifiers import Scheme
from app.register.programme import PROGRAMMES, Status
from app.register.rules import Standing
from app.traders.details import BondDetails
from app.traders.kinds import BondKind, EntityType
from app.traders.rules import ProfileFacts
from tests.factories.traders import bond_details

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
SECURITY = PROGRAMMES["security"]


@dataclass
class Check:
    eligible: bool = True
    at: datetime = NOW


def good(kind: str) -> dict[str, str]:
    return {one.id: one.passes for one in for_trader("security", kind).questions}


def facts(**changes: object) -> ProfileFacts:
    values = {
        "entity_type": EntityType.IMPORTER,
        "country": "US",
        "address_line": "2400 Harbor Lane",
        "city": "San Pedro",
        "office_country": "US",
        "schemes": {Scheme.IOR},
        "bonds": [bond_details()],
        "sites": 1,
        "primary_contacts": 1,
    }
    return ProfileFacts(**{**values, **changes})


def standing(status: Status, since: datetime = NOW) -> Standing:
    return Standing("security", status, 1, (), since, None, "x", "x", UUID(int=1))


@pytest.mark.parametrize("kind", ["importer", "broker"])
def test_every_good_answer_passes(kind):
    questions = for_trader("security", kind).questions
    assert failed_points(questions, good(kind)) == ()
    assert answer_problems(questions, good(kind)) == []


@pytest.mark.parametrize(
    ("kind", "question"),
    [(key[1], one.id) for key, found in rules().items() for one in found.questions],
)
def test_each_rule_alone_is_enough_for_a_no_and_says_why(kind, question):
    opposite = {"yes": "no", "no": "yes"}
    answers = good(kind)
    answers[question] = opposite[answers[question]]
    (failed,) = failed_points(for_trader("security", kind).questions, answers)
    assert failed.id == question
    assert failed.why
    assert failed.remedy
    assert failed.source


def test_a_debt_is_the_question_where_no_is_the_good_answer():
    assert good("importer")["no-debt"] == "no"


def test_a_missing_answer_is_asked_for_and_never_counts_as_good():
    questions = for_trader("security", "importer").questions
    problems = answer_problems(questions, {**good("importer"), "office": "maybe"})
    assert [one.field for one in problems] == ["office"]
    assert len(failed_points(questions, {})) == len(questions)


def test_kinds_without_rules_are_not_open():
    assert {kind for _, kind in rules()} == {"importer", "broker"}
    assert for_trader("security", "carrier") is None


def test_every_open_kind_has_a_catalogue_with_a_profile_of_the_tier():
    for (programme, kind), found in rules().items():
        catalogue = catalogues().current(programme, kind, on=TODAY)
        assert catalogue.profile_for(kind, found.heading.tier).tier == found.heading.tier


def test_the_profile_tells_only_what_is_good_news():
    found = for_trader("security", "importer")
    told = known_answers(found, facts(), imported_within_year=True, on=TODAY)
    assert told == {
        "active-importer": "yes",
        "office": "yes",
        "importer-number": "yes",
        "continuous-bond": "yes",
    }
    silent = facts(office_country=None, schemes=set(), bonds=[])
    assert known_answers(found, silent, imported_within_year=None, on=TODAY) == {}


@pytest.mark.parametrize(
    "bond",
    [
        bond_details(kind=BondKind.SINGLE),
        bond_details(valid_until=date(2026, 11, 23)),
        bond_details(valid_from=date(2026, 11, 25)),
    ],
)
def test_only_a_continuous_bond_in_force_is_told(bond: BondDetails):
    found = for_trader("security", "importer")
    told = known_answers(found, facts(bonds=[bond]), imported_within_year=False, on=TODAY)
    assert "continuous-bond" not in told


def test_an_office_in_canada_is_none_for_a_broker():
    found = for_trader("security", "broker")
    there = facts(entity_type=EntityType.BROKER, office_country="CA", schemes={Scheme.FILER})
    assert "office" not in known_answers(found, there, imported_within_year=None, on=TODAY)


def test_a_check_opens_the_start_for_thirty_days():
    check = Check(at=NOW)
    assert opens_start(check, NOW + CHECK_LASTS - timedelta(seconds=1))
    assert not opens_start(check, NOW + CHECK_LASTS)
    assert not opens_start(Check(eligible=False), NOW)
    assert not opens_start(None, NOW)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (None, "Check first"),
        (Check(eligible=False), "cannot apply yet"),
        (Check(at=NOW - CHECK_LASTS), "older than 30 days"),
    ],
)
def test_a_start_says_what_is_wrong_with_the_check(check, words):
    (problem,) = start_problems(check, None, SECURITY, NOW)
    assert words in problem.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.CERTIFIED, "PARTNER_ALREADY"),
        (Status.VALIDATED, "PARTNER_ALREADY"),
        (Status.SUSPENDED, "SUSPENDED"),
        (Status.REMOVED, "REMOVED"),
        (Status.REJECTED, None),
        (Status.WITHDRAWN, None),
        (Status.INELIGIBLE, None),
        (Status.APPLICANT, None),
    ],
)
def test_what_a_standing_leaves_to_apply_for(status, code):
    problems = standing_problems(standing(status), SECURITY, NOW)
    assert [one.code for one in problems] == ([code] if code else [])


def test_a_removed_trader_can_apply_again_after_the_programmes_own_time():
    removed = standing(Status.REMOVED, NOW)
    after = NOW + SECURITY.clock("reapply-after-removal").period
    assert standing_problems(removed, SECURITY, after - timedelta(seconds=1))
    assert standing_problems(removed, SECURITY, after) == []


def test_a_file_that_names_what_does_not_exist_is_refused():
    raw = (FOLDER / "security-importer.yaml").read_bytes()
    for wrong in (
        raw.replace(b"tier: 1", b"tier: 8"),
        raw.replace(b"entity_type: importer", b"entity_type: importeur"),
        raw.replace(b"id: office", b"id: no-debt"),
        raw.replace(b"passes: no", b"passes: maybe"),
        raw.replace(b"    why:", b"    because:", 1),
    ):
        assert wrong != raw
        with pytest.raises(ValidationError):
            load(wrong)
