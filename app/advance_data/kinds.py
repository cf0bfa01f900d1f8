"""The faults of a batch by kind, counted while they are written: a page never counts millions of them."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

from app.advance_data.faults import RowFault


@dataclass(frozen=True, slots=True)
class FaultKind:
    """The same fault in many rows: how many rows have it, and how many faults that makes."""

    code: str
    field: str
    severity: str
    message: str
    rows: int
    faults: int


def with_faults(kept: Iterable[list[Any]], faults: Iterable[RowFault]) -> list[list[Any]]:
    """The kinds that a batch keeps, as its JSON has them, with these faults counted in.

    All faults of a row must come in one call. Errors come first, the most frequent first.
    """
    counts = {(one[0], one[1], one[2], one[3]): (one[4], one[5]) for one in kept}
    last: dict[tuple[str, ...], int] = {}
    for fault in faults:
        kind = (fault.code, fault.field, fault.severity.value, fault.message)
        rows, number = counts.get(kind, (0, 0))
        counts[kind] = (rows + (last.get(kind) != fault.file_row), number + 1)
        last[kind] = fault.file_row
    kinds = [
        FaultKind(code, field, severity, message, rows, number)
        for (code, field, severity, message), (rows, number) in counts.items()
    ]
    kinds.sort(key=lambda one: (one.severity, -one.rows, one.code, one.field, one.message))
    return [list(astuple(one)) for one in kinds]


def kinds_of(kept: Iterable[list[Any]]) -> list[FaultKind]:
    """The kinds of a batch's JSON."""
    return [FaultKind(*one) for one in kept]
