"""What becomes of an answer when it moves to another version, or to the next annual review.

Pure decisions, without the answers themselves: a plan says for each question of the new version
where an answer may come from and how much of it still counts.
Source: the interface reference, on criteria that change; design fact 1, doubt resolves downward.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.catalogues.model import Catalogue
from app.catalogues.parts import Change, Question


class Carriage(StrEnum):
    """How an earlier answer stands in the new assessment, from the strongest to the weakest."""

    KEPT = "kept"
    """It counts as it is."""
    REWORDED = "reworded"
    """It counts; the page says that the question was reworded."""
    UNCONFIRMED = "unconfirmed"
    """It is shown and does not count until a person confirms or changes it."""
    SUGGESTED = "suggested"
    """Its words are offered beside an empty answer."""
    FRESH = "fresh"
    """Nothing is carried."""


ORDER = tuple(Carriage)
OF_CLASS = {
    "editorial": Carriage.KEPT,
    "clarified": Carriage.REWORDED,
    "substantive": Carriage.UNCONFIRMED,
    "new": Carriage.FRESH,
}
OF_RULE = {
    "auto": Carriage.KEPT,
    "confirm": Carriage.UNCONFIRMED,
    "never": Carriage.SUGGESTED,
}


@dataclass(frozen=True)
class Carried:
    """Where a question's answer comes from, and how it stands; no source is nothing to carry."""

    how: Carriage
    source: str | None = None
    note: str = ""


def carry_plan(old: Catalogue, new: Catalogue, *, annual: bool) -> Mapping[str, Carried]:
    """Say for every question of ``new`` what becomes of the answers given to ``old``.

    ``annual`` adds each question's own rule for the yearly review: what must be looked at again
    every year is never taken over unseen. The stricter of all rules holds. Both may be the same
    version. Questions that ``new`` does not ask are not in the plan: their answers stay readable
    where they are.
    """
    before = {question.id for question in old.questions()}
    same = (old.id, old.version, old.sha256) == (new.id, new.version, new.sha256)
    plan: dict[str, Carried] = {}
    for criterion in new.criteria():
        for question in criterion.questions:
            around = () if same else (criterion.changes, question.changes)
            changes = [one for one in around if one is not None]
            ruled = OF_RULE[question.carry] if annual else Carriage.KEPT
            plan[question.id] = _carried(question, changes, before, ruled)
    return plan


def _carried(
    question: Question, changes: Sequence[Change], before: Collection[str], ruled: Carriage
) -> Carried:
    notes = " ".join(one.note for one in changes if one.note)
    if question.id in before:
        # A criterion that was split or merged changed under the question that kept its id.
        told = [OF_CLASS.get(one.kind, Carriage.UNCONFIRMED) for one in changes]
        return Carried(max((ruled, *told), key=ORDER.index), question.id, notes)
    for old in question.changes.supersedes if question.changes else ():
        if old.id in before:
            how = Carriage.KEPT if old.relation == "equal" else Carriage.SUGGESTED
            return Carried(max((ruled, how), key=ORDER.index), old.id, notes)
    return Carried(Carriage.FRESH, None, notes)
