"""What identifies a partner belongs to the answer, so its changes are numbered as well."""

import uuid

from app.register.ledger import ChangeKind, next_change
from app.register.models import RegisterChange
from app.work import Work


def note_identifier_change(work: Work, trader_id: uuid.UUID) -> RegisterChange:
    """Number a change in which identifiers name the trader, so that every copy learns of it.

    A reaction to the event that verified, refused or withdrew the identifier, which is the one
    record of it; this records none.
    """
    return next_change(work.session, trader_id, ChangeKind.IDENTIFIER, work.now)
