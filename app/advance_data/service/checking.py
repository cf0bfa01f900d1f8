"""Check a batch, a chunk of rows at a time, so that a worker that is killed loses and doubles nothing.

The batch's row is the cursor: its counts are written in the transaction of the filings that they
count. Whoever goes on with a batch begins behind the last row that was counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from app.advance_data.checks import Raw, Verdict, check_all
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.models import Batch
from app.advance_data.receipts import ROOT
from app.advance_data.rows import Block
from app.advance_data.service.copying import keep_faults
from app.advance_data.service.filing import file_rows
from app.advance_data.service.listing import codes_for, pin_lists
from app.audit.merkle import Frontier
from app.db.concurrency import lock_row, lock_words
from app.work import Work, move

CHUNK_ROWS = 2000


class ShortFileError(RuntimeError):
    """The file gave another number of rows than were counted in it; nothing more is filed."""


def start_batch(work: Work, batch: Batch) -> bool:
    """Say that the checking has begun; again, when a worker was killed while at it.

    False, and nothing done, when the batch is finished already.
    """
    lock_row(work.session, batch)
    if "start" not in batch.available():
        return False
    move(work, batch, "start", reference=batch.reference)
    return True


def expect_rows(work: Work, batch: Batch, total: int) -> None:
    """Keep how many records the file has; from here on no row of it refuses the whole file.

    With them the batch keeps by which lists it is judged.
    """
    lock_row(work.session, batch)
    batch.total = total
    pin_lists(work, batch)


def check_chunk(work: Work, batch: Batch, rows: Sequence[Verdict], *, after: int) -> bool:
    """File the rows that follow the first `after` ones; False when that is not where the batch is.

    Then another worker has gone on with it meanwhile, or has finished it, and nothing was done.
    Batches of a trader take turns chunk by chunk, so that two rows never take the same reference.
    Side effects: those of `file_rows`. Source: contract, codes `AUTHORITY` and `REF`.
    """
    lock_words(work.session, "filings", str(batch.trader_id))
    lock_row(work.session, batch)
    if "finish" not in batch.available() or batch.read != after:
        return False
    file_rows(work, batch, rows)
    return True


def finish_batch(work: Work, batch: Batch) -> None:
    """Say what became of all rows, in one event with the counts and the root over the filings.

    A batch that another worker has finished is left alone. `ShortFileError` when more or fewer
    rows were filed or refused than the file has.
    """
    lock_row(work.session, batch)
    if "finish" not in batch.available():
        return
    if batch.total != batch.read:
        msg = f"{batch.read} of {batch.total} rows were read"
        raise ShortFileError(msg)
    batch.finished_at = work.now
    tree = Frontier(batch.accepted, map(bytes.fromhex, batch.subtrees))
    move(
        work,
        batch,
        "finish",
        reference=batch.reference,
        read=batch.read,
        accepted=batch.accepted,
        rejected=batch.rejected,
        warnings=batch.warnings,
        **{ROOT: tree.root().hex() if batch.accepted else None},
    )


def check_batch(work: Work, batch: Batch, rows: Iterable[Raw | Block]) -> None:
    """Check every row of a batch that was started, and finish it, all in one transaction.

    For what is small; a job takes `check_chunk`, a transaction each. Raises `FileRefusedError`
    when the rows cannot be read on: none may be kept, so the caller rolls back and calls
    `fail_batch`.
    """
    done = batch.read
    pin_lists(work, batch)
    known = codes_for(work.session, batch)
    for chunk in chunks_of(islice(check_all(rows, known), done, None)):
        if not check_chunk(work, batch, chunk, after=done):
            return
        done += len(chunk)
    if "finish" in batch.available():
        expect_rows(work, batch, done)
        finish_batch(work, batch)


def fail_batch(work: Work, batch: Batch, refusal: FileRefusedError) -> None:
    """Refuse a whole file, with what was found; nothing of it was filed."""
    lock_row(work.session, batch)
    if "fail" not in batch.available():
        return
    keep_faults(work, batch, refusal.faults)
    batch.refusal = refusal.faults[0].message
    batch.finished_at = work.now
    move(work, batch, "fail", reference=batch.reference, code=refusal.faults[0].code)


def chunks_of(rows: Iterator[Verdict]) -> Iterator[list[Verdict]]:
    """The rows, as many at a time as are filed in one transaction."""
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk
