"""What changes about advance data: receive a batch, check it, file one by one."""

from app.advance_data.service.checking import check_batch, fail_batch, start_batch
from app.advance_data.service.receiving import receive_batch

__all__ = ["check_batch", "fail_batch", "receive_batch", "start_batch"]
