"""What was submitted, as a reviewer reads it: typed views of one frozen snapshot.

Nothing here looks at live data. The shape is that of `app.assessments.snapshots` inside that of
`app.applications.queries.content`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from app.casework.rules.verdicts import fingerprint

INFECTED: Final = "infected"
NOT_ASKED: Final = "does_not_apply"
UNANSWERED: Final = frozenset({"unanswered", "undetermined"})
SAID: Final = ("value", "how_met", "document_reference", "not_applicable_reason")


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One question with what the trader said; `said` is the answer in words, empty for none."""

    id: str
    text: str
    applies: bool
    said: str
    how_met: str
    document_reference: str
    not_applicable_reason: str

    @property
    def empty(self) -> bool:
        """Whether the trader said nothing at all."""
        return not (self.said or self.how_met or self.not_applicable_reason)


@dataclass(frozen=True, slots=True)
class GivenEvidence:
    """A file that supports a criterion, as it was when it was submitted."""

    revision_id: str
    title: str
    filename: str
    size: int
    infected: bool


@dataclass(frozen=True, slots=True)
class FrozenCriterion:
    """One criterion of the snapshot; `fingerprint` changes with what the trader said about it."""

    id: str
    title: str
    statement: str
    must: bool
    section_id: str
    applies: bool
    answered: bool
    claims_not_applicable: bool
    evidence_wanted: int
    answers: tuple[GivenAnswer, ...]
    evidence: tuple[GivenEvidence, ...]
    fingerprint: str

    @property
    def evidence_missing(self) -> bool:
        """Whether fewer usable files support it than the catalogue asks for."""
        usable = sum(not one.infected for one in self.evidence)
        return self.applies and usable < self.evidence_wanted

    @property
    def asked(self) -> tuple[GivenAnswer, ...]:
        """The questions that applied, in their order."""
        return tuple(one for one in self.answers if one.applies)


@dataclass(frozen=True, slots=True)
class FrozenSection:
    """One section, with the criteria that apply to this trader."""

    id: str
    title: str
    criteria: tuple[FrozenCriterion, ...]


@dataclass(frozen=True)
class Dossier:
    """One snapshot. `content` is the whole of it, for what has no view of its own here."""

    number: int
    content: Mapping[str, Any]
    sections: tuple[FrozenSection, ...]

    def criteria(self) -> Iterator[FrozenCriterion]:
        """Every criterion that applies, in the order of the catalogue."""
        for section in self.sections:
            yield from section.criteria

    @cached_property
    def by_id(self) -> dict[str, FrozenCriterion]:
        """The criteria that apply, by id."""
        return {one.id: one for one in self.criteria()}

    def criterion(self, criterion_id: str) -> FrozenCriterion | None:
        """The criterion, `None` when it is not in the snapshot or does not apply."""
        return self.by_id.get(criterion_id)

    def section(self, section_id: str) -> FrozenSection | None:
        """The section, `None` when the snapshot has none of this name."""
        return next((one for one in self.sections if one.id == section_id), None)

    @property
    def catalogue(self) -> tuple[str, str]:
        """Id and version of the catalogue that was answered."""
        named = self.content["assessment"]["catalogue"]
        return named["id"], named["version"]


def read(number: int, content: Mapping[str, Any]) -> Dossier:
    """A snapshot's content as a dossier; sections without anything to judge are left out."""
    sections = [_section(one) for one in content["assessment"]["sections"]]
    return Dossier(number, content, tuple(one for one in sections if one.criteria))


def _section(given: Mapping[str, Any]) -> FrozenSection:
    criteria = [_criterion(one, given["id"]) for one in given["criteria"]]
    return FrozenSection(given["id"], given["title"], tuple(one for one in criteria if one.applies))


def _criterion(given: Mapping[str, Any], section_id: str) -> FrozenCriterion:
    answers = tuple(_answer(one) for one in given["questions"])
    evidence = tuple(_evidence(one) for one in given["evidence"])
    said = [
        [one["id"], one["applies"], *(one[name] for name in SAID)] for one in given["questions"]
    ]
    return FrozenCriterion(
        id=given["id"],
        title=given["title"],
        statement=given["statement"],
        must=given["modality"] == "must",
        section_id=section_id,
        applies=given["state"] != NOT_ASKED,
        answered=given["state"] not in UNANSWERED,
        claims_not_applicable=given["state"] == "not_applicable_claimed",
        evidence_wanted=given["evidence_wanted"],
        answers=answers,
        evidence=evidence,
        fingerprint=fingerprint(
            {"said": said, "evidence": sorted(one.revision_id for one in evidence)}
        ),
    )


def _answer(given: Mapping[str, Any]) -> GivenAnswer:
    return GivenAnswer(
        id=given["id"],
        text=given["text"],
        applies=given["applies"] == "applies",
        said=given["label"],
        how_met=given["how_met"],
        document_reference=given["document_reference"],
        not_applicable_reason=given["not_applicable_reason"],
    )


def _evidence(given: Mapping[str, Any]) -> GivenEvidence:
    return GivenEvidence(
        revision_id=given["revision_id"],
        title=given["title"],
        filename=given["filename"],
        size=given["size"],
        infected=given["scan_state"] == INFECTED,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One part of an answer that differs between two snapshots, before and after.

    `label` is an English source text: which part it is; `question` the question's words, empty
    for the evidence.
    """

    question: str
    label: str
    before: str
    after: str


PARTS: Final = (
    ("said", "Answer"),
    ("how_met", "How this is met"),
    ("document_reference", "Where it is written"),
    ("not_applicable_reason", "Why it does not apply"),
)


def changes(earlier: FrozenCriterion | None, present: FrozenCriterion) -> tuple[Change, ...]:
    """What the trader changed about a criterion; nothing for one that is new."""
    if earlier is None or earlier.fingerprint == present.fingerprint:
        return ()
    before = {one.id: one for one in earlier.asked}
    found = []
    for one in present.asked:
        old = before.get(one.id)
        for name, label in PARTS:
            then = "" if old is None else getattr(old, name)
            now = getattr(one, name)
            if then != now:
                found.append(Change(one.text, label, then, now))
    old_files = {one.revision_id: one.filename for one in earlier.evidence}
    new_files = {one.revision_id: one.filename for one in present.evidence}
    if old_files.keys() != new_files.keys():
        gone = [name for key, name in old_files.items() if key not in new_files]
        added = [name for key, name in new_files.items() if key not in old_files]
        found.append(Change("", "Evidence", ", ".join(gone), ", ".join(added)))
    return tuple(found)
