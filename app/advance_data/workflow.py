"""What becomes of a batch."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class BatchState(StrEnum):
    """Where the checking of a batch is; the names are the contract's."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


BATCH = Workflow(
    "Batch",
    initial=BatchState.QUEUED,
    transitions=(
        # A job whose worker was killed starts again, from a batch that is still "running".
        transition(
            "start",
            {BatchState.QUEUED, BatchState.RUNNING},
            BatchState.RUNNING,
            EventTag.BATCH_STARTED,
        ),
        transition("finish", BatchState.RUNNING, BatchState.DONE, EventTag.BATCH_CHECKED),
        transition("fail", BatchState.RUNNING, BatchState.FAILED, EventTag.BATCH_FAILED),
    ),
)
