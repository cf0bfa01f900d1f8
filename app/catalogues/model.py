"""What a catalogue file says, as frozen objects, with every check that one file allows.

The file shape is described in ``docs/adr/0008-catalogues-as-files.md``. Ids are the identity of a
subject across versions: they are never reused and never derived from titles.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Modality = Literal["must", "should"]
Focus = Literal["corporate", "transportation", "people-physical"]
QuestionType = Literal["yes_no", "level", "choice", "number", "date", "text", "table", "doc_ref"]
Carry = Literal["never", "confirm", "auto"]
ChangeClass = Literal[
    "editorial", "clarified", "substantive", "new", "withdrawn", "split", "merged"
]
Relation = Literal["equal", "subset", "superset", "intersects"]
EvidenceKind = Literal[
    "policy",
    "procedure",
    "plan",
    "agreement",
    "record",
    "log",
    "report",
    "certificate",
    "training_record",
    "photo",
    "map",
    "screenshot",
    "form",
    "register",
]

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
CriterionId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)
]
QuestionId = Annotated[
    str, StringConstraints(pattern=r"^q\.[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)
]
Line = Annotated[str, StringConstraints(min_length=2, max_length=300, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(min_length=2, max_length=4000, strip_whitespace=True)]

WITH_CHOICES = frozenset({"level", "choice"})

Found = TypeVar("Found")


class UnknownIdError(LookupError):
    """The catalogue has nothing under the id asked for."""

    def __init__(self, kind: str, wanted: str, place: str) -> None:
        """Name what was sought and where, so that the message stands on its own."""
        super().__init__(f"{place} has no {kind} {wanted!r}")
        self.kind = kind
        self.wanted = wanted


class Part(BaseModel):
    """Base of every part of a catalogue: frozen, strictly typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Guidance(Part):
    """Why a criterion exists, what meets it, and what commonly passes for it but does not."""

    why: Prose
    good: Prose
    not_enough: Prose


class EvidenceRule(Part):
    """What proof is usual; ``min`` documents are needed, none older than ``max_age_months``."""

    kinds: tuple[EvidenceKind, ...] = Field(min_length=1)
    examples: tuple[Line, ...] = Field(min_length=1)
    min: int = Field(ge=0, le=10)
    max_age_months: int | None = Field(default=None, ge=1, le=120)


class Option(Part):
    """A value that is stored and the label that is shown: a choice, a level or a table column."""

    value: Slug
    label: Line


class Condition(Part):
    """A test on another question's answer; exactly one comparator is given."""

    equals: str | None = Field(default=None, alias="is")
    any_of: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.equals is None) == (self.any_of is None):
            raise PydanticCustomError("condition", "Give exactly one of `is` and `any_of`.")
        return self

    @property
    def accepted(self) -> tuple[str, ...]:
        """The values of the other answer that make this condition hold."""
        return self.any_of if self.any_of is not None else (self.equals or "",)


class Question(Part):
    """One thing a validator would ask. ``choices`` of a ``level`` go from weakest to strongest."""

    id: QuestionId
    text: Line
    type: QuestionType
    carry: Carry
    choices: tuple[Option, ...] = ()
    columns: tuple[Option, ...] = ()
    show_if: Mapping[QuestionId, Condition] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _options_fit_type(self) -> Self:
        if (self.type in WITH_CHOICES) != bool(self.choices):
            raise PydanticCustomError(
                "options",
                "`choices` belong to the types level and choice, and to them always.",
            )
        if (self.type == "table") != bool(self.columns):
            raise PydanticCustomError(
                "options", "`columns` belong to the type table, and to it always."
            )
        for options in (self.choices, self.columns):
            values = [option.value for option in options]
            if len(set(values)) != len(values):
                raise PydanticCustomError("options", "Two options have the same value.")
        return self

    @property
    def possible(self) -> frozenset[str] | None:
        """The values an answer can take, or ``None`` where it is free."""
        if self.type == "yes_no":
            return frozenset({"yes", "no"})
        if self.choices:
            return frozenset(option.value for option in self.choices)
        return None


class Superseded(Part):
    """An id of an earlier version and how much of it this criterion covers."""

    id: CriterionId
    relation: Relation


class Change(Part):
    """How this criterion differs from the version before."""

    kind: ChangeClass = Field(alias="class")
    supersedes: tuple[Superseded, ...] = ()


class Criterion(Part):
    """What is judged, with its guidance, its proof and the questions that are asked for it.

    ``verified`` says whether a published source names this criterion for the catalogue's entity;
    without one, ``source`` is the word ``unverified``.
    """

    id: CriterionId
    title: Line
    statement: Prose
    modality: Modality
    source: Line
    verified: bool
    guidance: Guidance
    evidence: EvidenceRule
    questions: tuple[Question, ...] = Field(min_length=1)
    changes: Change

    @model_validator(mode="after")
    def _source_fits_mark(self) -> Self:
        if self.verified == (self.source == "unverified"):
            raise PydanticCustomError(
                "source",
                "A verified criterion names its source; any other says `unverified`.",
            )
        return self


class Section(Part):
    """A category: the unit of a page and of a task in the task list."""

    id: Slug
    title: Line
    focus: Focus
    intro: Prose
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class Setting(Part):
    """What a profile says about one criterion, instead of the criterion's own words."""

    modality: Modality


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
    version: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$", max_length=20)]
    programme: Slug
    title: Line
    effective: date
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
        return setting.modality if setting else criterion.modality

    def _found(self, kind: str, wanted: str, among: Mapping[str, Found]) -> Found:
        try:
            return among[wanted]
        except KeyError:
            raise UnknownIdError(kind, wanted, repr(self)) from None
