"""The job of look-ups: blocks of them become rows, by which they are found."""

from app.jobs.queue import job_work, queue, task
from app.status_api.recording import unfold

PART = "status-api"
AT_ONCE = 20


def unfold_all() -> None:
    """Make rows of every block, a few in a transaction, so that no other write waits for long."""
    more = AT_ONCE
    while more == AT_ONCE:
        with job_work(PART) as work:
            more = unfold(work.session, most=AT_ONCE)


@queue.periodic(cron="* * * * *")
@task("status_api.unfold-lookups", queueing_lock="status_api.unfold-lookups")
def unfold_now(timestamp: int) -> None:
    """Each minute."""
    del timestamp
    unfold_all()
