"""The jobs of verifications: between the two sides, and watching over time."""

import uuid

from app.jobs.queue import job_work, queue, task
from app.verifications import queries, service

PART = "verifications"
AT_ONCE = 500


@task(service.BRING)
def pass_on(verification_id: str) -> None:
    """Bring what one side did to the other."""
    with job_work(PART) as work:
        service.pass_on(work, uuid.UUID(verification_id))


def watch() -> None:
    """End what has waited too long, and tell askers whose answer has changed: by a date as well."""
    with job_work(PART) as work:
        service.let_lapse(work)
        found = queries.watched(work.session)
    for start in range(0, len(found), AT_ONCE):
        with job_work(PART) as work:
            service.note_changes(work, list(found[start : start + AT_ONCE]))


@queue.periodic(cron="* * * * *")
@task("verifications.watch", queueing_lock="verifications.watch")
def watch_now(timestamp: int) -> None:
    """Each minute."""
    del timestamp
    watch()
