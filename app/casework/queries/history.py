"""What happened: the events of a trader, by area, the newest first."""

import uuid
from typing import Any, Final

from sqlalchemy import Select, or_, select

from app.audit.models import AuditEvent
from app.audit.tags import EventTag

AREAS: Final[dict[str, tuple[str, ...]]] = {
    "verdicts": (EventTag.CRITERION_JUDGED,),
    "case": ("case:", "request:", "determination:", "register:"),
    "application": ("application:", "eligibility:", "assessment:", "document:"),
    "company": ("trader:", "identifier:", "bond:", "site:", "contact:", "appointment:"),
    "all": (),
}
"""The filters of the history page, and the beginnings of the tags that each shows."""


def events_of(trader_id: uuid.UUID, area: str) -> Select[Any]:
    """The trader's events in an area, the newest first; for `paginate`."""
    beginnings = AREAS.get(area, ())
    statement = select(AuditEvent).where(AuditEvent.trader_id == trader_id)
    if beginnings:
        statement = statement.where(or_(*(AuditEvent.tag.startswith(one) for one in beginnings)))
    if area == "case":
        # A hundred verdicts would bury what happened to the case itself.
        statement = statement.where(AuditEvent.tag != EventTag.CRITERION_JUDGED)
    return statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
