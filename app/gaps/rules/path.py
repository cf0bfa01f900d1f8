"""The cheapest way to a tier: the fewest answers that open its gate. An exact search, pure.

A step is to answer what is open, to reach an answer that is enough where the given one is not, or
to have the agency accept a claim that a question does not apply. What is met, and what states a
fact, is never to be changed: the way to a tier is no invitation to say something else. Of an open
question of fact the cheapest answer is assumed, so the number of steps is the least that is
possible; `Step.opens` says where more can follow.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.catalogues.model import Catalogue, Question
from app.catalogues.rules import Answers, Applicability, Given, Result, question_result
from app.gaps.rules.measures import candidates, enough

FREE: Final = ""


class StepKind(StrEnum):
    """What has to be done about a question."""

    ANSWER = "answer"
    REACH = "reach"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    `value` is an answer that is enough, empty where any is; `opens` says whether further
    questions hang on the answer.
    """

    criterion_id: str
    question_id: str
    kind: StepKind
    value: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Path:
    """The fewest steps, in the catalogue's order; `reachable`: whether any answers open the gate."""

    steps: tuple[Step, ...]
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class _Decided:
    """How a question stands on the way: whether it applies, and its value."""

    verdict: Applicability
    value: str = FREE


@dataclass(frozen=True, slots=True)
class _Option:
    """One way to go on from a question."""

    decided: _Decided
    step: Step | None = None


@dataclass
class _Search:
    catalogue: Catalogue
    profile_id: str
    answers: Answers
    accepted: AbstractSet[str]
    musts: AbstractSet[str]
    dependents: Mapping[str, tuple[frozenset[str], ...]]
    decided: dict[str, _Decided] = field(default_factory=dict)

    def solve(self, questions: Sequence[Question]) -> tuple[Step, ...] | None:
        """The fewest steps for these questions, which hang on each other or on what is decided."""
        steps: tuple[Step, ...] = ()
        for group in self._groups(questions):
            found = self._solve_group(group)
            if found is None:
                return None
            steps += found
        return steps

    def _solve_group(self, group: Sequence[Question]) -> tuple[Step, ...] | None:
        """Try each way to go on from the first question; all that it hangs on is decided."""
        first, rest = group[0], group[1:]
        best: tuple[Step, ...] | None = None
        for option in self._options(first):
            self.decided[first.id] = option.decided
            found = self.solve(rest)
            if found is not None:
                steps = found if option.step is None else (option.step, *found)
                if best is None or len(steps) < len(best):
                    best = steps
        self.decided.pop(first.id, None)
        return best

    def _groups(self, questions: Sequence[Question]) -> list[list[Question]]:
        """The questions parted into those that hang together by what is not decided yet."""
        group_of: dict[str, list[Question]] = {}
        groups: list[list[Question]] = []
        for question in questions:
            tied = {
                id(group_of[other]): group_of[other]
                for other in question.show_if
                if other in group_of
            }
            merged = [one for group in groups if id(group) in tied for one in group]
            groups = [group for group in groups if id(group) not in tied]
            merged.append(question)
            for one in merged:
                group_of[one.id] = merged
            groups.append(merged)
        order = {question.id: place for place, question in enumerate(questions)}
        for group in groups:
            group.sort(key=lambda one: order[one.id])
        return groups

    def _options(self, question: Question) -> list[_Option]:
        criterion = self.catalogue.criterion_of(question.id)
        must = criterion.id in self.musts
        given = self.answers.get(question.id, Given())
        verdict = self._verdict(question)
        if verdict is Applicability.DOES_NOT_APPLY:
            return [_Option(_Decided(verdict))]
        if verdict is Applicability.UNDETERMINED:
            return [] if must else [_Option(_Decided(verdict))]
        if given.not_applicable and criterion.id in self.accepted:
            return [_Option(_Decided(Applicability.DOES_NOT_APPLY))]
        said = given.is_answered and not given.not_applicable
        keep = _Option(_Decided(verdict, given.value if said else FREE))
        result = question_result(self.catalogue, self.profile_id, question, verdict, given)
        if must and result is Result.MET:
            return [keep]
        if not must and (result is not Result.UNKNOWN or question.id not in self.dependents):
            return [keep]
        return [*(() if must else (keep,)), *self._steps(question, criterion.id, given, must=must)]

    def _steps(
        self, question: Question, criterion_id: str, given: Given, *, must: bool
    ) -> list[_Option]:
        found = []
        wanted = enough(self.catalogue, self.profile_id, question) if must else ()
        values = wanted or candidates(question) or (FREE,)
        classes: dict[tuple[bool, ...], str] = {}
        for value in values:
            effect = tuple(value in one for one in self.dependents.get(question.id, ()))
            classes.setdefault(effect, value)
        answered = given.is_answered and not given.not_applicable
        kind = StepKind.REACH if answered else StepKind.ANSWER
        for value in classes.values():
            step = Step(
                criterion_id,
                question.id,
                kind,
                value if wanted else FREE,
                opens=question.id in self.dependents,
            )
            # Whoever gives a free answer has answered; nothing can hang on what it says.
            found.append(_Option(_Decided(Applicability.APPLIES, value or "-"), step))
        if given.not_applicable:
            claim = Step(criterion_id, question.id, StepKind.CLAIM, FREE, opens=False)
            found.append(_Option(_Decided(Applicability.DOES_NOT_APPLY), claim))
        return found

    def _verdict(self, question: Question) -> Applicability:
        """As `app.catalogues.rules` joins conditions, over what is decided on this way."""
        verdicts = {
            self._holds(self.decided[other], condition.accepted)
            for other, condition in question.show_if.items()
        }
        for one in (Applicability.DOES_NOT_APPLY, Applicability.UNDETERMINED):
            if one in verdicts:
                return one
        return Applicability.APPLIES

    @staticmethod
    def _holds(other: _Decided, accepted: tuple[str, ...]) -> Applicability:
        if other.verdict is not Applicability.APPLIES:
            return other.verdict
        if not other.value:
            return Applicability.UNDETERMINED
        fits = other.value in accepted
        return Applicability.APPLIES if fits else Applicability.DOES_NOT_APPLY


def cheapest_path(
    catalogue: Catalogue,
    profile_id: str,
    answers: Answers,
    accepted: AbstractSet[str] = frozenset(),
) -> Path:
    """Find the fewest steps after which every must of the profile is met or does not apply.

    `accepted` are the criteria whose claims of not applying the agency has accepted. Exact: the
    search parts the questions wherever nothing undecided ties them, so it is quick although
    conditions reach across criteria.
    """
    criteria = [
        criterion for section in catalogue.sections_in(profile_id) for criterion in section.criteria
    ]
    musts = frozenset(
        one.id for one in criteria if catalogue.modality(profile_id, one.id) == "must"
    )
    questions = [question for criterion in criteria for question in criterion.questions]
    dependents: dict[str, tuple[frozenset[str], ...]] = {}
    for question in questions:
        for other, condition in question.show_if.items():
            dependents[other] = (*dependents.get(other, ()), frozenset(condition.accepted))
    search = _Search(catalogue, profile_id, answers, accepted, musts, dependents)
    found = search.solve(questions)
    if found is None:
        return Path((), reachable=False)
    place = {question.id: number for number, question in enumerate(questions)}
    return Path(tuple(sorted(found, key=lambda one: place[one.question_id])))
