"""What one assessment can offer to another: pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.assessments.rules import EMPTY, Content
from app.catalogues.model import Catalogue, Criterion, Section
from app.catalogues.parts import Relation
from app.crosswalk.equivalence import Equivalence


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that supports a criterion elsewhere, and can support one here."""

    revision_id: UUID
    title: str
    filename: str


@dataclass(frozen=True, slots=True)
class Side:
    """One assessment: its criteria, what was said, and what supports what, by criterion id."""

    assessment_id: UUID
    catalogue: Catalogue
    profile_id: str
    contents: Mapping[str, Content]
    papers: Mapping[str, Sequence[Paper]]

    def criteria(self) -> Iterable[tuple[Section, Criterion]]:
        """The criteria of its profile with their sections."""
        for section in self.catalogue.sections_in(self.profile_id):
            for criterion in section.criteria:
                yield section, criterion


@dataclass(frozen=True, slots=True)
class Offer:
    """What another assessment holds for one criterion: words, and documents not here yet."""

    section: Section
    criterion: Criterion
    source_assessment_id: UUID
    source_title: str
    source: Criterion
    relation: Relation
    why: str
    words: str
    papers: tuple[Paper, ...]

    @property
    def key(self) -> tuple[str, UUID, str]:
        """What tells it from the others: criterion, source and criterion there."""
        return self.criterion.id, self.source_assessment_id, self.source.id


def offers(
    target: Side, sources: Sequence[Side], equivalences: Sequence[Equivalence]
) -> list[Offer]:
    """What the other assessments hold for this one, in its order.

    Words are offered where this one says nothing on how the criterion is met: the first words of
    the other one, and its reference. A value is never offered: yes to one question is no answer to
    another. What supports the criterion already is not offered again, and an offer without
    anything is none.
    """
    by_target: dict[str, list[Equivalence]] = {}
    for one in equivalences:
        if one.target_catalogue == target.catalogue.id:
            by_target.setdefault(one.target, []).append(one)
    return [
        found
        for section, criterion in target.criteria()
        for equivalence in by_target.get(criterion.id, ())
        for source in sources
        if source.catalogue.id == equivalence.source_catalogue
        and (found := _offer(target, section, criterion, source, equivalence)) is not None
    ]


def _offer(
    target: Side, section: Section, criterion: Criterion, source: Side, equivalence: Equivalence
) -> Offer | None:
    there = next((one for _, one in source.criteria() if one.id == equivalence.source), None)
    if there is None:
        return None
    here = {one.revision_id for one in target.papers.get(criterion.id, ())}
    papers = tuple(one for one in source.papers.get(there.id, ()) if one.revision_id not in here)
    lead = target.contents.get(criterion.questions[0].id, EMPTY)
    words = "" if lead.how_met else source.contents.get(there.questions[0].id, EMPTY).how_met
    if not papers and not words:
        return None
    return Offer(
        section=section,
        criterion=criterion,
        source_assessment_id=source.assessment_id,
        source_title=source.catalogue.title,
        source=there,
        relation=equivalence.relation,
        why=equivalence.why,
        words=words,
        papers=papers,
    )
