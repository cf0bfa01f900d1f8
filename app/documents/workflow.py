"""What is known about a stored file: nothing yet, clean, infected, or never scanned."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class ScanState(StrEnum):
    """`UNSCANNED`: this installation has no virus scanner, so nobody looked."""

    PENDING = "pending"
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"


_S = ScanState
SCAN = Workflow(
    "document scan",
    initial=_S.PENDING,
    transitions=(
        # A file that was stored before the installation had a scanner may be scanned later.
        transition("clear", (_S.PENDING, _S.UNSCANNED), _S.CLEAN, EventTag.DOCUMENT_SCANNED),
        transition("condemn", (_S.PENDING, _S.UNSCANNED), _S.INFECTED, EventTag.DOCUMENT_SCANNED),
        transition("pass_unscanned", _S.PENDING, _S.UNSCANNED, EventTag.DOCUMENT_SCANNED),
    ),
)
