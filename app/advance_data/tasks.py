"""The job that checks a batch."""

import uuid

from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.models import Batch
from app.advance_data.reading import read_apart
from app.advance_data.service import check_batch, fail_batch, start_batch
from app.advance_data.stored import opened
from app.documents.files import equip_files
from app.jobs.queue import bench, job_work, task


@task("advance_data.check")
def check(batch_id: str) -> None:
    """Check one batch; run again after a kill, it starts over, and a finished one is left alone."""
    key = uuid.UUID(batch_id)
    equip_files(bench().settings)
    with job_work() as work:
        batch = work.session.get(Batch, key)
        if batch is None or not start_batch(work, batch):
            return
    with opened(batch) as stream:
        try:
            with job_work() as work:
                batch = work.session.get_one(Batch, key)
                rows = read_apart(stream, batch.media_type, batch.size)
                check_batch(work, batch, rows)
        except FileRefusedError as refusal:
            with job_work() as work:
                fail_batch(work, work.session.get_one(Batch, key), refusal)
