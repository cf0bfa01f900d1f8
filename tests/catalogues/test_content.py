"""The shipped catalogues say what the published list says, in words of their own."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from app.catalogues.comparison import differences
from app.catalogues.loader import SHIPPED, catalogues, find_faults
from app.catalogues.model import Catalogue, Criterion
from app.catalogues.rules import (
    Applicability,
    Given,
    Result,
    applicable,
    criterion_result,
    question_result,
)

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "msc-ids.csv"
SHIPPED_FILES = sorted(SHIPPED.glob("*.yaml"))
UNFINISHED = re.compile(
    r"\b(tbd|tba|todo|fixme|lorem|ipsum|xxx+|placeholder|to be (written|added)|example\.com)\b",
    re.IGNORECASE,
)
# The glossary's left-hand words are used instead of these wherever people read.
FOREIGN_WORDS = re.compile(
    r"\b(users?|members?|clients?|tickets?|submissions?|rulings?|power of attorney)\b",
    re.IGNORECASE,
)


VERSIONS = [(one.id, one.version) for one in catalogues()]
NEWEST = {one.id: one for one in catalogues()}


def shipped(catalogue_id: str) -> Catalogue:
    return NEWEST[catalogue_id]


def published() -> list[dict[str, str]]:
    if not PUBLISHED.exists():
        pytest.skip(f"The published list of ids is not on this machine ({PUBLISHED.name}).")
    with PUBLISHED.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def texts(criterion: Criterion) -> Iterator[str]:
    yield criterion.title
    yield criterion.statement
    yield from (criterion.guidance.why, criterion.guidance.good, criterion.guidance.not_enough)
    yield from criterion.evidence.examples
    for question in criterion.questions:
        yield question.text
        yield from (option.label for option in (*question.choices, *question.columns))


def sentences(text: str) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        yield " ".join(re.findall(r"\w+", sentence.casefold()))


@pytest.mark.parametrize("path", SHIPPED_FILES, ids=lambda path: path.stem)
def test_a_shipped_file_has_no_fault_and_is_named_after_its_version(path: Path) -> None:
    assert find_faults(path) == []
    assert path.stem in {f"{one.id}-{one.version}" for one in catalogues()}


def test_both_kinds_of_trader_have_a_catalogue() -> None:
    assert {one.id for one in catalogues()} == {"importer", "broker", "trade-compliance"}
    assert catalogues().current("trade-compliance", "importer").version == "2026.1"


@pytest.mark.parametrize("kind", ["importer", "broker"])
def test_a_later_version_is_used_when_it_is_published_and_its_day_has_come(kind: str) -> None:
    before, day, published = date(2026, 10, 31), date(2026, 11, 1), {(kind, "2026.2")}
    known = catalogues()
    assert known.current("security", kind, day).version == "2026.1"
    assert known.current("security", kind, before, published).version == "2026.1"
    assert known.current("security", kind, day, published) is shipped(kind)


def test_every_published_importer_criterion_is_there_and_no_other() -> None:
    brokers_alone = {"12.5"}
    wanted = {row["id"] for row in published() if row["importer"] != "no"} - brokers_alone
    assert {criterion.id for criterion in shipped("importer").criteria()} == wanted


@pytest.mark.parametrize(
    ("catalogue_id", "version"), [one for one in VERSIONS if one[0] != "trade-compliance"]
)
def test_modality_category_and_mark_follow_the_published_list(
    catalogue_id: str, version: str
) -> None:
    rows = {row["id"]: row for row in published()}
    catalogue = catalogues().get(catalogue_id, version)
    for section in catalogue.sections:
        for criterion in section.criteria:
            row = rows[criterion.id]
            assert criterion.modality == row["modality"], criterion.id
            assert section.id == row["category"], criterion.id
            assert criterion.verified == (row[catalogue_id] == "yes"), criterion.id


def test_the_importer_catalogue_has_the_twelve_categories_in_order() -> None:
    assert [section.id for section in shipped("importer").sections] == [
        str(number) for number in range(1, 13)
    ]


def test_social_compliance_binds_importers() -> None:
    importer = shipped("importer")
    for profile in importer.profiles:
        assert importer.modality(profile.id, "3.9") == "must"


def test_criteria_of_others_are_left_out() -> None:
    importer = {criterion.id for criterion in shipped("importer").criteria()}
    assert importer.isdisjoint({"6.3", "6.4", "12.5"})
    broker = {criterion.id for criterion in shipped("broker").criteria()}
    assert "12.5" in broker
    assert "3.9" not in broker


def test_trade_compliance_has_eligibility_control_testing_forced_labour_and_the_letter() -> None:
    found = {section.id: section for section in shipped("trade-compliance").sections}
    assert list(found) == [f"tc{number}" for number in range(1, 9)]
    assert len(found["tc7"].criteria) == 6
    assert all(one.verified and one.modality == "must" for one in found["tc7"].criteria)
    # The five parts of internal control are known from memory; the file must not claim a source.
    assert not any(one.verified for one in found["tc2"].criteria)


def test_a_level_that_trade_compliance_requires_can_be_missed_and_met() -> None:
    catalogue = shipped("trade-compliance")
    profile = catalogue.profile_for("importer", 1).id
    criterion = catalogue.criterion("tc7.1")
    question = catalogue.question("q.tc7.1.2")
    for value, wanted in (
        ("first", Result.NOT_MET),
        ("material", Result.MET),
        ("", Result.UNKNOWN),
    ):
        given = {question.id: Given(value)}
        applies = applicable(catalogue, profile, given)
        verdict = applies.questions[question.id]
        assert question_result(catalogue, profile, question, verdict, given[question.id]) is wanted
        whole = criterion_result(catalogue, profile, criterion, applies, given)
        assert whole is (Result.NOT_MET if wanted is Result.NOT_MET else Result.UNKNOWN)


def test_a_higher_tier_never_asks_less() -> None:
    importer = shipped("importer")
    for criterion in importer.criteria():
        weights = [
            importer.modality(importer.profile_for("importer", tier).id, criterion.id)
            for tier in (1, 2, 3)
        ]
        assert weights == sorted(weights, key=["should", "must"].index), criterion.id


def test_no_sentence_of_statement_or_guidance_stands_twice() -> None:
    counted = Counter(
        sentence
        for catalogue in NEWEST.values()
        for criterion in catalogue.criteria()
        for text in (
            criterion.statement,
            criterion.guidance.why,
            criterion.guidance.good,
            criterion.guidance.not_enough,
        )
        for sentence in sentences(text)
    )
    assert [sentence for sentence, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("catalogue_id", ["importer", "broker", "trade-compliance"])
def test_no_question_stands_twice(catalogue_id: str) -> None:
    counted = Counter(question.text.casefold() for question in shipped(catalogue_id).questions())
    assert [text for text, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("catalogue_id", ["importer", "broker", "trade-compliance"])
def test_texts_are_finished_and_keep_to_the_glossary(catalogue_id: str) -> None:
    for criterion in shipped(catalogue_id).criteria():
        for text in texts(criterion):
            assert not UNFINISHED.search(text), (criterion.id, text)
            assert not FOREIGN_WORDS.search(text), (criterion.id, text)


# Everything that the published list is thought to ask of brokers, with or without cargo.
OF_BROKERS = {
    *(
        [
            "1.1",
            "1.2",
            "1.3",
            "1.4",
            "2.1",
            "2.2",
            "2.3",
            "2.4",
            "3.1",
            "3.4",
            "3.5",
            "3.6",
            "3.7",
            "7.6",
            "7.7",
            "7.10",
            "7.23",
            "7.24",
            "7.25",
            "7.37",
        ]
    ),
    *(f"4.{number}" for number in range(1, 14)),
    *(
        [
            "9.1",
            "9.4",
            "10.1",
            "10.2",
            "10.8",
            "10.10",
            "11.1",
            "11.2",
            "11.5",
            "12.1",
            "12.4",
            "12.5",
            "12.8",
            "12.9",
            "12.10",
        ]
    ),
    *(f"9.{number}" for number in range(6, 17)),
}


def test_the_broker_catalogue_is_complete_and_cargo_is_asked_of_those_who_have_it() -> None:
    broker = shipped("broker")
    profile = broker.profile_for("broker", 1).id
    assert {one.id for one in broker.criteria()} >= OF_BROKERS
    without = applicable(broker, profile, {"q.2.2.1": Given("no")})
    asked = {
        name for name, one in without.criteria.items() if one is not Applicability.DOES_NOT_APPLY
    }
    assert asked == OF_BROKERS
    with_cargo = applicable(broker, profile, {"q.2.2.1": Given("yes")})
    for cargo in ("5.3", "6.2", "7.1", "8.1", "10.3", "12.2"):
        assert cargo not in asked
        assert with_cargo.criteria[cargo] is Applicability.APPLIES
    # Before it is said whether there is cargo, nothing falls away.
    assert Applicability.DOES_NOT_APPLY not in applicable(broker, profile, {}).criteria.values()


def test_no_question_of_the_importer_catalogue_hides_a_second_one_behind_a_condition() -> None:
    old, new = catalogues().get("importer", "2026.1"), shipped("importer")
    found = differences(old.content, new.content)
    split = {one.supersedes[0].id for one in found if one.change == "split"}
    reasked = {one.id for one in found if one.change == "substantive"}
    assert len(split) >= 20
    assert split <= reasked
    assert all(one.note for one in found if one.change not in {"editorial", "new"})


@pytest.mark.parametrize("catalogue_id", ["importer", "trade-compliance"])
def test_guidance_is_substantial_and_proof_is_concrete(catalogue_id: str) -> None:
    for criterion in shipped(catalogue_id).criteria():
        guidance = criterion.guidance
        assert len(guidance.why.split()) >= 12, criterion.id
        assert len(guidance.good.split()) >= 20, criterion.id
        assert len(guidance.not_enough.split()) >= 5, criterion.id
        assert 3 <= len(criterion.evidence.examples) <= 6, criterion.id
        assert 1 <= len(criterion.questions) <= 8, criterion.id
