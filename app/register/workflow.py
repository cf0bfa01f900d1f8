"""The states of a determination: how two people come to one entry in the register."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class DeterminationState(StrEnum):
    """Where a determination stands; only the last four are in the register."""

    PROPOSED = "proposed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    """An urgent suspension on one signature: it is in force, and the second is due."""
    COUNTERSIGNED = "countersigned"
    TAKEN_ON = "taken_on"
    """Taken over from another system; nobody here proposed or approved it."""


class Origin(StrEnum):
    """How a determination came about; the database asks for other signatures in each case."""

    PROPOSAL = "proposal"
    URGENT = "urgent"
    TAKE_ON = "take-on"


_S = DeterminationState
DETERMINATION = Workflow(
    "determination",
    initial=_S.PROPOSED,
    transitions=(
        transition("approve", _S.PROPOSED, _S.APPROVED, EventTag.DETERMINATION_APPROVED),
        transition("decline", _S.PROPOSED, _S.DECLINED, EventTag.DETERMINATION_DECLINED),
        transition("withdraw", _S.PROPOSED, _S.WITHDRAWN, EventTag.DETERMINATION_WITHDRAWN),
        transition("put-in-force", _S.PROPOSED, _S.IN_FORCE, EventTag.PARTNER_SUSPENDED_URGENTLY),
        transition("countersign", _S.IN_FORCE, _S.COUNTERSIGNED, EventTag.SUSPENSION_COUNTERSIGNED),
        transition("take-on", _S.PROPOSED, _S.TAKEN_ON, EventTag.REGISTER_IMPORTED),
    ),
)
