"""Which traders and rows an actor may see; foreign and absent look the same."""

import uuid
from typing import TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.authz.actor import Actor
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError
from app.traders.models import (
    Appointment,
    Bond,
    Contact,
    Site,
    Trader,
    TraderIdentifier,
)
from app.work import Work

OfTrader = TypeVar("OfTrader", TraderIdentifier, Bond, Site, Contact, Appointment)


def trader_named(session: Session, actor: Actor, trader_id: uuid.UUID) -> Trader | None:
    """The trader for whom the actor is acting; `None` when they have no role or grant there."""
    if trader_id not in actor.appointments and trader_id not in actor.grants:
        return None
    return session.get(Trader, trader_id)


def visible_trader(work: Work, trader_id: uuid.UUID, permission: Permission) -> Trader:
    """The trader, when the actor holds the permission there.

    `NotFoundError` for an absent trader and for one that is none of the actor's business alike.
    """
    trader = work.session.get(Trader, trader_id)
    if trader is None or not may(work.actor, permission, trader):
        raise NotFoundError
    return trader


def visible_row(
    work: Work,
    model: type[OfTrader],
    trader: Trader,
    row_id: uuid.UUID,
    *,
    even_removed: bool = False,
) -> OfTrader:
    """A row of a trader that is already known to be visible; `NotFoundError` for any other.

    What was removed is absent, unless `even_removed`: the second click on "Remove" must find what
    the first one removed. An ended appointment and a refused identifier are not absent.
    """
    row = work.session.get(model, row_id)
    if row is None or row.trader_id != trader.id:
        raise NotFoundError
    if getattr(row, "removed_at", None) is not None and not even_removed:
        raise NotFoundError
    return row


def traders_of(actor: Actor) -> Select[Trader]:
    """The traders at which the actor has a role, by name; for `paginate`."""
    return (
        select(Trader)
        .where(Trader.id.in_(list(actor.appointments)))
        .order_by(func.lower(Trader.name), Trader.id)
    )
