"""The job that checks a batch, a chunk at a time."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from app.advance_data.checks import Verdict, check_all
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.models import Batch
from app.advance_data.reading import blocks_apart, count_apart
from app.advance_data.rules import KnownCodes
from app.advance_data.service import (
    check_chunk,
    chunks_of,
    codes_for,
    expect_rows,
    fail_batch,
    finish_batch,
    start_batch,
)
from app.advance_data.stored import opened
from app.documents.apart import ReadingFailedError
from app.documents.files import equip_files
from app.jobs.queue import bench, job_work, task


@task("advance_data.check")
def check(batch_id: str) -> None:
    """Check one batch; run again after a kill, it goes on where it was, and leaves a finished one alone.

    The file is read twice: once to see that it can be read to its end, for only then may any row
    of it be filed, and then to file it. Each chunk is a transaction.
    """
    key = uuid.UUID(batch_id)
    equip_files(bench().settings)
    with job_work() as work:
        batch = work.session.get(Batch, key)
        if batch is None or not start_batch(work, batch):
            return
    if batch.total is None:
        try:
            with opened(batch) as stream:
                total = count_apart(stream, batch.media_type, batch.size)
        except FileRefusedError as refusal:
            with job_work() as work:
                fail_batch(work, work.session.get_one(Batch, key), refusal)
            return
        with job_work() as work:
            expect_rows(work, work.session.get_one(Batch, key), total)
    if _file(batch):
        with job_work() as work:
            finish_batch(work, work.session.get_one(Batch, key))


def _file(batch: Batch) -> bool:
    """File what is left of a batch; False when another worker goes on with it."""
    done = batch.read
    with job_work() as work:
        known = codes_for(work.session, work.session.get_one(Batch, batch.id))
    with _chunks(batch, done, known) as chunks:
        for chunk in chunks:
            with job_work() as work:
                found = work.session.get_one(Batch, batch.id)
                if not check_chunk(work, found, chunk, after=done):
                    return False
            done += len(chunk)
    return True


@contextmanager
def _chunks(batch: Batch, done: int, known: KnownCodes) -> Iterator[Iterator[list[Verdict]]]:
    """The chunks behind the first `done` rows; the next is checked while one is being stored."""
    with (
        opened(batch) as stream,
        closing(blocks_apart(stream, batch.media_type, batch.size, after=done)) as rows,
        ThreadPoolExecutor(max_workers=1) as aside,
    ):
        yield _ahead(aside, chunks_of(check_all(rows, known)))


def _ahead(aside: ThreadPoolExecutor, chunks: Iterator[list[Verdict]]) -> Iterator[list[Verdict]]:
    none: list[Verdict] = []
    coming = aside.submit(next, chunks, none)
    try:
        while chunk := coming.result():
            coming = aside.submit(next, chunks, none)
            yield chunk
    except FileRefusedError as refusal:
        # It was read to its end before, so this is not the file's doing; and rows are filed.
        msg = f"a file that was read cannot be read again: {refusal}"
        raise ReadingFailedError(msg) from refusal
