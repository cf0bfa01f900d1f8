"""The quality of advance data as an explainable score. Pure; the weights are data (`scoring.yaml`).

Each part of the score counts units that are good, of those that were due; a unit about which nothing
can be said is unknown. So a score is an interval: at least what is known to be good, at most that
and the unknown. A part with nothing due is left out and the others share its weight; where nothing
at all was due there is no score, which is not 100.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.catalogues.reading import read

FULL: Final = 100
WORST: Final = 5
WHOLE_ROW: Final = ""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartId(StrEnum):
    """The parts that are counted; the file of weights names each once."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
    STABILITY = "stability"


class PartRule(_Data):
    """One part: its weight, and what people are told about it (English texts for gettext)."""

    id: PartId
    weight: int = Field(ge=0, le=FULL)
    name: str
    counts: str
    advice: str


class Signals(_Data):
    """From which score on a reviewer is told what, and from how many rows on anything."""

    fewest: int = Field(ge=1)
    good: int = Field(ge=0, le=FULL)
    watch: int = Field(ge=0, le=FULL)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.watch > self.good:
            msg = "watch lies above good"
            raise ValueError(msg)
        return self


class Weights(_Data):
    """One version of the scoring."""

    version: str
    parts: tuple[PartRule, ...]
    elements: tuple[tuple[str, ...], ...]
    empty: frozenset[str]
    disagreements: frozenset[str]
    repetitions: frozenset[str]
    signals: Signals

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sorted(one.id for one in self.parts) != sorted(PartId):
            msg = "each part is named once"
            raise ValueError(msg)
        if sum(one.weight for one in self.parts) != FULL:
            msg = "the weights add up to 100"
            raise ValueError(msg)
        return self

    def element_of(self, name: str) -> int | None:
        """Which of the ten elements a field belongs to."""
        return next((at for at, names in enumerate(self.elements) if name in names), None)

    def part_of(self, code: str, name: str, severity: str) -> PartId | None:
        """The part that a fault costs; `None` for a warning that costs nothing."""
        if code in self.disagreements:
            return PartId.CONSISTENCY
        if severity != "error":
            return None
        if code in self.repetitions:
            return PartId.STABILITY
        if code in self.empty and self.element_of(name) is not None:
            return PartId.COMPLETENESS
        return PartId.VALIDITY


WEIGHTS: Final = Weights.model_validate(read(Path(__file__).with_suffix(".yaml").read_bytes()).data)


@dataclass(frozen=True, slots=True)
class Count:
    """Units of one part: `good + unknown <= due`; what is neither is bad."""

    good: int = 0
    unknown: int = 0
    due: int = 0

    def __post_init__(self) -> None:
        if min(self.good, self.unknown) < 0 or self.good + self.unknown > self.due:
            msg = f"{self} does not add up"
            raise ValueError(msg)

    def __add__(self, other: "Count") -> "Count":
        return Count(self.good + other.good, self.unknown + other.unknown, self.due + other.due)

    @property
    def bad(self) -> int:
        return self.due - self.good - self.unknown


@dataclass(frozen=True, slots=True)
class Kind:
    """The same fault in the same field; an empty field means the whole row."""

    code: str
    field: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of one file, or of many: they add up.

    `rows` are the records of the files, `open` those of them that are still not filed. `kinds` are
    the faults that still stand, by the rows that they are in. `late`, `undated` and `overdue` count
    filings whose first elements came late or have no date to judge them by, and duties overdue.
    """

    rows: int = 0
    open: int = 0
    parts: Mapping[PartId, Count] = field(default_factory=dict)
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    late: int = 0
    undated: int = 0
    overdue: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        kinds = dict(self.kinds)
        for kind, rows in other.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + rows
        return Figures(
            self.rows + other.rows,
            self.open + other.open,
            {one: self.count(one) + other.count(one) for one in PartId},
            kinds,
            self.late + other.late,
            self.undated + other.undated,
            self.overdue + other.overdue,
        )

    def count(self, part: PartId) -> Count:
        return self.parts.get(part, Count())

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `read_figures` makes the same again."""
        return {
            "rows": self.rows,
            "open": self.open,
            "parts": {
                one.value: [count.good, count.unknown, count.due]
                for one, count in self.parts.items()
            },
            "kinds": [
                [kind.code, kind.field, kind.severity, kind.message, rows]
                for kind, rows in self.kinds.items()
            ],
            "late": self.late,
            "undated": self.undated,
            "overdue": self.overdue,
        }


def read_figures(given: Mapping[str, Any]) -> Figures:
    """The figures that `as_json` wrote."""
    return Figures(
        given["rows"],
        given["open"],
        {PartId(name): Count(*counts) for name, counts in given["parts"].items()},
        {Kind(*kind): rows for *kind, rows in given["kinds"]},
        given["late"],
        given["undated"],
        given["overdue"],
    )


@dataclass(frozen=True, slots=True)
class ScoredPart:
    """One part with its count and the points that it brings; nothing due brings none."""

    rule: PartRule
    count: Count
    lowest: Fraction
    highest: Fraction
    out_of: Fraction


@dataclass(frozen=True, slots=True)
class Score:
    """Between 0 and 100: at least `lowest`, at most `highest`; equal when nothing is unknown."""

    version: str
    rows: int
    lowest: Fraction
    highest: Fraction
    parts: Sequence[ScoredPart]

    @property
    def certain(self) -> bool:
        return self.lowest == self.highest


def score_of(figures: Figures, weights: Weights = WEIGHTS) -> Score | None:
    """The score, or `None` where nothing was due and so nothing is known."""
    due = [one for one in weights.parts if figures.count(one.id).due]
    total = sum(one.weight for one in due)
    if not total:
        return None
    parts = []
    for rule in weights.parts:
        count = figures.count(rule.id)
        share = Fraction(FULL * rule.weight, total) if count.due else Fraction(0)
        unit = share / count.due if count.due else Fraction(0)
        parts.append(
            ScoredPart(rule, count, unit * count.good, unit * (count.good + count.unknown), share)
        )
    return Score(
        weights.version,
        figures.rows,
        sum((one.lowest for one in parts), Fraction(0)),
        sum((one.highest for one in parts), Fraction(0)),
        tuple(parts),
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """What the score may win: `points` at most, by mending `units` of a part.

    `kind` is the fault to mend; without one the part's own advice applies.
    """

    part: PartRule
    kind: Kind | None
    units: int
    points: Fraction
    unknown: bool = False


def gains(figures: Figures, weights: Weights = WEIGHTS) -> list[Gain]:
    """What to mend first: the most points first. Faults that share a row share its points."""
    score = score_of(figures, weights)
    if score is None:
        return []
    by_id = {one.rule.id: one for one in score.parts}
    found = []
    explained: dict[PartId, int] = {}
    for kind, rows in figures.kinds.items():
        part = weights.part_of(kind.code, kind.field, kind.severity)
        if part is None or not by_id[part].count.due:
            continue
        explained[part] = explained.get(part, 0) + rows
        units = min(rows, by_id[part].count.bad)
        found.append(_gain(by_id[part], kind, units))
    for one in score.parts:
        unexplained = one.count.bad - explained.get(one.rule.id, 0)
        if unexplained > 0:
            found.append(_gain(one, None, unexplained))
        if one.rule.id is PartId.TIMELINESS and figures.undated:
            units = min(figures.undated, one.count.unknown)
            found.append(_gain(one, None, units, unknown=True))
    kept = [one for one in found if one.points]
    return sorted(
        kept, key=lambda one: (-one.points, one.part.id, (one.kind and one.kind.code) or "")
    )


def _most_first(gain: Gain) -> tuple[Fraction, str, str, str]:
    kind = gain.kind
    return (-gain.points, gain.part.id, kind.code if kind else "", kind.field if kind else "")


def _gain(part: ScoredPart, kind: Kind | None, units: int, *, unknown: bool = False) -> Gain:
    return Gain(part.rule, kind, units, part.out_of * units / (part.count.due or 1), unknown)


def worst_rules(figures: Figures, weights: Weights = WEIGHTS) -> list[tuple[Kind, int]]:
    """The rules that are broken in the most rows, of those that cost something."""
    costly = [
        (kind, rows)
        for kind, rows in figures.kinds.items()
        if weights.part_of(kind.code, kind.field, kind.severity) is not None
    ]
    return sorted(costly, key=lambda one: (-one[1], one[0].code, one[0].field))[:WORST]


class Word(StrEnum):
    """What a reviewer is told about a trader's data."""

    GOOD = "good"
    WATCH = "watch"
    POOR = "poor"
    UNKNOWN = "unknown"


TRUST: Final = {Word.GOOD: 2, Word.WATCH: 1, Word.POOR: 0, Word.UNKNOWN: 0}
"""How much a signal may speak for a trader: what is unknown speaks no more than what is poor."""


def signal_of(figures: Figures, weights: Weights = WEIGHTS) -> Word:
    """The signal, from what is known to be good alone: a doubt never speaks for the trader."""
    score, limits = score_of(figures, weights), weights.signals
    if score is None or figures.rows < limits.fewest:
        return Word.UNKNOWN
    if score.lowest < limits.watch:
        return Word.POOR
    return Word.WATCH if score.lowest < limits.good or figures.overdue else Word.GOOD


def total(figures: Iterable[Figures]) -> Figures:
    """All of them together."""
    return sum(figures, Figures())
