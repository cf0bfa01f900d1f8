"""Take a batch in: its bytes are on the disk and its row is committed before anyone is told so."""

import hashlib
import uuid
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from sqlalchemy import select

from app.advance_data.csv_intake import FileRefusedError, Limits
from app.advance_data.formats import FORMATS, Format, media_type_of
from app.advance_data.models import Batch
from app.advance_data.reading import read_apart
from app.advance_data.stored import Arriving
from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_words
from app.db.references import next_reference
from app.documents.rules import clean_filename
from app.jobs.queue import defer
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.traders.models import Trader
from app.work import Work

CHUNK = 1 << 20
FIELD = "file"


class Channel(StrEnum):
    """How a batch reached us."""

    FILE = "file"
    API = "api"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known about a batch before it is checked; `sha256` and `size` are its content's.

    `corrects_id` and `corrects_row` are those of `Batch`.
    """

    filename: str
    channel: Channel
    media_type: str
    sha256: str
    size: int
    idempotency_key: str | None = None
    corrects_id: uuid.UUID | None = None
    corrects_row: int | None = None


def receive_batch(
    work: Work,
    trader: Trader,
    *,
    stream: BinaryIO,
    filename: str,
    channel: Channel,
    media_type: str | None = None,
    key: uuid.UUID | None = None,
    idempotency_key: str | None = None,
    corrects: Batch | None = None,
) -> Batch:
    """Keep a file of filings and let it be checked after the commit.

    With `corrects` it stands for the rows of that file of the trader's that were not filed.

    A program says its `media_type`; of a person's file the first bytes say it.
    `key` makes a form that is sent twice with one file one batch; `idempotency_key` does the same
    for a program, within its trader. Side effects in order: the file in its place, on the disk;
    the row; the job; the event. Errors: `NotReadyError` beside `file` when it is empty or over
    the limit of its format, or, of a person's file, when its first lines show that it cannot be read;
    `ConflictError` when the idempotency key came before with other content (409).
    Source: contract, traders' API.
    """
    with Arriving(trader.id) as arriving:
        digest, size = _take(stream, arriving)
        earlier = _sent_before(work, trader, key, digest)
        if earlier is None and idempotency_key is not None:
            earlier = same_call(work, trader, idempotency_key, digest)
        if earlier is not None:
            return earlier
        form = _form_of(arriving, media_type, size)
        if channel is Channel.FILE:
            _look_first(arriving, form, size)
        arriving.keep()
    free = key is not None and work.session.get(Batch, key) is None
    batch = begin_batch(
        work,
        trader,
        Arrival(
            filename=clean_filename(filename),
            channel=channel,
            media_type=form.media_type,
            sha256=digest,
            size=size,
            idempotency_key=idempotency_key,
            corrects_id=None if corrects is None else corrects.id,
        ),
        key if free else None,
    )
    # One file after the other, as they came: the second may replace what the first one files.
    turn = f"filings:{trader.id}"
    defer(work, "advance_data.check", in_turn=turn, batch_id=str(batch.id))
    return batch


def begin_batch(
    work: Work, trader: Trader, arrival: Arrival, key: uuid.UUID | None = None
) -> Batch:
    """Write the row of a batch that has arrived, and its event."""
    grant = work.actor.grants.get(trader.id)
    batch = Batch(
        id=key or work.new_id(),
        reference=next_reference(work.session, "BT", work.now.year),
        trader_id=trader.id,
        filename=arrival.filename,
        channel=arrival.channel.value,
        media_type=arrival.media_type,
        size=arrival.size,
        sha256=arrival.sha256,
        idempotency_key=arrival.idempotency_key,
        received_at=work.now,
        received_by=work.actor.person_id,
        received_by_name=work.actor.name,
        client_id=work.actor.client_id,
        acting_trader_id=None if grant is None else grant.broker_id,
        delegation_id=None if grant is None else grant.delegation_id,
        read=0,
        accepted=0,
        rejected=0,
        warnings=0,
        corrects_id=arrival.corrects_id,
        corrects_row=arrival.corrects_row,
        faults=0,
        kinds=[],
        subtrees=[],
    )
    work.session.add(batch)
    work.session.flush()
    work.record(
        EventTag.BATCH_RECEIVED,
        batch,
        reference=batch.reference,
        sha256=arrival.sha256,
        size=arrival.size,
        channel=arrival.channel,
        corrects=arrival.corrects_id,
        corrects_row=arrival.corrects_row,
    )
    return batch


def same_call(work: Work, trader: Trader, key: str, digest: str) -> Batch | None:
    """The batch that came before under this idempotency key, after waiting for its transaction.

    `ConflictError` when it had other content.
    """
    lock_words(work.session, "batch", str(trader.id), key)
    earlier = work.session.scalars(
        select(Batch).where(Batch.trader_id == trader.id, Batch.idempotency_key == key)
    ).one_or_none()
    if earlier is not None and earlier.sha256 != digest:
        raise ConflictError("This idempotency key was used before, with other content.")
    return earlier


def _sent_before(work: Work, trader: Trader, key: uuid.UUID | None, digest: str) -> Batch | None:
    """The batch of the same form with the same file.

    With another file it is not the same: whoever goes back and chooses the corrected file sends
    the form's old key along.
    """
    earlier = None if key is None else first_with(work.session, Batch, key)
    if earlier is None or earlier.trader_id != trader.id or earlier.sha256 != digest:
        return None
    return earlier


def _take(stream: BinaryIO, into: Arriving) -> tuple[str, int]:
    """Take a whole stream, counting; its SHA-256 in hexadecimal and its length in bytes."""
    digest, size, limit = hashlib.sha256(), 0, Limits().file_bytes
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise NotReadyError(
                [Problem("This file is larger than 1 GB. Send it in parts.", FIELD, "size")]
            )
        digest.update(chunk)
        into.write(chunk)
    if size == 0:
        raise NotReadyError([Problem("This file is empty.", FIELD, "empty")])
    sha256 = digest.hexdigest()
    into.close(sha256)
    return sha256, size


def _form_of(arriving: Arriving, media_type: str | None, size: int) -> Format:
    """The format of the file, which must not be larger than its kind may be."""
    if media_type is None:
        media_type = media_type_of(arriving.opened().read(BEGINNING))
    form = FORMATS[media_type]
    if size > form.file_bytes:
        raise NotReadyError(
            [
                Problem(
                    "A file of this kind may have %(size)s MB. Send it in parts.",
                    FIELD,
                    "size",
                    {"size": str(form.file_bytes // 1_000_000)},
                )
            ]
        )
    return form


BEGINNING = 4096


def _look_first(arriving: Arriving, form: Format, size: int) -> None:
    """Refuse at once what the first rows show, as long as the person is still there."""
    try:
        with closing(read_apart(arriving.opened(), form.media_type, size)) as rows:
            next(rows)
    except FileRefusedError as refusal:
        raise NotReadyError([_beside_the_field(refusal)]) from None


def _beside_the_field(refusal: FileRefusedError) -> Problem:
    first = refusal.faults[0]
    columns = [fault.field or fault.value for fault in refusal.faults if fault.field or fault.value]
    if first.code.endswith("_COLUMN") and columns:
        return Problem(
            "The first line does not hold the columns of the template: %(columns)s.",
            FIELD,
            first.code.lower(),
            {"columns": ", ".join(columns[:NAMED]) + ("…" if len(columns) > NAMED else "")},
        )
    return Problem(f"{first.message} {first.fix}", FIELD, first.code.lower())


NAMED = 6
