"""What becomes of an answer when it moves to another version, or to the next annual review.

Pure decisions, without the answers themselves: a plan says for each question of the new version
where an answer may come from and how much of it still counts.
Source: the interface reference, on criteria that change; design fact 1, doubt resolves downward.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.catalogues.model import Catalogue
from app.catalogues.parts import Change, ChangeClass, Question


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
    """Where a question's answer comes from, and how it stands; no source is nothing to carry.

    ``kinds`` are the classes of change that touched the question on the way, each once.
    """

    how: Carriage
    source: str | None = None
    note: str = ""
    kinds: tuple[ChangeClass, ...] = ()


def carry_plan(old: Catalogue, new: Catalogue, *, annual: bool) -> Mapping[str, Carried]:
    """Say for every question of ``new`` what becomes of the answers given to ``old``.

    ``annual`` adds each question's own rule for the yearly review: what must be looked at again
    every year is never taken over unseen. The stricter of all rules holds. Both may be the same
    version. Where ``old`` is neither the same nor the version before, nobody has said what changed
    on the way, so nothing counts unconfirmed; `carry_along` knows the way. Questions that ``new``
    does not ask are not in the plan: their answers stay readable where they are.
    """
    before = {question.id for question in old.questions()}
    same = (old.id, old.version, old.sha256) == (new.id, new.version, new.sha256)
    follows = same or (old.id, old.version) == (new.id, new.previous)
    plan: dict[str, Carried] = {}
    for criterion in new.criteria():
        for question in criterion.questions:
            around = () if same else (criterion.changes, question.changes)
            changes = [one for one in around if one is not None]
            ruled = OF_RULE[question.carry] if annual else Carriage.KEPT
            if not follows:
                ruled = max(ruled, Carriage.UNCONFIRMED, key=ORDER.index)
            plan[question.id] = _carried(question, changes, before, ruled)
    return plan


def carry_along(way: Sequence[Catalogue], *, annual: bool) -> Mapping[str, Carried]:
    """Say the same for answers to the first version on the way to the last, through each between.

    What any version on the way changed counts: an answer that one of them asked to be confirmed is
    not certain again because the next one left the question alone. A way of one version is the
    yearly review of the same words.
    """
    if len(way) == 1:
        return carry_plan(way[0], way[0], annual=annual)
    plan = carry_plan(way[0], way[1], annual=annual and len(way) == 2)  # noqa: PLR2004 - a pair.
    for number in range(1, len(way) - 1):
        last = number == len(way) - 2
        step = carry_plan(way[number], way[number + 1], annual=annual and last)
        plan = {key: _joined(one, plan) for key, one in step.items()}
    return plan


def _joined(one: Carried, before: Mapping[str, Carried]) -> Carried:
    earlier = None if one.source is None else before.get(one.source)
    if earlier is None:
        return one
    notes = " ".join(note for note in (earlier.note, one.note) if note)
    kinds = tuple(dict.fromkeys((*earlier.kinds, *one.kinds)))
    how = max((earlier.how, one.how), key=ORDER.index)
    return Carried(how, earlier.source, notes, kinds)


def _carried(
    question: Question, changes: Sequence[Change], before: Collection[str], ruled: Carriage
) -> Carried:
    notes = " ".join(one.note for one in changes if one.note)
    kinds = tuple(dict.fromkeys(one.kind for one in changes))
    if question.id in before:
        # A criterion that was split or merged changed under the question that kept its id.
        told = [OF_CLASS.get(one.kind, Carriage.UNCONFIRMED) for one in changes]
        return Carried(max((ruled, *told), key=ORDER.index), question.id, notes, kinds)
    for old in question.changes.supersedes if question.changes else ():
        if old.id in before:
            how = Carriage.KEPT if old.relation == "equal" else Carriage.SUGGESTED
            return Carried(max((ruled, how), key=ORDER.index), old.id, notes, kinds)
    return Carried(Carriage.FRESH, None, notes, kinds)
