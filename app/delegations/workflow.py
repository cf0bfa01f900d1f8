"""The states of a delegation. That its dates have passed is computed when it is read."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class DelegationState(StrEnum):
    """One side proposes, the other consents; either ends it at once."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    DECLINED = "declined"
    REVOKED = "revoked"


class Side(StrEnum):
    """Who of the two."""

    TRADER = "trader"
    BROKER = "broker"


_D = DelegationState
DELEGATION = Workflow(
    "delegation",
    initial=_D.PROPOSED,
    transitions=(
        transition("accept", _D.PROPOSED, _D.ACTIVE, EventTag.DELEGATION_ACCEPTED),
        transition("decline", _D.PROPOSED, _D.DECLINED, EventTag.DELEGATION_DECLINED),
        transition("revoke", (_D.PROPOSED, _D.ACTIVE), _D.REVOKED, EventTag.DELEGATION_REVOKED),
    ),
)
