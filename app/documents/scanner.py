"""A client for clamd's INSTREAM command; one scan, one connection."""

import struct
from collections.abc import Iterable
from typing import Final

from app.door.line import Line, dial, dial_here
from app.door.purposes import SCANNER

DEFAULT_PORT: Final = 3310
UNIX: Final = "unix:"


class ScannerError(RuntimeError):
    """The scanner is away or refused to look; the scan is to be tried again."""


def scan(address: str, chunks: Iterable[bytes]) -> str | None:
    """The name of what was found in the bytes, or `None`.

    `address` is `unix:<path>` or `host:port`. `ScannerError` when there is no clear verdict.
    """
    try:
        with _connect(address) as connection:
            connection.sendall(b"zINSTREAM\0")
            for chunk in chunks:
                connection.sendall(struct.pack("!L", len(chunk)) + chunk)
            connection.sendall(struct.pack("!L", 0))
            with connection.makefile("rb") as answer:
                verdict = answer.read(4096).rstrip(b"\0\n").decode("utf-8", "replace")
    except OSError as error:
        raise ScannerError(str(error)) from error
    if verdict == "stream: OK":
        return None
    if verdict.startswith("stream: ") and verdict.endswith(" FOUND"):
        return verdict.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerError(verdict or "no answer")


def _connect(address: str) -> Line:
    if address.startswith(UNIX):
        return dial_here(SCANNER, address.removeprefix(UNIX))
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return dial(SCANNER, host or address, int(port) if host else DEFAULT_PORT)
