"""Which event of the log vouches for a determination."""

import uuid
from collections.abc import Collection
from typing import Final

from sqlalchemy.orm import Session

from app.audit.models import AuditEvent
from app.audit.receipts import newest_about
from app.audit.tags import EventTag

ENTERED: Final = (
    EventTag.DETERMINATION_APPROVED,
    EventTag.PARTNER_SUSPENDED_URGENTLY,
    EventTag.REGISTER_IMPORTED,
)
"""What puts a determination into the register; only of this can the trader have a receipt."""


def entered_events(
    session: Session, trader_id: uuid.UUID, determinations: Collection[uuid.UUID]
) -> dict[uuid.UUID, AuditEvent]:
    """The event by which each determination took effect, as far as the transaction may see it."""
    return newest_about(session, trader_id, determinations, ENTERED)
