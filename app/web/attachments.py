"""Answers that a browser saves as a file: made whole before their first byte is sent."""

import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, cast

from flask import Response

SPOOL: Final = 4 << 20
"""What is larger lies on the disk until it is sent."""


def written(write: Callable[[BinaryIO], object], *, content_type: str, filename: str) -> Response:
    """What `write` writes, as a file. When it raises, nothing is sent and nothing is left behind."""
    spooled = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - the answer closes it.
    file = cast("BinaryIO", spooled)
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    response = Response(_sent(file), content_type=content_type)
    response.content_length = size
    response.call_on_close(file.close)
    return as_attachment(response, filename)


def as_attachment(response: Response, filename: str) -> Response:
    """Let the browser save the answer under a name of plain letters."""
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response


def _sent(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(SPOOL):
            yield chunk
