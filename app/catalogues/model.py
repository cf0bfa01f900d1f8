"""What a catalogue file says as a whole, and one version of a catalogue with look-ups by id.

The file shape is described in ``docs/adr/0008-catalogues-as-files.md``; the parts that are judged
and asked stand in ``parts.py``.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.catalogues.parts import (
    Change,
    ChangeClass,
    Criterion,
    CriterionId,
    EvidenceRule,
    Focus,
    Guidance,
    Line,
    Modality,
    Option,
    Part,
    Prose,
    Question,
    QuestionId,
    Relation,
    Slug,
    Superseded,
    Withdrawn,
)

__all__ = [
    "Catalogue",
    "CatalogueFile",
    "Change",
    "ChangeClass",
    "Criterion",
    "EvidenceRule",
    "Guidance",
    "Modality",
    "Option",
    "Profile",
    "Question",
    "Relation",
    "Section",
    "Setting",
    "Superseded",
    "UnknownIdError",
    "Withdrawn",
]

Version = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$", max_length=20)]

Found = TypeVar("Found")


class UnknownIdError(LookupError):
    """The catalogue has nothing under the id asked for."""

    def __init__(self, kind: str, wanted: str, place: str) -> None:
        """Name what was sought and where, so that the message stands on its own."""
        super().__init__(f"{place} has no {kind} {wanted!r}")
        self.kind = kind
        self.wanted = wanted


class Section(Part):
    """A category: the unit of a page and of a task in the task list."""

    id: Slug
    title: Line
    focus: Focus
    intro: Prose
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    withdrawn: tuple[Withdrawn, ...] = ()


class Setting(Part):
    """What a profile says about one criterion: its weight, and the lowest level that meets it.

    ``required_level`` gives, by question of the type level, the first choice that is enough.
    """

    modality: Modality | None = None
    required_level: Mapping[QuestionId, Slug] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.modality is None and not self.required_level:
            raise PydanticCustomError("setting", "Give `modality`, `required_level` or both.")
        return self


class Profile(Part):
    """Which sections apply to whom, and which criteria weigh otherwise there."""

    id: Slug
    entity: tuple[Slug, ...] = Field(min_length=1)
    tier: int = Field(ge=1, le=9)
    include: tuple[Slug, ...] = Field(min_length=1)
    set: Mapping[CriterionId, Setting] = Field(default_factory=dict)


class Header(Part):
    """The identity of one catalogue version and whom it is for."""

    id: Slug
    version: Version
    programme: Slug
    title: Line
    effective: date
    previous: Version | None = None
    entity: tuple[Slug, ...] = Field(min_length=1)
    sources: tuple[Line, ...] = Field(min_length=1)


class CatalogueFile(Part):
    """The whole file. References between its parts are checked in ``references.py``."""

    catalogue: Header
    sections: tuple[Section, ...] = Field(min_length=1)
    profiles: tuple[Profile, ...] = Field(min_length=1)


class Catalogue:
    """One immutable catalogue version with look-ups by id and the hash of its file's bytes."""

    def __init__(self, content: CatalogueFile, sha256: str) -> None:
        """Take content whose references were found good; the loader is the only caller."""
        self._content = content
        self.sha256 = sha256

    def __repr__(self) -> str:
        """Name the version and the start of its hash."""
        return f"<Catalogue {self.id} {self.version} sha256={self.sha256[:12]}>"

    @property
    def content(self) -> CatalogueFile:
        """The whole file as it was read, for comparing versions."""
        return self._content

    @property
    def id(self) -> str:
        """The catalogue's id, the same in all its versions."""
        return self._content.catalogue.id

    @property
    def version(self) -> str:
        """The version, dotted numbers."""
        return self._content.catalogue.version

    @property
    def programme(self) -> str:
        """The id of the programme it belongs to."""
        return self._content.catalogue.programme

    @property
    def title(self) -> str:
        """What people call it."""
        return self._content.catalogue.title

    @property
    def previous(self) -> str | None:
        """The version whose criteria this one changes, or ``None`` for the first."""
        return self._content.catalogue.previous

    @property
    def effective(self) -> date:
        """The first day on which new assessments use it."""
        return self._content.catalogue.effective

    @property
    def entity(self) -> tuple[str, ...]:
        """The entity types it is written for."""
        return self._content.catalogue.entity

    @property
    def sources(self) -> tuple[str, ...]:
        """Where ids, wording and weights come from."""
        return self._content.catalogue.sources

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections in the file's order."""
        return self._content.sections

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All profiles in the file's order."""
        return self._content.profiles

    def criteria(self) -> Iterator[Criterion]:
        """Yield all criteria in the file's order."""
        for section in self.sections:
            yield from section.criteria

    def questions(self) -> Iterator[Question]:
        """Yield all questions in the file's order."""
        for criterion in self.criteria():
            yield from criterion.questions

    @cached_property
    def _criteria(self) -> Mapping[str, Criterion]:
        return MappingProxyType({criterion.id: criterion for criterion in self.criteria()})

    @cached_property
    def _questions(self) -> Mapping[str, Question]:
        return MappingProxyType({question.id: question for question in self.questions()})

    @cached_property
    def _section_of(self) -> Mapping[str, Section]:
        return MappingProxyType(
            {criterion.id: section for section in self.sections for criterion in section.criteria}
        )

    @cached_property
    def _criterion_of(self) -> Mapping[str, Criterion]:
        return MappingProxyType(
            {question.id: item for item in self.criteria() for question in item.questions}
        )

    def section(self, section_id: str) -> Section:
        """Return the section or raise ``UnknownIdError``."""
        for section in self.sections:
            if section.id == section_id:
                return section
        raise UnknownIdError("section", section_id, repr(self))

    def criterion(self, criterion_id: str) -> Criterion:
        """Return the criterion or raise ``UnknownIdError``."""
        return self._found("criterion", criterion_id, self._criteria)

    def question(self, question_id: str) -> Question:
        """Return the question or raise ``UnknownIdError``."""
        return self._found("question", question_id, self._questions)

    def section_of(self, criterion_id: str) -> Section:
        """Return the section that holds a criterion or raise ``UnknownIdError``."""
        return self._found("criterion", criterion_id, self._section_of)

    def criterion_of(self, question_id: str) -> Criterion:
        """Return the criterion that a question belongs to or raise ``UnknownIdError``."""
        return self._found("question", question_id, self._criterion_of)

    def profile(self, profile_id: str) -> Profile:
        """Return the profile or raise ``UnknownIdError``."""
        for profile in self.profiles:
            if profile.id == profile_id:
                return profile
        raise UnknownIdError("profile", profile_id, repr(self))

    def profile_for(self, entity: str, tier: int) -> Profile:
        """Return the profile for an entity type and a tier or raise ``UnknownIdError``."""
        for profile in self.profiles:
            if entity in profile.entity and profile.tier == tier:
                return profile
        raise UnknownIdError("profile", f"{entity}, tier {tier}", repr(self))

    def sections_in(self, profile_id: str) -> tuple[Section, ...]:
        """Return the sections that a profile includes, in the file's order."""
        included = self.profile(profile_id).include
        return tuple(section for section in self.sections if section.id in included)

    def modality(self, profile_id: str, criterion_id: str) -> Modality:
        """Return must or should for a criterion in a profile.

        Raises ``UnknownIdError`` also for a criterion whose section the profile leaves out:
        what does not apply is neither must nor should.
        """
        profile = self.profile(profile_id)
        criterion = self.criterion(criterion_id)
        if self.section_of(criterion_id).id not in profile.include:
            raise UnknownIdError("criterion", criterion_id, f"profile {profile_id}")
        setting = profile.set.get(criterion_id)
        return (setting and setting.modality) or criterion.modality

    def required_level(self, profile_id: str, question_id: str) -> str | None:
        """Return the lowest choice that meets a level question, or ``None`` when any does."""
        setting = self.profile(profile_id).set.get(self.criterion_of(question_id).id)
        return setting.required_level.get(question_id) if setting else None

    def withdrawn(self) -> Iterator[Withdrawn]:
        """Yield the ids that earlier versions used and this one does not ask any more."""
        for section in self.sections:
            yield from section.withdrawn

    def _found(self, kind: str, wanted: str, among: Mapping[str, Found]) -> Found:
        try:
            return among[wanted]
        except KeyError:
            raise UnknownIdError(kind, wanted, repr(self)) from None
