"""Put a message into the outbox, in the transaction of the change that it tells of."""

import uuid

from app.jobs.queue import defer
from app.notifications import letters
from app.notifications.models import Message
from app.work import Work


def send(
    work: Work,
    *,
    to: str,
    template: str,
    person_id: uuid.UUID | None = None,
    **values: object,
) -> Message:
    """Write the letter `template` to the address `to` and enqueue its delivery.

    Side effects in order: the outbox row; the job, which nobody sees before the commit. No event
    is recorded: the change that the letter tells of has its own.
    """
    subject, body = letters.write(template, **values)
    message = Message(
        id=work.new_id(),
        recipient=to,
        person_id=person_id,
        template=template,
        subject=subject,
        body=body,
        created_at=work.now,
        attempts=0,
    )
    work.session.add(message)
    defer(work, "notifications.deliver", message_id=str(message.id))
    return message
