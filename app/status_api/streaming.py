"""Answering lines while they come in: in their order, a block at a time, the rest never held.

A simple program sends everything before it reads anything, and would wait for ever for a server
that waits for it to read. So the first two mebibytes, in which ten thousand identifiers always
fit, are taken in before the first answer; from there on the caller has to read while it sends.

Once the first answers are on their way a refusal can no longer be a status code. It then is the
last line: a problem, which has no member `answer`. Servers end a broken stream like a whole one,
so callers count: whatever has no line of its own has no answer.
"""

from collections.abc import Callable, Iterator
from typing import IO, Final

from flask import Response, current_app, stream_with_context
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app.kernel.errors import DomainError
from app.status_api.bodies import NDJSON

READ_AHEAD: Final = 2 * 1024 * 1024
READ_AT_ONCE: Final = 64 * 1024
MOST_LINES: Final = 1_000
"""How many lines are answered together, of one instant."""
LONGEST_LINE: Final = 4 * 1024
ENDLESS: Final = 2**62

Line = bytes | None
"""What stands between two line ends; `None` for what is longer than any identifier."""


def blocks(body: IO[bytes]) -> Iterator[list[Line]]:
    """The lines of a body that are not empty, a thousand at most at a time."""
    block: list[Line] = []
    rest, too_long = b"", False
    part = body.read(READ_AHEAD)
    while part:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if too_long or len(line) > LONGEST_LINE:
                block.append(None)
            elif line.strip():
                block.append(line)
            too_long = False
            if len(block) == MOST_LINES:
                yield block
                block = []
        if too_long or len(rest) > LONGEST_LINE:
            rest, too_long = b"", True
        if block:
            yield block
            block = []
        part = body.read(READ_AT_ONCE)
    if too_long:
        yield [None]
    elif rest.strip():
        yield [rest]


def streamed(body: IO[bytes], answered: Callable[[list[Line]], bytes]) -> Response:
    """One answer a line, in order. `answered` gives the lines of one block, with their ends.

    The first block is answered before this returns, so that what `answered` raises for it, and
    for a body without lines, is a refusal like any other.
    """
    waiting = blocks(body)
    first = answered(next(waiting, []))

    def rest() -> Iterator[bytes]:
        yield first
        try:
            for block in waiting:
                yield answered(block)
        except (DomainError, HTTPException, DBAPIError) as error:
            yield _last_line(error)

    return Response(stream_with_context(rest()), mimetype=NDJSON)


def _last_line(error: Exception) -> bytes:
    """What the error handlers would have answered, as one line."""
    problem = current_app.make_response(current_app.handle_user_exception(error))
    return problem.get_data().replace(b"\n", b"") + b"\n"
