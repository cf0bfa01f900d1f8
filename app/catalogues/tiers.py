"""Which tier a trader's own answers would carry under a version, and what stands in the way.

Gates before points: every must of a tier and of all tiers below has to be met. What is unknown is
not met (design fact 1, doubt resolves downward). It decides nothing: a tier is a determination.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.catalogues.carrying import Carriage, Carried
from app.catalogues.model import Catalogue, UnknownIdError
from app.catalogues.rules import Answers, Result, applicable, criterion_result

COUNTS = frozenset({Carriage.KEPT, Carriage.REWORDED})


@dataclass(frozen=True)
class Reach:
    """The tier that answers carry, 0 for none, and the musts that keep from the tier held.

    ``not_met`` and ``unknown`` hold criterion ids in the file's order.
    """

    tier: int
    not_met: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def reach(catalogue: Catalogue, entity: str, held: int, answers: Answers) -> Reach:
    """Judge answers against the musts of the tiers 1 to ``held``; a tier without profile ends it."""
    carried = 0
    for tier in range(1, held + 1):
        try:
            profile = catalogue.profile_for(entity, tier)
        except UnknownIdError:
            return Reach(carried)
        not_met, unknown = _open_musts(catalogue, profile.id, answers)
        if not_met or unknown:
            return Reach(carried, not_met, unknown)
        carried = tier
    return Reach(carried)


def carried_answers(plan: Mapping[str, Carried], answers: Answers) -> Answers:
    """What of answers to the version before still counts, by the questions of the new one."""
    return {
        question_id: answers[one.source]
        for question_id, one in plan.items()
        if one.how in COUNTS and one.source is not None and one.source in answers
    }


def _open_musts(
    catalogue: Catalogue, profile_id: str, answers: Answers
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    applies = applicable(catalogue, profile_id, answers)
    found: dict[Result, list[str]] = {Result.NOT_MET: [], Result.UNKNOWN: []}
    for section in catalogue.sections_in(profile_id):
        for criterion in section.criteria:
            if catalogue.modality(profile_id, criterion.id) != "must":
                continue
            result = criterion_result(catalogue, profile_id, criterion, applies, answers)
            if result in found:
                found[result].append(criterion.id)
    return tuple(found[Result.NOT_MET]), tuple(found[Result.UNKNOWN])
