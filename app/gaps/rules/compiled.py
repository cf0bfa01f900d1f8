"""The gates of a catalogue's tiers, prepared once for many companies.

The rules of `app.catalogues.rules` ask the catalogue about each question anew. That is right for
one page and too slow for every partner at once, so what a catalogue says is looked up here once.
`tests/gaps/test_compiled.py` holds both to the same outcomes.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from app.catalogues.model import Catalogue, Question
from app.catalogues.rules import Result
from app.gaps.rules.tiers import TierOutcome, gate, tier_profiles

Said = Mapping[str, str | None]
"""What was said, by question id: a value, or `None` for the claim that it does not apply."""

OPEN: Final = -1
NO: Final = -2
GONE: Final = -3
"""Marks of a question that is unknown, not met, or does not apply.

Any other is how much is reached: the place of a level, 0 where an answer without levels meets it.
"""

_Asked = tuple[
    str,
    str,
    tuple[tuple[int, frozenset[str]], ...],
    frozenset[str] | None,
    Mapping[str, int] | None,
]
"""Id, criterion, conditions by place, what meets it, the order of its levels."""
_Must = tuple[str, tuple[tuple[int, int], ...]]
"""Id, and for each question its place and the lowest level that meets it."""


class TierRules:
    """The gates of all tiers for the kind of company that one profile is for."""

    def __init__(self, catalogue: Catalogue, profile_id: str) -> None:
        """Look up everything that the gates ask of the catalogue."""
        questions = list(catalogue.questions())
        place = {question.id: number for number, question in enumerate(questions)}
        self._asked: tuple[_Asked, ...] = tuple(_asked(catalogue, one, place) for one in questions)
        self._tiers: list[tuple[int, str, list[_Must]]] = [
            (
                profile.tier,
                profile.id,
                [
                    (
                        criterion.id,
                        tuple(
                            (place[one.id], _least(catalogue, profile.id, one))
                            for one in criterion.questions
                        ),
                    )
                    for section in catalogue.sections_in(profile.id)
                    for criterion in section.criteria
                    if catalogue.modality(profile.id, criterion.id) == "must"
                ],
            )
            for profile in tier_profiles(catalogue, profile_id)
        ]

    def outcomes(self, said: Said, accepted: Collection[str] = ()) -> tuple[TierOutcome, ...]:
        """What is claimed for each tier, the lowest first; as `tiers.tier_outcomes` says it."""
        found = self._judged(said, accepted)
        return tuple(_outcome(tier, name, musts, found) for tier, name, musts in self._tiers)

    def _judged(self, said: Said, accepted: Collection[str]) -> list[int]:
        """The mark of each question, by its place."""
        found: list[int] = []
        # What a condition sees: a value; `None` for open, and for gone the mark in `found`.
        values: list[str | None] = []
        for question, criterion, conditions, meeting, levels in self._asked:
            mark = 0
            for other, fitting in conditions:
                if found[other] == GONE:
                    mark = GONE
                    break
                value = values[other]
                if value is None:
                    mark = OPEN
                elif value not in fitting:
                    mark = GONE
                    break
            value = said.get(question, "")
            if mark == 0 and value is None and criterion in accepted:
                mark = GONE
            if mark == 0 and value and not value.isspace():
                values.append(value)
                if levels is not None:
                    mark = levels.get(value, OPEN)
                elif meeting is not None and value not in meeting:
                    mark = NO
                found.append(mark)
            else:
                values.append(None)
                found.append(mark or OPEN)
        return found


def _outcome(tier: int, profile_id: str, musts: list[_Must], found: list[int]) -> TierOutcome:
    not_met, unknown = [], []
    for criterion_id, questions in musts:
        doubt = False
        for place, least in questions:
            mark = found[place]
            if mark >= least or mark == GONE:
                continue
            if mark == OPEN:
                doubt = True
                continue
            not_met.append(criterion_id)
            break
        else:
            if doubt:
                unknown.append(criterion_id)
    result = gate([Result.NOT_MET] * bool(not_met) + [Result.UNKNOWN] * bool(unknown))
    return TierOutcome(tier, profile_id, result, tuple(not_met), tuple(unknown))


def _asked(catalogue: Catalogue, question: Question, place: Mapping[str, int]) -> _Asked:
    is_level = question.type == "level"
    return (
        question.id,
        catalogue.criterion_of(question.id).id,
        tuple(
            (place[other], frozenset(condition.accepted))
            for other, condition in question.show_if.items()
        ),
        None if is_level else question.meeting,
        {one.value: at for at, one in enumerate(question.choices)} if is_level else None,
    )


def _least(catalogue: Catalogue, profile_id: str, question: Question) -> int:
    """The place of the lowest level that is enough; 0 where any is, or where there are none."""
    wanted = catalogue.required_level(profile_id, question.id)
    return 0 if wanted is None else [one.value for one in question.choices].index(wanted)


@lru_cache(maxsize=64)
def tier_rules(catalogue: Catalogue, profile_id: str) -> TierRules:
    """The prepared rules of a catalogue version, which never changes."""
    return TierRules(catalogue, profile_id)
