"""The states of a question and of a consent: two rows, each of one company, which never read the other's."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class VerificationState(StrEnum):
    """The asker's side. A refusal stays `waiting` until it lapses, as does a question to nobody."""

    WAITING = "waiting"
    SHOWN = "shown"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


_V = VerificationState
VERIFICATION = Workflow(
    "verification",
    initial=_V.WAITING,
    transitions=(
        transition("show", _V.WAITING, _V.SHOWN, EventTag.VERIFICATION_SHOWN),
        transition("lapse", _V.WAITING, _V.LAPSED, EventTag.VERIFICATION_LAPSED),
        transition(
            "withdraw", (_V.WAITING, _V.SHOWN), _V.WITHDRAWN, EventTag.VERIFICATION_WITHDRAWN
        ),
        transition("end", _V.SHOWN, _V.ENDED, EventTag.VERIFICATION_ENDED),
    ),
)


class ConsentState(StrEnum):
    """The side of the company that was asked. `closed` is the asker's doing, `ended` its own."""

    ASKED = "asked"
    GIVEN = "given"
    DECLINED = "declined"
    LAPSED = "lapsed"
    ENDED = "ended"
    CLOSED = "closed"


_C = ConsentState
CONSENT = Workflow(
    "consent",
    initial=_C.ASKED,
    transitions=(
        transition("give", _C.ASKED, _C.GIVEN, EventTag.CONSENT_GIVEN),
        transition("decline", _C.ASKED, _C.DECLINED, EventTag.CONSENT_DECLINED),
        transition("lapse", _C.ASKED, _C.LAPSED, EventTag.CONSENT_LAPSED),
        transition("end", _C.GIVEN, _C.ENDED, EventTag.CONSENT_ENDED),
        transition("close", (_C.ASKED, _C.GIVEN), _C.CLOSED, EventTag.CONSENT_CLOSED),
    ),
)
