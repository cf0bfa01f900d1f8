"""What changes about advance data: receive a batch, check it, file one by one."""

from app.advance_data.service.checking import check_batch, fail_batch, start_batch
from app.advance_data.service.receiving import Channel, receive_batch
from app.advance_data.service.single import FilingRefusedError, file_one

__all__ = [
    "Channel",
    "FilingRefusedError",
    "check_batch",
    "fail_batch",
    "file_one",
    "receive_batch",
    "start_batch",
]
