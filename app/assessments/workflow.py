"""Whether an assessment can be written to; the application decides when."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class AssessmentState(StrEnum):
    """`RETURNED`: only reopened sections can be written to. `MOVED`: another version goes on."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    MOVED = "moved"


_A = AssessmentState
ASSESSMENT = Workflow(
    "assessment",
    initial=_A.DRAFT,
    transitions=(
        transition("lock", (_A.DRAFT, _A.RETURNED), _A.SUBMITTED, EventTag.ASSESSMENT_LOCKED),
        transition(
            "reopen", (_A.SUBMITTED, _A.RETURNED), _A.RETURNED, EventTag.ASSESSMENT_REOPENED
        ),
        transition(
            "supersede",
            (_A.DRAFT, _A.SUBMITTED, _A.RETURNED),
            _A.MOVED,
            EventTag.ASSESSMENT_MOVED,
        ),
    ),
)


class WorkbookState(StrEnum):
    """`RECEIVED`: it was read and waits for a person to choose what to take."""

    RECEIVED = "received"
    APPLIED = "applied"
    DISCARDED = "discarded"


_W = WorkbookState
WORKBOOK = Workflow(
    "answer_workbook",
    initial=_W.RECEIVED,
    transitions=(
        transition("apply", _W.RECEIVED, _W.APPLIED, EventTag.WORKBOOK_APPLIED),
        transition("discard", _W.RECEIVED, _W.DISCARDED, EventTag.WORKBOOK_DISCARDED),
    ),
)
