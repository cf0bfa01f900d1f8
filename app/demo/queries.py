"""The letters that the demonstration would have sent."""

import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.kernel.errors import NotFoundError
from app.notifications.models import Message


def messages_in_mailbox(address: str) -> Select[Message]:
    """Letters to all addresses or to one, the newest first; for `paginate`."""
    statement = select(Message).order_by(Message.created_at.desc(), Message.id.desc())
    if address:
        statement = statement.where(Message.recipient == address)
    return statement


def message_in_mailbox(session: Session, message_id: uuid.UUID) -> Message:
    """One letter; `NotFoundError` when there is none."""
    found = session.get(Message, message_id)
    if found is None:
        raise NotFoundError
    return found
