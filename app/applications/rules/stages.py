"""Each state in words: what it means to the trader, whose turn it is, and what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.applications.workflow import ApplicationState


@dataclass(frozen=True, slots=True)
class Stage:
    """English source texts; `tone` is that of the status banner and the tag."""

    name: str
    turn: str
    next_step: str
    tone: str


TRADER: Final = "Yours"
AGENCY: Final = "The agency's"
NOBODY: Final = "Nobody's: it is closed"

STAGES: Final[Mapping[ApplicationState, Stage]] = {
    ApplicationState.DRAFT: Stage(
        "In preparation",
        TRADER,
        "Complete the tasks, then let an officer submit.",
        "progress",
    ),
    ApplicationState.SUBMITTED: Stage(
        "With the agency",
        AGENCY,
        "The agency reviews it. You get a mail when it needs something or has decided.",
        "progress",
    ),
    ApplicationState.RETURNED: Stage(
        "Changes needed",
        TRADER,
        "Do what the agency asks for, then let an officer submit again.",
        "warning",
    ),
    ApplicationState.GRANTED: Stage(
        "Granted",
        NOBODY,
        "See your tier, your benefits and what comes next under Standing.",
        "success",
    ),
    ApplicationState.REFUSED: Stage(
        "Refused",
        NOBODY,
        "Put right what the reason names, then apply again. You can also appeal.",
        "danger",
    ),
    ApplicationState.WITHDRAWN: Stage(
        "Withdrawn",
        NOBODY,
        "You can apply again at any time.",
        "neutral",
    ),
}
