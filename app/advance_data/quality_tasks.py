"""The jobs that count files for their score."""

import uuid

from sqlalchemy import select

from app.advance_data.measured import owed_by_all
from app.advance_data.models import Batch, BatchQuality
from app.advance_data.service.measuring import amended_by, measure_batch
from app.advance_data.service.reminding import remind
from app.jobs.queue import defer, job_work, queue, task
from app.work import Work

MEASURE = "advance_data.measure"


@task(MEASURE)
def measure(batch_id: str, *, others: bool = True) -> None:
    """Count one file; and, if it amends filings of `others`, let those be counted anew."""
    with job_work() as work:
        batch = work.session.get(Batch, uuid.UUID(batch_id))
        if batch is None:
            return
        measure_batch(work, batch)
        if others:
            for one in amended_by(work, batch):
                defer(work, MEASURE, batch_id=str(one), others=False)


def measure_later(work: Work, batch_id: uuid.UUID) -> None:
    """Enqueue the counting in the transaction of the change."""
    defer(work, MEASURE, batch_id=str(batch_id))


@queue.periodic(cron="7 * * * *")
@task("advance_data.measure_due", queueing_lock="advance_data.measure_due")
def measure_due(timestamp: int) -> None:
    """Count anew where something that was owed has become overdue."""
    del timestamp
    with job_work() as work:
        for batch_id in work.session.scalars(
            select(BatchQuality.batch_id).where(BatchQuality.changes_at < work.now)
        ).all():
            defer(work, MEASURE, batch_id=str(batch_id), others=False)


@queue.periodic(cron="27 * * * *")
@task("advance_data.remind", queueing_lock="advance_data.remind")
def remind_of_follow_ups(timestamp: int) -> None:
    """Write the letters about what is owed on flexible filings."""
    del timestamp
    with job_work() as work:
        remind(work, owed_by_all(work))
