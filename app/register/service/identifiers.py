"""What identifies a partner belongs to the answer, so its changes are numbered as well."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.register.ledger import Change, ChangeKind, next_change
from app.traders.models import TraderIdentifier
from app.traders.workflow import IdentifierState
from app.work import Work


def note_identifier_change(work: Work, trader_id: uuid.UUID) -> Change:
    """Number a change in which identifiers name the trader, so that every copy learns of it.

    Traders that hold one of the same identifiers, as a take-on can bring about, get a number
    each as well: the answer about them changes too. Returns the trader's own change. A reaction
    to the event that verified, refused or withdrew the identifier, which is the one record of
    it; this records none.
    """
    own, other = aliased(TraderIdentifier), aliased(TraderIdentifier)
    # The state column is private so that only `app.work.move` writes it; reading it is free.
    holds = other._state == IdentifierState.VERIFIED  # noqa: SLF001
    rivals = work.session.scalars(
        select(other.trader_id)
        .join(own, (own.scheme == other.scheme) & (own.lookup_key == other.lookup_key))
        .where(own.trader_id == trader_id, other.trader_id != trader_id, holds)
        .distinct()
        .order_by(other.trader_id)
    ).all()
    for rival in rivals:
        next_change(work.session, rival, ChangeKind.IDENTIFIER, work.now)
    return next_change(work.session, trader_id, ChangeKind.IDENTIFIER, work.now)
