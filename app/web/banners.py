"""What stands on top of a page about one thing: its state, whose turn it is, and one sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Banner:
    """`turn` names whose turn it is, or is `None` when it is nobody's; `tone` repeats the words."""

    title: str
    body: str
    turn: str | None
    tone: str
