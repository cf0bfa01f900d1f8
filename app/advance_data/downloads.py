"""CSV answers of pages and of the traders' API, and the limit of a file that either takes."""

from typing import Final

from flask import Response

from app.advance_data.answers import answer_to, rejected_rows
from app.advance_data.csv_export import write_faults
from app.advance_data.csv_intake import Limits
from app.advance_data.formats import ABI, CSV, XLSX
from app.advance_data.models import Batch
from app.advance_data.queries import every_fault
from app.advance_data.workbook import write_workbook
from app.web.attachments import as_attachment, written
from app.web.errors import translate
from app.web.requests import current_work

FILE_LIMIT: Final = Limits().file_bytes


def faults_csv(batch: Batch) -> Response:
    """The batch's faults as a CSV file, whole before its first byte is sent."""
    return written(
        lambda into: write_faults(every_fault(current_work().session, batch.id), into),
        content_type=f"{CSV}; charset=utf-8",
        filename=f"{batch.reference}-faults.csv",
    )


def rejected_xlsx(batch: Batch) -> Response:
    """The batch's rows that were not filed, as a workbook with their faulty cells marked."""
    rows = rejected_rows(current_work(), batch)
    return written(
        lambda into: write_workbook(rows, translate, into),
        content_type=XLSX,
        filename=f"{batch.reference}-to-correct.xlsx",
    )


def answer_abi(batch: Batch) -> Response:
    """The answer message to a batch of messages."""
    response = Response(answer_to(current_work(), batch), content_type=ABI)
    return as_attachment(response, f"{batch.reference}-answer.abi")
