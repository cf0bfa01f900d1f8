"""The one readable table: when this event is recorded, do that, in the same transaction.

Facts travel down by plain calls; this is the only way up. A reaction takes the unit of work and
the event, and calls one service. Anything slow becomes a job, enqueued in the same transaction.
"""

from app.audit.tags import EventTag
from app.work import Reaction

REACTIONS: dict[EventTag, tuple[Reaction, ...]] = {}
