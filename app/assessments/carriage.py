"""What is taken over from one assessment into another: pure decisions about the answers themselves.

`app.catalogues.carrying` says by the two versions alone where an answer may come from and how much
of it counts. Here the answers join it. Doubt resolves downward: what no longer fits the question
is offered and does not count, and what was never confirmed stays unconfirmed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.assessments.rules import EMPTY, AnswerInput, Content, as_json, shape_problems, spoken
from app.catalogues.carrying import ORDER, Carriage, Carried
from app.catalogues.model import Catalogue, Criterion, Question
from app.catalogues.parts import ChangeClass

COUNTS = (Carriage.KEPT, Carriage.REWORDED)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer of the earlier assessment, or one that was only offered there: `least` says how."""

    content: Content
    at: datetime
    by_id: UUID | None
    by: str
    least: Carriage = Carriage.KEPT


@dataclass(frozen=True, slots=True)
class Carry:
    """What becomes of one question of the new assessment; `earlier` is `None` with nothing given.

    `was` is the question to which `earlier` was given, `kinds` the classes of change since then.
    """

    criterion: Criterion
    question: Question
    how: Carriage
    source: str | None
    note: str
    kinds: tuple[ChangeClass, ...]
    was: Question | None
    earlier: Earlier | None

    @property
    def said(self) -> str:
        """The earlier value in the words of its own question."""
        return "" if self.was is None or self.earlier is None else _said(self.was, self.earlier)


@dataclass(frozen=True, slots=True)
class Dropped:
    """An answer whose question is not asked any more; it stays readable where it was given."""

    question: Question
    reason: str
    earlier: Earlier

    @property
    def said(self) -> str:
        """Its value in words."""
        return _said(self.question, self.earlier)


@dataclass(frozen=True, slots=True)
class Takeover:
    """Everything that moving would do: each question, what is dropped, which criteria keep proof.

    Of a section in `unchanged` nothing differs, so a person's word that it is complete still holds.
    """

    carries: tuple[Carry, ...]
    dropped: tuple[Dropped, ...]
    proofs: frozenset[str]
    unchanged: frozenset[str]

    def of(self, *hows: Carriage) -> list[Carry]:
        """The questions that are taken over so."""
        return [one for one in self.carries if one.how in hows]


def takeover(
    old: Catalogue,
    new: Catalogue,
    profile_id: str,
    plan: Mapping[str, Carried],
    earlier: Mapping[str, Earlier],
) -> Takeover:
    """Say for each question of the profile what of the earlier answers goes along, and how."""
    carries = tuple(
        _carry(old, criterion, question, plan[question.id], earlier)
        for section in new.sections_in(profile_id)
        for criterion in section.criteria
        for question in criterion.questions
    )
    # What was split or merged is not dropped: its words are offered under another id.
    asked = {one.question.id for one in carries} | {one.source for one in carries}
    reasons = {one.id: one.reason for one in new.withdrawn()}
    gone = tuple(
        Dropped(question, reasons.get(question.id, ""), earlier[question.id])
        for question in old.questions()
        if question.id in earlier and question.id not in asked
    )
    same = frozenset(
        section.id
        for section in new.sections_in(profile_id)
        if all(
            plan[question.id].how is Carriage.KEPT and plan[question.id].source == question.id
            for criterion in section.criteria
            for question in criterion.questions
        )
    )
    return Takeover(carries, gone, _proofs(carries), same)


def _said(question: Question, earlier: Earlier) -> str:
    return spoken(question, earlier.content.value)


def _carry(
    old: Catalogue,
    criterion: Criterion,
    question: Question,
    planned: Carried,
    earlier: Mapping[str, Earlier],
) -> Carry:
    found = earlier.get(planned.source or "")
    how, source, note, kinds = planned.how, planned.source, planned.note, planned.kinds
    if found is None or found.content == EMPTY:
        return Carry(criterion, question, Carriage.FRESH, source, note, kinds, None, None)
    how = max(how, found.least, key=ORDER.index)
    if shape_problems(question, AnswerInput(**as_json(found.content))):
        how = max(how, Carriage.SUGGESTED, key=ORDER.index)
    return Carry(criterion, question, how, source, note, kinds, old.question(source or ""), found)


def _proofs(carries: Iterable[Carry]) -> frozenset[str]:
    """Criteria whose documents go along: those of which nothing changed but words."""
    changed = {
        one.criterion.id
        for one in carries
        if one.criterion.changes is not None
        and one.criterion.changes.kind not in {"editorial", "clarified"}
    }
    return frozenset({one.criterion.id for one in carries} - changed)
