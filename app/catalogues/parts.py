"""The parts of a catalogue file that are judged and asked, as frozen objects.

The file shape is described in ``docs/adr/0008-catalogues-as-files.md``. Ids are the identity of a
subject across versions: they are never reused and never derived from titles.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

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
JUDGED_BY_VALUE = frozenset({"yes_no", "choice"})


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


class Superseded(Part):
    """An id of an earlier version and how much of it the part that says so covers."""

    id: CriterionId
    relation: Relation


NEEDS_NOTE = frozenset({"clarified", "substantive", "split", "merged"})
NEEDS_FORERUNNER = frozenset({"split", "merged"})


class Change(Part):
    """How a criterion or a question differs from the version before.

    ``note`` tells the trader in plain words what is different; an author who cannot write it has
    not decided what changed.
    """

    kind: ChangeClass = Field(alias="class")
    note: Prose | None = None
    supersedes: tuple[Superseded, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in NEEDS_NOTE and self.note is None:
            raise PydanticCustomError(
                "change", "A change of this class needs a `note` that says what is different."
            )
        if (self.kind in NEEDS_FORERUNNER) != bool(self.supersedes):
            raise PydanticCustomError(
                "change",
                "`supersedes` belongs to the classes split and merged, and to them always.",
            )
        if self.kind == "withdrawn":
            raise PydanticCustomError(
                "change", "What is withdrawn is no longer asked; list its id under `withdrawn`."
            )
        return self


class Withdrawn(Part):
    """An id that an earlier version used. It stays taken, and its old answers stay readable."""

    id: CriterionId
    title: Line
    reason: Prose


class Question(Part):
    """One thing a validator would ask. ``choices`` of a ``level`` go from weakest to strongest.

    ``meets`` lists the answers that meet it: by default yes for a yes_no, and an empty list makes
    it a question of fact that nobody judges. A level is met from the one its profile requires.
    """

    id: QuestionId
    text: Line
    type: QuestionType
    carry: Carry
    choices: tuple[Option, ...] = ()
    columns: tuple[Option, ...] = ()
    show_if: Mapping[QuestionId, Condition] = Field(default_factory=dict)
    meets: tuple[str, ...] | None = None
    changes: Change | None = None

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
            labels = [option.label.casefold() for option in options]
            if len(set(labels)) != len(labels):
                raise PydanticCustomError("options", "Two options read the same.")
        if self.meets is not None and self.type not in JUDGED_BY_VALUE:
            raise PydanticCustomError("options", "`meets` belongs to the types yes_no and choice.")
        unknown = set(self.meets or ()) - (self.possible or frozenset())
        if unknown:
            raise PydanticCustomError(
                "options", f"`meets` names {min(unknown)!r}, which is not an answer to it."
            )
        return self

    @property
    def meeting(self) -> frozenset[str] | None:
        """The answers that meet it, or ``None`` where its answer is not judged by its value."""
        if self.meets is not None:
            return frozenset(self.meets) or None
        return frozenset({"yes"}) if self.type == "yes_no" else None

    @property
    def possible(self) -> frozenset[str] | None:
        """The values an answer can take, or ``None`` where it is free."""
        if self.type == "yes_no":
            return frozenset({"yes", "no"})
        if self.choices:
            return frozenset(option.value for option in self.choices)
        return None


class Criterion(Part):
    """What is judged, with its guidance, its proof and the questions that are asked for it.

    ``verified`` says whether a published source names this criterion for the catalogue's entity;
    without one, ``source`` is the word ``unverified``. No ``changes`` means: as before.
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
    changes: Change | None = None

    @model_validator(mode="after")
    def _source_fits_mark(self) -> Self:
        if self.verified == (self.source == "unverified"):
            raise PydanticCustomError(
                "source",
                "A verified criterion names its source; any other says `unverified`.",
            )
        return self
