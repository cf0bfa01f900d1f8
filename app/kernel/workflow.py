"""State machines as tables: which move leads from where to where, and which event it leaves."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.kernel.errors import IllegalTransitionError


@dataclass(frozen=True, slots=True)
class Transition:
    """One named move. `event` is the audit tag that the move records, exactly once."""

    name: str
    sources: frozenset[StrEnum]
    target: StrEnum
    event: StrEnum


def transition(
    name: str, sources: Iterable[StrEnum] | StrEnum, target: StrEnum, event: StrEnum
) -> Transition:
    """Build a `Transition`; one source may be given bare."""
    several = {sources} if isinstance(sources, StrEnum) else sources
    return Transition(name, frozenset(several), target, event)


class Workflow:
    """A checked table of moves over one enum of states.

    Building it fails when a move leaves a state twice under one name, when a state cannot be
    reached from `initial`, or when the table is empty, so a mistake never outlives an import.
    """

    def __init__(self, name: str, *, initial: StrEnum, transitions: tuple[Transition, ...]) -> None:
        self.name = name
        self.initial = initial
        self.states = type(initial)
        self.transitions = transitions
        self._moves: dict[tuple[str, str], Transition] = {}
        for move in transitions:
            for source in move.sources:
                if (source, move.name) in self._moves:
                    msg = f"{name}: {move.name} leaves {source} twice"
                    raise ValueError(msg)
                self._moves[source, move.name] = move
        unreachable = set(self.states) - self._reachable()
        if unreachable:
            msg = f"{name}: cannot be reached: {', '.join(sorted(unreachable))}"
            raise ValueError(msg)

    def _reachable(self) -> set[StrEnum]:
        seen: set[StrEnum] = {self.initial}
        while True:
            further = {move.target for move in self.transitions if move.sources & seen} - seen
            if not further:
                return seen
            seen |= further

    def move(self, state: str, name: str) -> Transition:
        """The transition `name` out of `state`; `IllegalTransitionError` when there is none."""
        found = self._moves.get((state, name))
        if found is None:
            raise IllegalTransitionError(
                "This has changed meanwhile: it is now “%(state)s”, so it cannot be done any more.",
                state=state,
                move=name,
            )
        return found

    def available(self, state: str) -> tuple[str, ...]:
        """The names of the moves out of `state`, in the order of the table."""
        return tuple(move.name for move in self.transitions if state in move.sources)

    def mermaid(self) -> str:
        """The state diagram for `docs/workflows.md`."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for move in self.transitions:
            lines += [
                f"    {source} --> {move.target}: {move.name}" for source in sorted(move.sources)
            ]
        return "\n".join(lines)
