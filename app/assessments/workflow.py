"""Whether an assessment can be written to; the application decides when."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class AssessmentState(StrEnum):
    """`RETURNED`: only the sections that were reopened can be written to."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"


_A = AssessmentState
ASSESSMENT = Workflow(
    "assessment",
    initial=_A.DRAFT,
    transitions=(
        transition("lock", (_A.DRAFT, _A.RETURNED), _A.SUBMITTED, EventTag.ASSESSMENT_LOCKED),
        transition(
            "reopen", (_A.SUBMITTED, _A.RETURNED), _A.RETURNED, EventTag.ASSESSMENT_REOPENED
        ),
    ),
)
