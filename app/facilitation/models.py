"""The tables of facilitation. Both are only added to: a decision is what somebody relied on."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId


class PolicyVersion(Base):
    """A version of the policy that decided something: both its texts, so that it can run again."""

    __tablename__ = "policy_version"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    policy_id: Mapped[str]
    version: Mapped[str]
    table_text: Mapped[str]
    words_text: Mapped[str]
    first_used_at: Mapped[datetime]


class Decision(HasId, Base):
    """What one transaction got, and everything that it follows from.

    `transaction_sha256` is over the canonical transaction and tells a repeated call from another
    content under the same id. `input` holds the canonical transaction, the parties' standings and
    the facts; `input_sha256` is over its canonical JSON. `seq` is the newest register change that
    the standings knew of.
    """

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("client_id", "transaction_id"),
        CheckConstraint("seq >= 0", name="seq"),
    )

    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("api_client.id"))
    transaction_id: Mapped[str]
    transaction_sha256: Mapped[str]
    input: Mapped[dict[str, Any]]
    input_sha256: Mapped[str]
    output: Mapped[dict[str, Any]]
    trace: Mapped[dict[str, Any]]
    policy_version: Mapped[str]
    policy_sha256: Mapped[str] = mapped_column(ForeignKey("policy_version.sha256"))
    seq: Mapped[int]
    decided_at: Mapped[datetime]
