"""The states of a case, which say who holds the ball, and of a request for information."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class CaseState(StrEnum):
    """`OPEN` waits for a reviewer to take it, `RECOMMENDED` for the second signature."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    WAITING_ON_TRADER = "waiting_on_trader"
    RECOMMENDED = "recommended"
    CLOSED = "closed"


class RequestState(StrEnum):
    """`CLOSED`: the agency stopped waiting, or the application was withdrawn."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


_C = CaseState
CASE = Workflow(
    "case",
    initial=_C.OPEN,
    transitions=(
        transition("take", _C.OPEN, _C.IN_REVIEW, EventTag.CASE_TAKEN),
        # While the trader has the ball, the case can change hands without changing its state.
        transition("take", _C.WAITING_ON_TRADER, _C.WAITING_ON_TRADER, EventTag.CASE_TAKEN),
        transition("release", _C.IN_REVIEW, _C.OPEN, EventTag.CASE_RELEASED),
        transition("release", _C.WAITING_ON_TRADER, _C.WAITING_ON_TRADER, EventTag.CASE_RELEASED),
        transition("ask", _C.IN_REVIEW, _C.WAITING_ON_TRADER, EventTag.REQUEST_SENT),
        transition("resume", _C.WAITING_ON_TRADER, _C.IN_REVIEW, EventTag.CASE_RETURNED_TO_REVIEW),
        # The answer to a case that nobody holds goes back to where reviewers look for work.
        transition("requeue", _C.WAITING_ON_TRADER, _C.OPEN, EventTag.CASE_RETURNED_TO_REVIEW),
        transition("recommend", _C.IN_REVIEW, _C.RECOMMENDED, EventTag.CASE_RECOMMENDED),
        transition("send-back", _C.RECOMMENDED, _C.IN_REVIEW, EventTag.CASE_RETURNED_TO_REVIEW),
        transition(
            "close",
            (_C.OPEN, _C.IN_REVIEW, _C.WAITING_ON_TRADER, _C.RECOMMENDED),
            _C.CLOSED,
            EventTag.CASE_CLOSED,
        ),
    ),
)

_R = RequestState
REQUEST = Workflow(
    "request for information",
    initial=_R.OPEN,
    transitions=(
        transition("answer", _R.OPEN, _R.ANSWERED, EventTag.REQUEST_ANSWERED),
        transition("close", _R.OPEN, _R.CLOSED, EventTag.REQUEST_CLOSED),
    ),
)
