"""The states of a webhook."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class WebhookState(StrEnum):
    """A parked webhook gets nothing until somebody resumes it; a removed one never again."""

    ACTIVE = "active"
    PARKED = "parked"
    REMOVED = "removed"


_S = WebhookState
WEBHOOK = Workflow(
    "Webhook",
    initial=_S.ACTIVE,
    transitions=(
        transition("park", _S.ACTIVE, _S.PARKED, EventTag.WEBHOOK_PARKED),
        transition("resume", _S.PARKED, _S.ACTIVE, EventTag.WEBHOOK_RESUMED),
        transition("remove", (_S.ACTIVE, _S.PARKED), _S.REMOVED, EventTag.WEBHOOK_REMOVED),
    ),
)
