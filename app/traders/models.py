"""The tables of traders. What is removed is only marked so: cases and the record refer to it."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from app.authz.actor import TraderRole
from app.db.base import Base, HasId, HasState
from app.kernel.identifiers import Scheme
from app.traders.kinds import BondKind, EntityType, Position, SiteKind
from app.traders.workflow import APPOINTMENT, CONFLICT, IDENTIFIER

TRADER = "trader.id"
PERSON = "person.id"


class Choice(TypeDecorator[StrEnum]):
    """A text column that holds the values of one enum and gives its members back."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind
        self.members = {str(member): member for member in kind}

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what is no member with `KeyError`, before the database would."""
        del dialect
        return None if value is None else str(self.members[value])

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        del dialect
        return None if value is None else self.members[value]


class Versioned:
    """A row that two people may have open at once; `version` counts its changes.

    SQLAlchemy adds one at each update and refuses an update of a version that is no longer the
    present one.
    """

    version: Mapped[int] = mapped_column(nullable=False)

    @declared_attr.directive
    def __mapper_args__(self) -> dict[str, Any]:
        """Tell the mapper which column counts."""
        return {"version_id_col": self.version}


class Trader(HasId, Versioned, Base):
    """A registered company. The address is that of its head office."""

    __tablename__ = "trader"

    name: Mapped[str]
    entity_type: Mapped[EntityType] = mapped_column(Choice(EntityType))
    country: Mapped[str]
    address_line: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    postal_code: Mapped[str]
    # Where the staffed office is that the programme asks for; None: there is none, or not told.
    office_country: Mapped[str | None]
    # None: not told, which is not the same as no.
    imported_within_year: Mapped[bool | None]
    registered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    created_at: Mapped[datetime]

    @property
    def trader_id(self) -> uuid.UUID:
        """The trader itself, so that the policy can ask about it as about anything of its own."""
        return self.id

    @property
    def acts_for_others(self) -> bool:
        """Whether it is a broker, which alone can have clients."""
        return self.entity_type is EntityType.BROKER


class TraderIdentifier(HasId, HasState, Base):
    """One identifier that a trader claims, and what the agency made of the claim.

    The value stands in `value`, or encrypted in `value_encrypted` when it has the form of a
    social security number; `lookup_key` is what equal values share (see `app.traders.sealing`),
    `shown` what people may see. `contested` marks verified identifiers that two traders hold,
    which only a take-on from another system can bring about.
    """

    __tablename__ = "trader_identifier"
    workflow = IDENTIFIER
    __table_args__ = (
        CheckConstraint("num_nonnulls(value, value_encrypted) = 1", name="one_value"),
        Index(
            "uq_trader_identifier_verified",
            "scheme",
            "lookup_key",
            unique=True,
            postgresql_where=text("state = 'verified' AND NOT contested"),
        ),
        Index(
            "uq_trader_identifier_live",
            "trader_id",
            "scheme",
            "lookup_key",
            unique=True,
            postgresql_where=text("state IN ('claimed', 'verified')"),
        ),
        Index("ix_trader_identifier_scheme_lookup_key", "scheme", "lookup_key"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    scheme: Mapped[Scheme] = mapped_column(Choice(Scheme))
    value: Mapped[str | None]
    value_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    lookup_key: Mapped[str]
    shown: Mapped[str]
    contested: Mapped[bool] = mapped_column(default=False)
    claimed_at: Mapped[datetime]
    claimed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    refused_at: Mapped[datetime | None]
    refused_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    refusal_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]


class IdentifierConflict(HasId, HasState, Base):
    """Two traders claim one identifier. It belongs to no trader: neither may learn of it."""

    __tablename__ = "identifier_conflict"
    workflow = CONFLICT
    __table_args__ = (
        Index(
            "uq_identifier_conflict_open",
            "scheme",
            "lookup_key",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    scheme: Mapped[Scheme] = mapped_column(Choice(Scheme))
    lookup_key: Mapped[str]
    shown: Mapped[str]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    kept_identifier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("trader_identifier.id"))
    reason: Mapped[str | None]


class Bond(HasId, Versioned, Base):
    """A customs bond; without `valid_until` it binds until it is ended."""

    __tablename__ = "bond"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("valid_until >= valid_from", name="dates"),
        Index("ix_bond_trader_id", "trader_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    number: Mapped[str]
    surety: Mapped[str]
    kind: Mapped[BondKind] = mapped_column(Choice(BondKind))
    activity_code: Mapped[str]
    amount: Mapped[Decimal]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    recorded_at: Mapped[datetime]


class Site(HasId, Versioned, Base):
    """A place where the trader works or keeps cargo."""

    __tablename__ = "site"
    __table_args__ = (Index("ix_site_trader_id", "trader_id"),)

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    name: Mapped[str]
    kind: Mapped[SiteKind] = mapped_column(Choice(SiteKind))
    address_line: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    postal_code: Mapped[str]
    country: Mapped[str]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Contact(HasId, Versioned, Base):
    """Somebody whom the agency can reach; one of them is the primary security contact."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("NOT is_primary OR position <> 'adviser'", name="primary"),
        Index("ix_contact_trader_id", "trader_id"),
        Index(
            "uq_contact_primary",
            "trader_id",
            unique=True,
            postgresql_where=text("is_primary AND removed_at IS NULL"),
        ),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    name: Mapped[str]
    role: Mapped[str]
    position: Mapped[Position] = mapped_column(Choice(Position))
    email: Mapped[str]
    phone: Mapped[str]
    is_primary: Mapped[bool]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Appointment(HasId, HasState, Versioned, Base):
    """A person's role at one trader, or the invitation to one while nobody has accepted it.

    `invited_email` is in small letters; `token_hash` is the SHA-256 of the invitation's token,
    in hexadecimal. An officer by registration was never invited, so both may be missing.
    """

    __tablename__ = "appointment"
    workflow = APPOINTMENT
    __table_args__ = (
        CheckConstraint("state <> 'active' OR person_id IS NOT NULL", name="person"),
        Index(
            "uq_appointment_active",
            "trader_id",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
        Index(
            "uq_appointment_invited",
            "trader_id",
            "invited_email",
            unique=True,
            postgresql_where=text("state = 'invited'"),
        ),
        Index("uq_appointment_token_hash", "token_hash", unique=True),
        Index("ix_appointment_person_id", "person_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    role: Mapped[TraderRole] = mapped_column(Choice(TraderRole))
    invited_email: Mapped[str | None]
    token_hash: Mapped[str | None]
    invited_at: Mapped[datetime | None]
    invited_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    expires_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
