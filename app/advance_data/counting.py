"""What is counted of a file's rows, one by one, for its score. Pure; `scoring` makes points of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from app.advance_data.scoring import WHOLE_ROW, Count, Figures, Kind, PartId, Weights
from app.advance_data.timing import ISF_5, OWING, Timeliness, Times, Version

ELEMENTS: Final = 10
ELEMENTS_OF_ISF_5: Final = 5
ERROR: Final = "error"


class Fault(Protocol):
    """What is read of a fault of a row."""

    @property
    def code(self) -> str: ...
    @property
    def field(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(slots=True)
class Units:
    """Units of one part while they are counted."""

    good: int = 0
    unknown: int = 0
    due: int = 0

    def add(self, *, good: int = 0, unknown: int = 0, bad: int = 0) -> None:
        self.good += good
        self.unknown += unknown
        self.due += good + unknown + bad

    def whole(self) -> Count:
        return Count(self.good, self.unknown, self.due)


@dataclass(slots=True)
class Counting:
    """One file under count. Nothing in here grows with the file, but for the kinds of faults."""

    weights: Weights
    rows: int = 0
    open: int = 0
    late: int = 0
    undated: int = 0
    overdue: int = 0
    disagreeing: int = 0
    parts: dict[PartId, Units] = field(default_factory=lambda: {one: Units() for one in PartId})
    kinds: Counter[Kind] = field(default_factory=Counter)

    def filed(self, version: Version, before: Version | None, times: Times | None) -> None:
        """Count one row that became a filing; `times` of one that adds, `before` of one that amends.

        Whether its values disagree is counted by `remarked`.
        """
        parts = self.parts
        self.rows += 1
        parts[PartId.VALIDITY].add(good=1)
        if version.action == "D":
            parts[PartId.STABILITY].add(good=1)
            return
        parts[PartId.CONSISTENCY].add(good=1)
        elements = ELEMENTS_OF_ISF_5 if version.submission_type == ISF_5 else ELEMENTS
        if times is None:
            # What a flexible filing left open, its completion may change.
            moved = (
                before is not None and before.reason not in OWING and before.core != version.core
            )
            parts[PartId.STABILITY].add(good=not moved, bad=moved)
            parts[PartId.COMPLETENESS].add(good=elements - version.lacks)
            return
        parts[PartId.STABILITY].add(good=1)
        self._elements(elements, version.lacks, times)
        self._times(times)

    def _elements(self, elements: int, lacks: int, times: Times) -> None:
        complete = self.parts[PartId.COMPLETENESS]
        if not times.owes:
            complete.add(good=elements)
            return
        complete.add(good=elements - lacks)
        if times.rest is Timeliness.OVERDUE:
            complete.add(bad=lacks)
        elif times.rest is Timeliness.UNKNOWN:
            complete.add(unknown=lacks)

    def _times(self, times: Times) -> None:
        for verdict in (times.first, times.rest):
            if verdict is None or verdict is Timeliness.OPEN:
                continue
            unknown = verdict is Timeliness.UNKNOWN
            good = verdict is Timeliness.ON_TIME
            self.parts[PartId.TIMELINESS].add(
                good=good, unknown=unknown, bad=not good and not unknown
            )
            self.undated += unknown
            self.late += verdict is Timeliness.LATE
            self.overdue += verdict is Timeliness.OVERDUE

    def remarked(self, faults: Sequence[Fault]) -> None:
        """Count the warnings of a row that `filed` counts."""
        kinds = self._kinds(faults)
        if PartId.CONSISTENCY in {self._part(kind) for kind in kinds}:
            self.disagreeing += 1

    def refused(self, faults: Sequence[Fault]) -> None:
        """Count one row that is not filed: what cannot be said of it is unknown."""
        self.rows += 1
        self.open += 1
        kinds = self._kinds(faults)
        broken = {self._part(kind) for kind in kinds}
        unreadable = any(kind.field == WHOLE_ROW and kind.severity == ERROR for kind in kinds)
        parts = self.parts
        invalid = PartId.VALIDITY in broken
        parts[PartId.VALIDITY].add(good=not invalid, bad=invalid)
        for one in (PartId.CONSISTENCY, PartId.STABILITY):
            parts[one].add(unknown=one not in broken, bad=one in broken)
        parts[PartId.TIMELINESS].add(unknown=1)
        if unreadable:
            parts[PartId.COMPLETENESS].add(unknown=ELEMENTS)
            return
        empty = {
            self.weights.element_of(kind.field)
            for kind in kinds
            if self._part(kind) is PartId.COMPLETENESS
        }
        parts[PartId.COMPLETENESS].add(good=ELEMENTS - len(empty), bad=len(empty))

    def figures(self, doubled: int = 0) -> Figures:
        """What was counted; `doubled` rows that add repeat another of the file under a new name."""
        parts = {one: counter.whole() for one, counter in self.parts.items()}
        for part, bad in ((PartId.CONSISTENCY, self.disagreeing), (PartId.STABILITY, doubled)):
            count = parts[part]
            parts[part] = Count(count.good - min(bad, count.good), count.unknown, count.due)
        return Figures(
            self.rows,
            self.open,
            parts,
            dict(self.kinds),
            self.late,
            self.undated,
            self.overdue,
        )

    def _kinds(self, faults: Iterable[Fault]) -> set[Kind]:
        """Each kind once for a row, however often the row has it."""
        kinds = {Kind(one.code, one.field, one.severity, one.message) for one in faults}
        self.kinds.update(kinds)
        return kinds

    def _part(self, kind: Kind) -> PartId | None:
        return self.weights.part_of(kind.code, kind.field, kind.severity)
