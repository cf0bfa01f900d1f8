"""CSV answers of pages and of the traders' API, and the limit of a file that either takes."""

import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from flask import Response

from app.advance_data.csv_export import write_faults
from app.advance_data.csv_intake import Limits
from app.advance_data.formats import CSV
from app.advance_data.models import Batch
from app.advance_data.queries import every_fault
from app.web.requests import current_work

FILE_LIMIT: Final = Limits().file_bytes
SPOOL: Final = 4 << 20


def faults_csv(batch: Batch) -> Response:
    """The batch's faults as a CSV file, whole before its first byte is sent."""
    spooled = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - the answer closes it.
    write_faults(every_fault(current_work().session, batch.id), cast("BinaryIO", spooled))
    size = spooled.tell()
    spooled.seek(0)
    response = Response(_sent(spooled), content_type=f"{CSV}; charset=utf-8")
    response.content_length = size
    response.call_on_close(spooled.close)
    return as_attachment(response, f"{batch.reference}-faults.csv")


def _sent(file: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(SPOOL):
            yield chunk


def as_attachment(response: Response, filename: str) -> Response:
    """Let the browser save the answer under a name of plain letters."""
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
