"""The job that checks a batch."""

import tempfile
import uuid

from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.models import Batch
from app.advance_data.service import check_batch, fail_batch, start_batch
from app.advance_data.workflow import BatchState
from app.documents.files import equip_files, files
from app.jobs.queue import bench, job_work, task

SPOOL = 16 << 20


@task("advance_data.check")
def check(batch_id: str) -> None:
    """Check one batch; run again after a kill, it starts over, and a finished one is left alone."""
    key = uuid.UUID(batch_id)
    equip_files(bench().settings)
    with job_work() as work:
        batch = work.session.get(Batch, key)
        if batch is None or batch.state in {BatchState.DONE, BatchState.FAILED}:
            return
        start_batch(work, batch)
        trader_id, sha256 = batch.trader_id, batch.sha256
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as stream:
        for chunk in files().read(trader_id, sha256):
            stream.write(chunk)
        stream.seek(0)
        try:
            with job_work() as work:
                check_batch(work, work.session.get_one(Batch, key), stream)  # type: ignore[arg-type]
        except FileRefusedError as refusal:
            with job_work() as work:
                fail_batch(work, work.session.get_one(Batch, key), refusal)
