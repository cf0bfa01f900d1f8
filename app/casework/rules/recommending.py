"""Which determinations can end a case, and what stands in the way of recommending one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.kernel.errors import Problem
from app.register.programme import Kind, Move, Status

REFUSALS: Final = frozenset({Status.REJECTED, Status.INELIGIBLE})
"""What a refused application leads to; everything else is done on the partner's own page."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What a case looks like to its reviewer; counts are of the round under review.

    `with_trader` says that the application lies with the trader, whether or not the agency still
    waits. Unmet counts are by criterion.
    """

    criteria: int
    to_judge: int
    returned: int
    musts_unanswered: int
    evidence_missing: int
    identifiers_claimed: int
    identifiers_verified: int
    conflicts: int
    request_open: bool
    with_trader: bool

    @property
    def judged(self) -> int:
        """How many criteria have a verdict on what the trader says now."""
        return self.criteria - self.to_judge


def case_moves(available: Iterable[Move], tier: int) -> tuple[Move, ...]:
    """The moves that answer an application for `tier`: to grant it, or to refuse it."""
    return tuple(
        move
        for move in available
        if not move.urgent
        and (
            (move.kind is Kind.GRANTS and tier in move.tiers)
            or (move.kind is Kind.TAKES and move.to in REFUSALS)
        )
    )


def problems(move: Move, gates: Gates) -> list[Problem]:
    """Everything that stands in the way of recommending `move`, each with the tab that ends it.

    A grant needs every gate open. A refusal only needs the trader to have had its say: what is
    missing may be the very ground of it. `field` names the tab: answers, identifiers, requests.
    """
    found = []
    if gates.request_open:
        found.append(
            Problem("A request for information is still open.", "requests", "REQUEST_OPEN")
        )
    if move.kind is not Kind.GRANTS:
        return found
    if gates.with_trader and not gates.request_open:
        found.append(
            Problem(
                "The application is still with the trader, who has not answered.",
                "requests",
                "WITH_TRADER",
            )
        )
    return [*found, *_answer_problems(gates), *_identifier_problems(gates)]


def _answer_problems(gates: Gates) -> list[Problem]:
    found = []
    if gates.to_judge:
        found.append(
            Problem(
                "Criteria not judged yet: %(count)s of %(total)s.",
                "answers",
                "NOT_JUDGED",
                {"count": gates.to_judge, "total": gates.criteria},
            )
        )
    if gates.returned:
        found.append(
            Problem(
                "Returned and not resolved: %(count)s. Ask the trader, or accept them.",
                "answers",
                "RETURNED",
                {"count": gates.returned},
            )
        )
    return found


def _identifier_problems(gates: Gates) -> list[Problem]:
    found = []
    if gates.conflicts:
        found.append(
            Problem(
                "Another trader claims one of the identifiers as well. Resolve the conflict.",
                "identifiers",
                "CONFLICT_OPEN",
            )
        )
    if not gates.identifiers_verified:
        found.append(
            Problem(
                "No identifier is verified. Without one, a standing would reach nobody.",
                "identifiers",
                "NOT_VERIFIED",
            )
        )
    return found
