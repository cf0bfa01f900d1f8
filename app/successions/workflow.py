"""The states of a succession: how two people of the agency come to a new officer."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class SuccessionState(StrEnum):
    """Only an approved one has changed anything at the trader."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Ground(StrEnum):
    """Why the trader cannot appoint an officer by itself."""

    LEFT = "left"
    DIED = "died"
    UNREACHABLE = "unreachable"
    NO_AUTHORITY = "no_authority"
    """They work on, and may no longer sign for the company."""
    NOBODY = "nobody"
    """There is no officer: taken on from another system, or the last one's access was ended."""


class Fate(StrEnum):
    """What becomes of the officers' appointments."""

    END = "end"
    PREPARE = "prepare"


_S = SuccessionState
SUCCESSION = Workflow(
    "succession",
    initial=_S.PROPOSED,
    transitions=(
        transition("approve", _S.PROPOSED, _S.APPROVED, EventTag.SUCCESSION_APPROVED),
        transition("decline", _S.PROPOSED, _S.DECLINED, EventTag.SUCCESSION_DECLINED),
        transition("withdraw", _S.PROPOSED, _S.WITHDRAWN, EventTag.SUCCESSION_WITHDRAWN),
    ),
)
