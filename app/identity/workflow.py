"""The states of an API client."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class ClientState(StrEnum):
    """A suspended client can be woken; a revoked one is out for good."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


_C = ClientState
CLIENT = Workflow(
    "API client",
    initial=_C.ACTIVE,
    transitions=(
        transition("suspend", _C.ACTIVE, _C.SUSPENDED, EventTag.CLIENT_SUSPENDED),
        transition("wake", _C.SUSPENDED, _C.ACTIVE, EventTag.CLIENT_WOKEN),
        transition("revoke", (_C.ACTIVE, _C.SUSPENDED), _C.REVOKED, EventTag.CLIENT_REVOKED),
    ),
)
