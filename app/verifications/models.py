"""The two tables: what one company asked, and what the other was asked."""

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, HasState
from app.kernel.identifiers import Scheme
from app.kernel.workflow import Workflow
from app.traders.models import Choice
from app.verifications.workflow import CONSENT, VERIFICATION

TRADER = "trader.id"
PERSON = "person.id"


class Verification(HasId, HasState, Base):
    """A question of `trader_id`, the asker, about whoever holds an identifier.

    It says nothing of the holder but what the holder has consented to: `holder_name` is set when it
    is shown. `told_active` is what the asker was last told of by letter.
    """

    __tablename__ = "verification"
    workflow: ClassVar[Workflow] = VERIFICATION
    __table_args__ = (
        CheckConstraint("(shown_at IS NULL) = (holder_name IS NULL)", name="shown"),
        Index("ix_verification_trader_id_asked_at", "trader_id", "asked_at"),
        Index(
            "ix_verification_watched",
            "lapses_at",
            postgresql_where=text("state IN ('waiting', 'shown')"),
        ),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    trader_name: Mapped[str]
    scheme: Mapped[Scheme] = mapped_column(Choice(Scheme))
    number: Mapped[str]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(PERSON))
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    holder_name: Mapped[str | None]
    shown_at: Mapped[datetime | None]
    told_active: Mapped[bool | None]
    ended_at: Mapped[datetime | None]


class Consent(HasId, HasState, Base):
    """What `trader_id`, the holder, was asked by the company `asker_name`, and what it said.

    Names and number are those of the day of the question.
    """

    __tablename__ = "consent"
    workflow: ClassVar[Workflow] = CONSENT
    __table_args__ = (
        CheckConstraint("trader_id <> asker_id", name="two_companies"),
        CheckConstraint(
            "state NOT IN ('given', 'declined') OR decided_by IS NOT NULL", name="decided"
        ),
        Index("ix_consent_trader_id_asked_at", "trader_id", "asked_at"),
        Index("ix_consent_asker_id", "asker_id"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    trader_name: Mapped[str]
    verification_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("verification.id"), unique=True)
    asker_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    asker_name: Mapped[str]
    scheme: Mapped[Scheme] = mapped_column(Choice(Scheme))
    number: Mapped[str]
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(PERSON))
    ended_at: Mapped[datetime | None]
