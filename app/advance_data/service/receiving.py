"""Take a batch in: its bytes are on the disk and its row is committed before anyone is told so."""

import hashlib
import tempfile
import uuid
from typing import BinaryIO

from sqlalchemy import select

from app.advance_data.csv_intake import Limits
from app.advance_data.models import Batch
from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_words
from app.db.references import next_reference
from app.documents.files import files
from app.jobs.queue import defer
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.traders.models import Trader
from app.work import Work

CHUNK = 1 << 20
SPOOL = 4 << 20
CSV = "text/csv"


def receive_batch(
    work: Work,
    trader: Trader,
    *,
    stream: BinaryIO,
    filename: str,
    channel: str,
    media_type: str = CSV,
    key: uuid.UUID | None = None,
    idempotency_key: str | None = None,
) -> Batch:
    """Keep a file of filings and let it be checked after the commit.

    `key` makes a form that is sent twice one batch; `idempotency_key` does the same for a
    program, within its trader. Side effects in order: the file in its place, on the disk; the
    row; the job; the event. Errors: `NotReadyError` beside `file` when it is empty or over 1 GB;
    `ConflictError` when the idempotency key came before with other content (409).
    Source: contract, traders' API.
    """
    if key is not None:
        earlier = first_with(work.session, Batch, key)
        if earlier is not None and earlier.trader_id == trader.id:
            return earlier
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spooled:
        digest, size = _take(stream, spooled)  # type: ignore[arg-type]
        if idempotency_key is not None:
            same = _same_call(work, trader, idempotency_key, digest)
            if same is not None:
                return same
        files().put(trader.id, digest, spooled)  # type: ignore[arg-type]
    batch = Batch(
        id=key or work.new_id(),
        reference=next_reference(work.session, "BT", work.now.year),
        trader_id=trader.id,
        filename=filename[:255],
        channel=channel,
        media_type=media_type,
        size=size,
        sha256=digest,
        idempotency_key=idempotency_key,
        received_at=work.now,
        received_by=work.actor.person_id,
        received_by_name=work.actor.name,
        client_id=work.actor.client_id,
        read=0,
        accepted=0,
        rejected=0,
        warnings=0,
    )
    work.session.add(batch)
    work.session.flush()
    defer(work, "advance_data.check", batch_id=str(batch.id))
    work.record(
        EventTag.BATCH_RECEIVED,
        batch,
        reference=batch.reference,
        sha256=digest,
        size=size,
        channel=channel,
    )
    return batch


def _take(stream: BinaryIO, into: BinaryIO) -> tuple[str, int]:
    """Copy a stream, counting; its SHA-256 in hexadecimal and its length in bytes."""
    digest, size, limit = hashlib.sha256(), 0, Limits().file_bytes
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise NotReadyError(
                [Problem("This file is larger than 1 GB. Send it in parts.", "file", "size")]
            )
        digest.update(chunk)
        into.write(chunk)
    if size == 0:
        raise NotReadyError([Problem("This file is empty.", "file", "empty")])
    return digest.hexdigest(), size


def _same_call(work: Work, trader: Trader, key: str, digest: str) -> Batch | None:
    lock_words(work.session, "batch", str(trader.id), key)
    earlier = work.session.scalars(
        select(Batch).where(Batch.trader_id == trader.id, Batch.idempotency_key == key)
    ).one_or_none()
    if earlier is not None and earlier.sha256 != digest:
        raise ConflictError("This idempotency key was used before, with other content.")
    return earlier
