"""What changes about advance data: receive a batch, check it, file one by one."""

from app.advance_data.service.checking import check_batch, fail_batch, start_batch
from app.advance_data.service.correcting import correct_row
from app.advance_data.service.measuring import corrections_of, measure_batch
from app.advance_data.service.receiving import Channel, receive_batch
from app.advance_data.service.single import FilingRefusedError, file_one
from app.advance_data.service.telling import tell_voyage

__all__ = [
    "Channel",
    "FilingRefusedError",
    "check_batch",
    "correct_row",
    "corrections_of",
    "fail_batch",
    "file_one",
    "measure_batch",
    "receive_batch",
    "start_batch",
    "tell_voyage",
]
