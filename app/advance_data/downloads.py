"""CSV answers of pages and of the traders' API, and the limit of a file that either takes."""

import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from flask import Response

from app.advance_data.answers import answer_to, rejected_rows
from app.advance_data.csv_export import write_faults
from app.advance_data.csv_intake import Limits
from app.advance_data.formats import ABI, CSV, XLSX
from app.advance_data.models import Batch
from app.advance_data.queries import every_fault
from app.advance_data.workbook import write_workbook
from app.web.errors import translate
from app.web.requests import current_work

FILE_LIMIT: Final = Limits().file_bytes
SPOOL: Final = 4 << 20


def faults_csv(batch: Batch) -> Response:
    """The batch's faults as a CSV file, whole before its first byte is sent."""
    spooled = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - the answer closes it.
    write_faults(every_fault(current_work().session, batch.id), cast("BinaryIO", spooled))
    return _attached(spooled, f"{CSV}; charset=utf-8", f"{batch.reference}-faults.csv")


def rejected_xlsx(batch: Batch) -> Response:
    """The batch's rows that were not filed, as a workbook with their faulty cells marked."""
    rows = rejected_rows(current_work(), batch)
    spooled = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - the answer closes it.
    write_workbook(rows, translate, cast("BinaryIO", spooled))
    return _attached(spooled, XLSX, f"{batch.reference}-to-correct.xlsx")


def answer_abi(batch: Batch) -> Response:
    """The answer message to a batch of messages."""
    response = Response(answer_to(current_work(), batch), content_type=ABI)
    return as_attachment(response, f"{batch.reference}-answer.abi")


def _attached(
    spooled: tempfile.SpooledTemporaryFile[bytes], content_type: str, filename: str
) -> Response:
    size = spooled.tell()
    spooled.seek(0)
    response = Response(_sent(spooled), content_type=content_type)
    response.content_length = size
    response.call_on_close(spooled.close)
    return as_attachment(response, filename)


def _sent(file: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(SPOOL):
            yield chunk


def as_attachment(response: Response, filename: str) -> Response:
    """Let the browser save the answer under a name of plain letters."""
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
