"""Batches and filings, made through the services the way a person's upload and its job do."""

import io
import uuid
from collections.abc import Iterable, Mapping

from app.advance_data import service
from app.advance_data.formats import FORMATS
from app.advance_data.models import Batch
from app.advance_data.stored import opened
from app.traders.models import Trader
from app.work import Work
from tests.advance_data.sample_rows import csv_bytes, good_row


def rows(count: int, start: int = 1, **changes: str) -> list[dict[str, str]]:
    """Good rows with references of their own."""
    return [
        good_row(filing_ref=f"PO-{number:06d}", **changes) for number in range(start, start + count)
    ]


def receive(
    work: Work,
    trader: Trader,
    content: bytes | Iterable[Mapping[str, str]],
    *,
    filename: str = "filings.csv",
    media_type: str | None = None,
    channel: service.Channel = service.Channel.API,
    key: uuid.UUID | None = None,
    idempotency_key: str | None = None,
) -> Batch:
    """A batch that waits to be checked; the job is deferred."""
    data = content if isinstance(content, bytes) else csv_bytes(content)
    return service.receive_batch(
        work,
        trader,
        stream=io.BytesIO(data),
        filename=filename,
        media_type=media_type,
        channel=channel,
        key=key,
        idempotency_key=idempotency_key,
    )


def make_batch(
    work: Work, trader: Trader, content: bytes | Iterable[Mapping[str, str]], **facts: str
) -> Batch:
    """A batch that is checked to the end, in one transaction."""
    batch = receive(work, trader, content, **facts)  # type: ignore[arg-type]
    service.start_batch(work, batch)
    with opened(batch) as stream:
        service.check_batch(work, batch, FORMATS[batch.media_type].read(stream))
    return batch
