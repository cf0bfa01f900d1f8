"""The outbox."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Mapped

from app.db.base import Base, HasId


class Message(HasId, Base):
    """One mail to one address. It is sent when `sent_at` is set.

    `attempts` counts the tries, and `failed_at` is the last one that failed.
    """

    __tablename__ = "message"

    recipient: Mapped[str]
    person_id: Mapped[uuid.UUID | None]
    template: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    attempts: Mapped[int]
