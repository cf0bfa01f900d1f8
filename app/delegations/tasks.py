"""The job that writes the letters about delegations.

A job, since whoever changes a delegation must not read who the officers of the other side are: the
database shows a trader's people nobody else's.
"""

import uuid

from app.audit.tags import EventTag
from app.delegations import letters
from app.delegations.models import Delegation
from app.jobs.queue import defer, job_work, task
from app.work import Work

TELL = "delegations.tell"


@task(TELL)
def tell(delegation_id: str, tag: str) -> None:
    """Write the letters about one change."""
    with job_work("delegations") as work:
        found = work.session.get_one(Delegation, uuid.UUID(delegation_id))
        letters.tell(work, found, EventTag(tag))


def tell_later(work: Work, delegation_id: uuid.UUID, tag: str) -> None:
    """Enqueue the letters in the transaction of the change, so that they go out if it holds."""
    defer(work, TELL, delegation_id=str(delegation_id), tag=tag)
