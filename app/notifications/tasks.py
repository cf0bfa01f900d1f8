"""Deliver what is in the outbox, by SMTP or, in demo mode, into the demo mailbox."""

import uuid
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import select

from app.door.mailing import Postman
from app.door.purposes import MAIL
from app.jobs.queue import bench, job_work, task
from app.notifications.models import Message


@task("notifications.deliver")
def deliver(message_id: str) -> None:
    """Send one message, once.

    The row is locked while the mail goes out, so that two workers do not send it twice; a worker
    that dies between the server's answer and the commit sends it again, which is the lesser evil.
    A try that fails is counted and committed before the error asks the queue for another try.
    """
    refusal: OSError | None = None
    with job_work() as work:
        message = work.session.scalars(
            select(Message).where(Message.id == uuid.UUID(message_id)).with_for_update()
        ).one_or_none()
        if message is None or message.sent_at is not None:
            return
        message.attempts += 1
        try:
            # Without a mail server the outbox itself is the demo mailbox.
            if (smtp_url := bench().settings.smtp_url) is not None:
                _post(smtp_url, message, sender=_sender(smtp_url))
            message.sent_at = work.now
        except OSError as error:  # Every error of smtplib is one.
            message.failed_at = work.now
            refusal = error
    if refusal is not None:
        raise refusal


def _sender(smtp_url: str) -> str:
    parts = urlsplit(smtp_url)
    return unquote(parts.username or f"fairway@{parts.hostname}")


def _post(smtp_url: str, message: Message, *, sender: str) -> None:
    parts = urlsplit(smtp_url)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Message-ID"] = f"<{message.id}@{parts.hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    with Postman(MAIL, smtp_url) as server:
        server.send_message(mail)
