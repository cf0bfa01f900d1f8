"""The states of a comment. Only what is asked of somebody waits for anything."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class CommentState(StrEnum):
    """Said to all, asked of one colleague, answered by somebody, or closed without an answer."""

    SAID = "said"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


_C = CommentState
COMMENT = Workflow(
    "comment of a colleague",
    initial=_C.SAID,
    transitions=(
        transition("ask", _C.SAID, _C.ASKED, EventTag.COLLEAGUE_ASKED),
        transition("answer", _C.ASKED, _C.ANSWERED, EventTag.COLLEAGUE_ANSWERED),
        transition("close", _C.ASKED, _C.CLOSED, EventTag.COLLEAGUE_ASK_CLOSED),
    ),
)
