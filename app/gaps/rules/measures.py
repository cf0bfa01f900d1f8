"""The three measures of a criterion, kept apart: what is claimed, assessed, and proved.

Source: the interface reference, on scoring: gates before scores, evidence its own measure, and
a third state, unknown, for whatever nobody has said yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.catalogues.model import Catalogue, Criterion, Question
from app.catalogues.rules import (
    Answers,
    Applicability,
    Applicable,
    Given,
    Result,
    question_result,
)
from app.documents.age import months_before

CLEARED = frozenset({"clean", "unscanned"})
"""Scan states under which a file counts; `unscanned` is an installation without a scanner."""
WAITING = "pending"


@dataclass(frozen=True, slots=True)
class File:
    """A file that supports a criterion: its scan state, and the days that decide on its age."""

    scan_state: str
    stored_on: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a criterion is proved: `usable` files in date of `wanted`; `outdated` ones do not count."""

    result: Result
    usable: int
    wanted: int
    outdated: int = 0

    @property
    def missing(self) -> int:
        """How many more files are needed."""
        return max(0, self.wanted - self.usable)


class WhyKind(StrEnum):
    """Why a question does not meet its criterion."""

    OPEN = "open"
    UNDETERMINED = "undetermined"
    CLAIMED = "claimed"
    NOT_MET = "not_met"
    TOO_LOW = "too_low"


@dataclass(frozen=True, slots=True)
class Why:
    """One question that keeps a criterion from being met.

    `required` are the values that would be enough, none where any answer is; `current` is the
    value given.
    """

    question: Question
    kind: WhyKind
    required: tuple[str, ...]
    current: str


def evidence_result(
    criterion: Criterion, applies: Applicability, files: Iterable[File], on: date
) -> Evidence:
    """Judge a criterion's files on a day, whatever its answers say.

    Infected files are none. A file is out of date once it has expired, or once it was stored
    longer ago than the catalogue lets evidence be old: its content cannot be younger. One that is
    still to be scanned leaves it unknown.
    """
    wanted = criterion.evidence.min
    limit = criterion.evidence.max_age_months
    oldest = None if limit is None else months_before(on, limit)
    usable = waiting = outdated = 0
    for one in files:
        if one.scan_state not in CLEARED and one.scan_state != WAITING:
            continue
        if (one.expires_on is not None and one.expires_on < on) or (
            oldest is not None and one.stored_on < oldest
        ):
            outdated += 1
        elif one.scan_state == WAITING:
            waiting += 1
        else:
            usable += 1
    if not wanted or applies is Applicability.DOES_NOT_APPLY:
        return Evidence(Result.DOES_NOT_APPLY, usable, 0, outdated)
    if usable >= wanted:
        result = Result.MET
    elif usable + waiting >= wanted or applies is Applicability.UNDETERMINED:
        result = Result.UNKNOWN
    else:
        result = Result.NOT_MET
    return Evidence(result, usable, wanted, outdated)


def reasons(
    catalogue: Catalogue,
    profile_id: str,
    criterion: Criterion,
    applies: Applicable,
    answers: Answers,
) -> tuple[Why, ...]:
    """The questions that keep a criterion from being met under a profile, in their order."""
    found = []
    for question in criterion.questions:
        verdict = applies.questions.get(question.id, Applicability.DOES_NOT_APPLY)
        given = answers.get(question.id, Given())
        kind = _kind(
            question,
            verdict,
            given,
            question_result(catalogue, profile_id, question, verdict, given),
        )
        if kind is not None:
            required = enough(catalogue, profile_id, question)
            found.append(Why(question, kind, required, given.value))
    return tuple(found)


def _kind(
    question: Question, verdict: Applicability, given: Given, result: Result
) -> WhyKind | None:
    if result is Result.NOT_MET:
        return WhyKind.TOO_LOW if question.type == "level" else WhyKind.NOT_MET
    if result is not Result.UNKNOWN:
        return None
    if verdict is Applicability.UNDETERMINED:
        return WhyKind.UNDETERMINED
    return WhyKind.CLAIMED if given.not_applicable else WhyKind.OPEN


def enough(catalogue: Catalogue, profile_id: str, question: Question) -> tuple[str, ...]:
    """The values that meet a question under a profile, the least first; none where any does."""
    if question.type == "level":
        wanted = catalogue.required_level(profile_id, question.id)
        values = tuple(one.value for one in question.choices)
        return () if wanted is None else values[values.index(wanted) :]
    if question.meeting is None:
        return ()
    return tuple(value for value in candidates(question) if value in question.meeting)


def candidates(question: Question) -> tuple[str, ...]:
    """The values an answer can take, in the order of the page; none where it is free."""
    if question.type == "yes_no":
        return ("yes", "no")
    return tuple(one.value for one in question.choices)


def share(
    catalogue: Catalogue,
    profile_id: str,
    criterion: Criterion,
    applies: Applicable,
    answers: Answers,
) -> tuple[float, float] | None:
    """How much of a criterion is reached, from 0 to 1, at least and at most; `None` for nothing.

    Every question weighs the same; a level counts by its place on its own scale. What is unknown
    is nothing in the lower figure and everything in the upper one: points are for the profile,
    they never open a gate.
    """
    least = most = 0.0
    count = 0
    for question in criterion.questions:
        verdict = applies.questions.get(question.id, Applicability.DOES_NOT_APPLY)
        given = answers.get(question.id, Given())
        result = question_result(catalogue, profile_id, question, verdict, given)
        if result is Result.DOES_NOT_APPLY:
            continue
        count += 1
        if result is Result.UNKNOWN:
            most += 1
            continue
        points = _points(question, given.value, result)
        least += points
        most += points
    return (least / count, most / count) if count else None


def _points(question: Question, value: str, result: Result) -> float:
    if question.type == "level" and len(question.choices) > 1:
        place = [one.value for one in question.choices].index(value)
        return place / (len(question.choices) - 1)
    return 1.0 if result is Result.MET else 0.0


def counted(results: Iterable[Result]) -> Mapping[Result, int]:
    """How many of each, none left out."""
    found = dict.fromkeys(Result, 0)
    for one in results:
        found[one] += 1
    return found
