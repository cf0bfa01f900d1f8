"""Handing out a receipt of the audit log as a file."""

from collections.abc import Mapping

from flask import Response, request
from sqlalchemy.orm import Session

from app.audit.models import AuditEvent
from app.audit.receipts import receipt_of, sealed
from app.kernel.errors import NotFoundError
from app.web.fragments import render

AGAIN_SECONDS = 1


def is_sealed(session: Session, event: AuditEvent | None) -> bool | None:
    """Whether the receipt can be had now; `None` when there is no event to have one of."""
    return None if event is None else event.id in sealed(session, [event.id])


def hand_out(
    session: Session,
    event: AuditEvent | None,
    name: str,
    more: Mapping[str, object] | None = None,
) -> Response:
    """The receipt, to be saved as `name`.tlog-proof; 409 while its event is not sealed yet.

    `NotFoundError` without an event: it happened before there were receipts, or is not theirs.
    """
    if event is None:
        raise NotFoundError
    receipt = receipt_of(session, event, more)
    if receipt is None:
        waiting = render("errors/not_sealed.html", status=409, again=request.path)
        waiting.headers["Retry-After"] = str(AGAIN_SECONDS)
        return waiting
    response = Response(receipt, content_type="text/plain; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.tlog-proof")
    return response
