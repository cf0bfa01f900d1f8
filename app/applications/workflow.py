"""The states of an application, and who has the next move."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class ApplicationState(StrEnum):
    """`RETURNED`: the agency asked for something; only the named tasks can be changed."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_S = ApplicationState
OPEN = (_S.DRAFT, _S.SUBMITTED, _S.RETURNED)
"""A trader has at most one application in these states per programme."""

APPLICATION = Workflow(
    "application",
    initial=_S.DRAFT,
    transitions=(
        transition("submit", _S.DRAFT, _S.SUBMITTED, EventTag.APPLICATION_SUBMITTED),
        transition("return", _S.SUBMITTED, _S.RETURNED, EventTag.APPLICATION_RETURNED),
        transition("resubmit", _S.RETURNED, _S.SUBMITTED, EventTag.APPLICATION_RESUBMITTED),
        transition("grant", _S.SUBMITTED, _S.GRANTED, EventTag.APPLICATION_GRANTED),
        # A trader that never answers a return can still be refused.
        transition("refuse", (_S.SUBMITTED, _S.RETURNED), _S.REFUSED, EventTag.APPLICATION_REFUSED),
        transition("withdraw", OPEN, _S.WITHDRAWN, EventTag.APPLICATION_WITHDRAWN),
    ),
)
