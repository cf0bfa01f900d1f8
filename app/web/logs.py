"""One JSON line for each request that failed, was refused or was slow, with the id to quote.

A line names the endpoint, never the path or the query: they can hold identifiers of a trader.
"""

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, got_request_exception, request
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from app.web.requests import current_actor, request_id

SLOW_SECONDS = 1.0
REFUSED = frozenset({400, 403, 413, 415, 421, 429})
"""Answers that attempts to get round a control meet; a person's own slips are 404, 409 and 422."""
log = structlog.get_logger("fairway")


def configure_logs() -> None:
    """Send structured lines to standard error, warnings and worse of the libraries with them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: they hold what people typed.
            ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=25)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def register_logs(app: Flask) -> None:
    """Time each request, and log what went wrong in it once, with its traceback."""
    app.before_request(_begin)
    app.after_request(_end)
    got_request_exception.connect(_unforeseen, app)
    # Flask would print the same traceback a second time, with the path in it.
    app.logger.disabled = True


def _begin() -> None:
    g.began = time.monotonic()


def _end(response: Response) -> Response:
    seconds = time.monotonic() - g.get("began", time.monotonic())
    if response.status_code >= 500 or seconds > SLOW_SECONDS:  # noqa: PLR2004 - HTTP's border.
        log.warning(
            "request",
            request_id=request_id(),
            endpoint=request.endpoint,
            method=request.method,
            status=response.status_code,
            ms=round(seconds * 1000),
        )
    elif response.status_code in REFUSED:
        log.info(
            "refused",
            request_id=request_id(),
            endpoint=request.endpoint,
            method=request.method,
            status=response.status_code,
            actor=current_actor().principal,
        )
    return response


def _unforeseen(_app: Flask, exception: BaseException, **_more: object) -> None:
    actor = current_actor()
    log.error(
        "unforeseen",
        request_id=request_id(),
        endpoint=request.endpoint,
        actor=actor.principal,
        exc_info=exception,
    )
