"""The bytes of a batch, as they were received."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from app.advance_data.models import Batch
from app.documents.files import files

SPOOL = 16 << 20


@contextmanager
def opened(batch: Batch) -> Iterator[BinaryIO]:
    """The file of a batch, at its beginning; a large one lies on the disk, not in memory.

    `UnavailableError` when it is missing or is not what was received.
    """
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as stream:
        for chunk in files().read(batch.trader_id, batch.sha256):
            stream.write(chunk)
        stream.seek(0)
        yield cast("BinaryIO", stream)
