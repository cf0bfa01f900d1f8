"""The crosswalks between catalogues, as data: which criteria speak of the same thing.

All files are read and checked when this module is imported, so that a pair that names no criterion
never reaches a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.catalogues.loader import catalogues
from app.catalogues.parts import CriterionId, Line, Relation, Slug
from app.catalogues.reading import read

FOLDER: Final = Path(__file__).with_name("data")
REVERSED: Final[dict[Relation, Relation]] = {
    "equal": "equal",
    "subset": "superset",
    "superset": "subset",
    "intersects": "intersects",
}


class Part(BaseModel):
    """A part of a crosswalk file: immutable, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Heading(Part):
    """Which two catalogues it is between."""

    id: Slug
    between: tuple[Slug, Slug]

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.between[0] == self.between[1]:
            raise PydanticCustomError("crosswalk", "A crosswalk is between two catalogues.")
        return self


class Pair(Part):
    """Two criteria in the order of the catalogues, and how much of the second the first covers."""

    criteria: tuple[CriterionId, CriterionId]
    relation: Relation
    why: Line


class CrosswalkFile(Part):
    """One file."""

    crosswalk: Heading
    pairs: Annotated[tuple[Pair, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One criterion of a target catalogue, and where something for it may stand already.

    `relation` says how much of the target the source covers.
    """

    source_catalogue: str
    source: str
    target_catalogue: str
    target: str
    relation: Relation
    why: str


def load(folder: Path = FOLDER) -> tuple[Equivalence, ...]:
    """Read every file of a folder, both ways round.

    `ValueError` for a pair that stands twice and for a criterion that no version of its catalogue
    has.
    """
    found: dict[tuple[str, str, str, str], Equivalence] = {}
    for path in sorted(folder.glob("*.yaml")):
        content = CrosswalkFile.model_validate(read(path.read_bytes()).data)
        for one in _both_ways(content):
            key = (one.source_catalogue, one.source, one.target_catalogue, one.target)
            if key in found:
                msg = f"{path.name}: {one.source} and {one.target} stand there twice."
                raise ValueError(msg)
            if one.source not in _ids(one.source_catalogue):
                msg = f"{path.name}: no version of {one.source_catalogue} has {one.source}."
                raise ValueError(msg)
            found[key] = one
    return tuple(found.values())


def _both_ways(content: CrosswalkFile) -> Iterator[Equivalence]:
    first, second = content.crosswalk.between
    for pair in content.pairs:
        one, other = pair.criteria
        yield Equivalence(first, one, second, other, pair.relation, pair.why)
        yield Equivalence(second, other, first, one, REVERSED[pair.relation], pair.why)


def _ids(catalogue_id: str) -> frozenset[str]:
    return frozenset(
        criterion.id
        for catalogue in catalogues()
        if catalogue.id == catalogue_id
        for criterion in catalogue.criteria()
    )


EQUIVALENCES: Final = load()
