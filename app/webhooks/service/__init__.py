"""What changes about webhooks: `registering` is for people, `delivering` for the worker."""

from app.webhooks.service.delivering import (
    Outgoing,
    forget_old,
    lease_due,
    next_message,
    note_attempt,
)
from app.webhooks.service.registering import (
    redeliver,
    register_webhook,
    remove_webhook,
    renew_key,
    resume_webhook,
    send_test,
)

__all__ = [
    "Outgoing",
    "forget_old",
    "lease_due",
    "next_message",
    "note_attempt",
    "redeliver",
    "register_webhook",
    "remove_webhook",
    "renew_key",
    "resume_webhook",
    "send_test",
]
