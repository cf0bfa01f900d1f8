"""Which questions apply to whom, and how far a criterion is answered: pure decisions.

Everything is three-valued: what cannot be known yet is *undetermined*, never a silent no
(design fact 1: every doubt resolves downward).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.catalogues.model import Catalogue, Criterion, Question


class Applicability(StrEnum):
    """Whether a question or a criterion is asked at all."""

    APPLIES = "applies"
    DOES_NOT_APPLY = "does_not_apply"
    UNDETERMINED = "undetermined"


class CriterionState(StrEnum):
    """How far a criterion is answered; whether it is *met* is judged elsewhere, by people."""

    UNANSWERED = "unanswered"
    ANSWERED = "answered"
    NOT_APPLICABLE_CLAIMED = "not_applicable_claimed"
    DOES_NOT_APPLY = "does_not_apply"
    UNDETERMINED = "undetermined"


class Result(StrEnum):
    """What answers amount to against a profile; a claim by the trader, not yet a judgement."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"
    """Unanswered, undetermined, or claimed not to apply: neither met nor not met."""
    DOES_NOT_APPLY = "does_not_apply"


@dataclass(frozen=True)
class Given:
    """What a trader gave for one question: a value as text, or the claim that it does not apply.

    A claim is not yet a fact: only a reviewer can accept it.
    """

    value: str = ""
    not_applicable: bool = False

    @property
    def is_answered(self) -> bool:
        """Whether there is anything other than blanks."""
        return bool(self.value.strip())


Answers = Mapping[str, Given]


@dataclass(frozen=True)
class Applicable:
    """The verdict for every question and criterion of one profile, by id, in the file's order."""

    questions: Mapping[str, Applicability]
    criteria: Mapping[str, Applicability]


def applicable(
    catalogue: Catalogue,
    profile_id: str,
    answers: Answers,
    accepted: Collection[str] = (),
) -> Applicable:
    """Decide what applies under a profile, given the answers so far.

    ``accepted`` are the criteria whose claims of not applying a reviewer has accepted: there a
    claim is a fact. Criteria outside the profile are absent from the result. Answers to unknown questions are
    ignored, as are stale ones to questions that do not apply. Raises ``UnknownIdError`` for a
    profile that the catalogue does not have.
    """
    questions: dict[str, Applicability] = {}
    criteria: dict[str, Applicability] = {}
    for section in catalogue.sections_in(profile_id):
        for criterion in section.criteria:
            for question in criterion.questions:
                # Conditions look back only (checked on loading), so all they need is decided.
                verdict = _applies(question, questions, answers)
                claimed = criterion.id in accepted and answers.get(question.id, Given())
                if claimed and claimed.not_applicable and verdict is Applicability.APPLIES:
                    verdict = Applicability.DOES_NOT_APPLY
                questions[question.id] = verdict
            criteria[criterion.id] = _any(questions[asked.id] for asked in criterion.questions)
    return Applicable(MappingProxyType(questions), MappingProxyType(criteria))


def criterion_state(
    criterion: Criterion, questions: Mapping[str, Applicability], answers: Answers
) -> CriterionState:
    """Derive a criterion's state from its questions that apply.

    One open question leaves it unanswered. It is claimed as not applicable only when that claim
    is made for every question that applies. Questions outside ``questions`` are not asked.
    """
    verdicts = [questions.get(one.id, Applicability.DOES_NOT_APPLY) for one in criterion.questions]
    asked = [
        answers.get(one.id, Given())
        for one, verdict in zip(criterion.questions, verdicts, strict=True)
        if verdict is Applicability.APPLIES
    ]
    if any(not one.is_answered and not one.not_applicable for one in asked):
        return CriterionState.UNANSWERED
    if Applicability.UNDETERMINED in verdicts:
        return CriterionState.UNDETERMINED
    if not asked:
        return CriterionState.DOES_NOT_APPLY
    if all(one.not_applicable for one in asked):
        return CriterionState.NOT_APPLICABLE_CLAIMED
    return CriterionState.ANSWERED


def question_result(
    catalogue: Catalogue,
    profile_id: str,
    question: Question,
    verdict: Applicability,
    given: Given,
) -> Result:
    """Judge one answer by the catalogue's own words; a question of fact is met by an answer."""
    if verdict is Applicability.DOES_NOT_APPLY:
        return Result.DOES_NOT_APPLY
    if verdict is Applicability.UNDETERMINED or given.not_applicable or not given.is_answered:
        return Result.UNKNOWN
    if question.type == "level":
        wanted = catalogue.required_level(profile_id, question.id)
        values = [one.value for one in question.choices]
        if given.value not in values:
            return Result.UNKNOWN
        enough = wanted is None or values.index(given.value) >= values.index(wanted)
        return Result.MET if enough else Result.NOT_MET
    if question.meeting is not None and given.value not in question.meeting:
        return Result.NOT_MET
    return Result.MET


def criterion_result(
    catalogue: Catalogue,
    profile_id: str,
    criterion: Criterion,
    applies: Applicable,
    answers: Answers,
) -> Result:
    """Derive a criterion's result from its questions: one that is not met decides, then a doubt.

    Evidence is its own measure and is not looked at here.
    """
    results = {
        question_result(
            catalogue,
            profile_id,
            question,
            applies.questions.get(question.id, Applicability.DOES_NOT_APPLY),
            answers.get(question.id, Given()),
        )
        for question in criterion.questions
    }
    for found in (Result.NOT_MET, Result.UNKNOWN, Result.MET):
        if found in results:
            return found
    return Result.DOES_NOT_APPLY


def _applies(
    question: Question, decided: Mapping[str, Applicability], answers: Answers
) -> Applicability:
    """Join all conditions: one that fails decides, else one that is open leaves it open."""
    verdicts = [
        _holds(decided[other], answers.get(other, Given()), condition.accepted)
        for other, condition in question.show_if.items()
    ]
    if Applicability.DOES_NOT_APPLY in verdicts:
        return Applicability.DOES_NOT_APPLY
    if Applicability.UNDETERMINED in verdicts:
        return Applicability.UNDETERMINED
    return Applicability.APPLIES


def _holds(other: Applicability, given: Given, accepted: tuple[str, ...]) -> Applicability:
    if other is not Applicability.APPLIES:
        return other
    if given.not_applicable or not given.is_answered:
        return Applicability.UNDETERMINED
    return Applicability.APPLIES if given.value in accepted else Applicability.DOES_NOT_APPLY


def _any(verdicts: Iterable[Applicability]) -> Applicability:
    """Join a criterion's questions: it applies with any of them, falls away only with all."""
    found = set(verdicts)
    for verdict in (Applicability.APPLIES, Applicability.UNDETERMINED):
        if verdict in found:
            return verdict
    return Applicability.DOES_NOT_APPLY
