"""The states of an action. That it is overdue is computed when it is read."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class ActionState(StrEnum):
    """Promised, worked on, done with its proof, or given up with a reason."""

    PROMISED = "promised"
    BEGUN = "begun"
    DONE = "done"
    DROPPED = "dropped"


_A = ActionState
OPEN = frozenset({_A.PROMISED, _A.BEGUN})
ACTION = Workflow(
    "action of an improvement plan",
    initial=_A.PROMISED,
    transitions=(
        transition("begin", _A.PROMISED, _A.BEGUN, EventTag.ACTION_BEGUN),
        transition("finish", (_A.PROMISED, _A.BEGUN), _A.DONE, EventTag.ACTION_DONE),
        transition("drop", (_A.PROMISED, _A.BEGUN), _A.DROPPED, EventTag.ACTION_DROPPED),
        transition("reopen", (_A.DONE, _A.DROPPED), _A.PROMISED, EventTag.ACTION_REOPENED),
    ),
)
