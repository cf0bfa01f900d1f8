"""What is read of cases; row access is `visible_case`."""

from app.casework.queries.cases import (
    askable_tasks,
    case_of,
    choices,
    dossier,
    earlier_dossier,
    gates,
    open_conflicts_of,
    open_request,
    proposal_of,
    proposals_of,
    requests_of,
    review_count,
    reviews_of,
    standing_now,
    visible_case,
)
from app.casework.queries.history import AREAS, events_of
from app.casework.queries.queue import TABS, QueueRow, counts, queue

__all__ = [
    "AREAS",
    "TABS",
    "QueueRow",
    "askable_tasks",
    "case_of",
    "choices",
    "counts",
    "dossier",
    "earlier_dossier",
    "events_of",
    "gates",
    "open_conflicts_of",
    "open_request",
    "proposal_of",
    "proposals_of",
    "queue",
    "requests_of",
    "review_count",
    "reviews_of",
    "standing_now",
    "visible_case",
]
