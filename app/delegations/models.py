"""The table of delegations."""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from app.authz.actor import DelegationScope
from app.db.base import Base, HasId, HasState
from app.delegations.workflow import DELEGATION, DelegationState, Side
from app.traders.models import Choice

TRADER = "trader.id"
PERSON = "person.id"


class Delegation(HasId, HasState, Base):
    """What the trader `trader_id`, the principal, lets the broker `broker_id` do for it.

    Both names are those of the day it was proposed, since neither side sees the other's company.
    It is in force from `valid_from` until just before `valid_until` while it is active. No
    two of one pair are active for the same instant (an exclusion constraint of the migration).
    `sites` are those that it is limited to, none for no limit; `site_names` their names of that day.
    """

    __tablename__ = "delegation"
    workflow = DELEGATION
    __table_args__ = (
        CheckConstraint("trader_id <> broker_id", name="two_traders"),
        CheckConstraint("valid_until > valid_from", name="dates"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        CheckConstraint(
            "state <> 'active' OR (accepted_at IS NOT NULL AND accepted_by <> proposed_by"
            " AND authority_revision_id IS NOT NULL)",
            name="consent",
        ),
        CheckConstraint("cardinality(sites) = cardinality(site_names)", name="sites"),
        CheckConstraint(
            "cardinality(sites) = 0 OR scopes = ARRAY['submit_filings']", name="sites_of_filing"
        ),
        CheckConstraint(
            "cardinality(sites) = 0 OR proposed_side = 'trader'", name="sites_by_client"
        ),
        ForeignKeyConstraint(
            ["trader_id", "authority_revision_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_delegation_authority",
        ),
        Index("ix_delegation_trader_id", "trader_id"),
        Index("ix_delegation_broker_id", "broker_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    trader_name: Mapped[str]
    broker_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    broker_name: Mapped[str]
    scopes: Mapped[list[str]]
    sites: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    site_names: Mapped[list[str]] = mapped_column(default=list)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    authority_revision_id: Mapped[uuid.UUID | None]
    proposed_side: Mapped[Side] = mapped_column(Choice(Side))
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    ended_side: Mapped[Side | None] = mapped_column(Choice(Side))

    @property
    def acting_trader_id(self) -> uuid.UUID:
        """The broker: its own record shows what becomes of the delegation, too."""
        return self.broker_id

    @property
    def delegation_id(self) -> uuid.UUID:
        return self.id

    @property
    def scope_set(self) -> frozenset[DelegationScope]:
        return frozenset(DelegationScope(one) for one in self.scopes)

    @property
    def last_day(self) -> date:
        """The day, in UTC, with whose end it is over."""
        return (self.valid_until - timedelta(days=1)).date()

    def in_force(self, at: datetime) -> bool:
        """Whether the broker may act under it at that instant."""
        return self.state == DelegationState.ACTIVE and self.valid_from <= at < self.valid_until
