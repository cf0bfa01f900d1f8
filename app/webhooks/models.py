"""The tables of webhooks: whom to tell, with which keys, what was sent, and what came of it."""

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, HasState
from app.kernel.workflow import Workflow
from app.webhooks.workflow import WEBHOOK

WEBHOOK_ID = "webhook.id"


class Webhook(HasId, HasState, Base):
    """An address of one of the agency's programs that is told of every change of the register.

    `handed` is the newest change that stands in a delivery, sent or not: all further ones are still
    to be told. Nobody looks at the webhook before `due_at`. `failures` counts the attempts since
    `failing_since`, the first that failed after the last that did not.
    """

    __tablename__ = "webhook"
    workflow: ClassVar[Workflow] = WEBHOOK
    __table_args__ = (
        CheckConstraint("(failing_since IS NULL) = (failures = 0)", name="failing"),
        Index("ix_webhook_due_at", "due_at", postgresql_where=text("state = 'active'")),
    )

    name: Mapped[str]
    address: Mapped[str]
    handed: Mapped[int]
    due_at: Mapped[datetime]
    failures: Mapped[int]
    failing_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by_name: Mapped[str]


class WebhookKey(HasId, Base):
    """A key pair with which deliveries to one webhook are signed until `ends_at`.

    `sealed_key` is the private half, encrypted for this row; of a webhook that was removed it is
    gone. `public_key` are the 32 bytes of RFC 8032.
    """

    __tablename__ = "webhook_key"
    __table_args__ = (Index(None, "webhook_id"),)

    webhook_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(WEBHOOK_ID))
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]

    def is_live(self, now: datetime) -> bool:
        """Whether it signs at this instant."""
        return self.sealed_key is not None and (self.ends_at is None or self.ends_at > now)


class WebhookDelivery(HasId, Base):
    """One message to one webhook: the changes after `after` up to `seq`, or a test without any.

    `body` is what is sent, byte for byte, each time. It is `pending` until it was taken, or parked.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("after <= seq", name="order"),
        CheckConstraint("pending OR delivered_at IS NOT NULL OR parked_at IS NOT NULL", name="end"),
        Index("ix_webhook_delivery_webhook_id_created_at", "webhook_id", "created_at"),
        Index("ix_webhook_delivery_pending", "webhook_id", postgresql_where=text("pending")),
    )

    webhook_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(WEBHOOK_ID))
    kind: Mapped[str]
    after: Mapped[int]
    seq: Mapped[int]
    body: Mapped[str]
    created_at: Mapped[datetime]
    pending: Mapped[bool]
    attempts: Mapped[int]
    delivered_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]


class WebhookAttempt(HasId, Base):
    """One try: the status of the answer, or in `fault` why there was none."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (
        CheckConstraint("(status IS NULL) <> (fault IS NULL)", name="outcome"),
        Index("ix_webhook_attempt_delivery_id_at", "delivery_id", "at"),
    )

    delivery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhook_delivery.id"))
    at: Mapped[datetime]
    status: Mapped[int | None]
    fault: Mapped[str | None]
    took_ms: Mapped[int]
