"""What changes about advance data: receive a batch, check it chunk by chunk, file one by one."""

from app.advance_data.service.checking import (
    ShortFileError,
    check_batch,
    check_chunk,
    chunks_of,
    expect_rows,
    fail_batch,
    finish_batch,
    start_batch,
)
from app.advance_data.service.correcting import correct_row
from app.advance_data.service.listing import codes_for, load_list
from app.advance_data.service.measuring import corrections_of, measure_batch
from app.advance_data.service.receiving import Channel, receive_batch
from app.advance_data.service.single import FilingRefusedError, file_one
from app.advance_data.service.telling import tell_voyage

__all__ = [
    "Channel",
    "FilingRefusedError",
    "ShortFileError",
    "check_batch",
    "check_chunk",
    "chunks_of",
    "codes_for",
    "correct_row",
    "corrections_of",
    "expect_rows",
    "fail_batch",
    "file_one",
    "finish_batch",
    "load_list",
    "measure_batch",
    "receive_batch",
    "start_batch",
    "tell_voyage",
]
