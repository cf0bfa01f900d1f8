"""The states of an identifier, of a conflict over one, and of an appointment."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class IdentifierState(StrEnum):
    """An identifier is only claimed until the agency has verified it."""

    CLAIMED = "claimed"
    VERIFIED = "verified"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ConflictState(StrEnum):
    """A conflict is open until a reviewer says who keeps the identifier."""

    OPEN = "open"
    RESOLVED = "resolved"


class AppointmentState(StrEnum):
    """An invitation becomes an appointment when the invited person accepts it."""

    INVITED = "invited"
    ACTIVE = "active"
    ENDED = "ended"


_I = IdentifierState
IDENTIFIER = Workflow(
    "identifier",
    initial=_I.CLAIMED,
    transitions=(
        transition("verify", _I.CLAIMED, _I.VERIFIED, EventTag.IDENTIFIER_VERIFIED),
        transition("refuse", (_I.CLAIMED, _I.VERIFIED), _I.REFUSED, EventTag.IDENTIFIER_REFUSED),
        transition(
            "withdraw", (_I.CLAIMED, _I.VERIFIED), _I.WITHDRAWN, EventTag.IDENTIFIER_WITHDRAWN
        ),
    ),
)

CONFLICT = Workflow(
    "identifier conflict",
    initial=ConflictState.OPEN,
    transitions=(
        transition(
            "resolve", ConflictState.OPEN, ConflictState.RESOLVED, EventTag.CONFLICT_RESOLVED
        ),
    ),
)

_A = AppointmentState
APPOINTMENT = Workflow(
    "appointment",
    initial=_A.INVITED,
    transitions=(
        transition("accept", _A.INVITED, _A.ACTIVE, EventTag.APPOINTMENT_ACCEPTED),
        transition("end", (_A.INVITED, _A.ACTIVE), _A.ENDED, EventTag.APPOINTMENT_ENDED),
        # By the agency; its own event, since a trader is told the agency and no name of its people.
        transition(
            "relieve",
            (_A.INVITED, _A.ACTIVE),
            _A.ENDED,
            EventTag.APPOINTMENT_ENDED_BY_AGENCY,
        ),
    ),
)
