"""What the worker does with webhooks: whose turn it is, the next message, and what came of it.

One message at a time waits for a receiver: while that one fails no further is made, so what has
changed meanwhile is told in few messages once the receiver is back, in order.
"""

import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from app.audit.tags import EventTag
from app.webhooks import queries, rules
from app.webhooks.letters import tell
from app.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery
from app.webhooks.rules import Outcome
from app.webhooks.sealing import KeySeal
from app.webhooks.service.registering import park_pending
from app.webhooks.signing import CHANGED, body_of, headers_of
from app.webhooks.workflow import WebhookState
from app.work import Work, move

NO_KEY: Final = "None of its keys can be read. Give the webhook a new key."
FAULT_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is ready to be sent; without headers there is no key to sign it with."""

    delivery_id: uuid.UUID
    address: str
    body: str
    headers: dict[str, str]


def lease_due(work: Work) -> list[uuid.UUID]:
    """The webhooks for which there is something to do, which nobody else gets for a minute.

    No event: nothing of anybody's changes.
    """
    found = work.session.execute(queries.DUE, {"now": work.now, "leased": work.now + rules.LEASE})
    return [key for (key,) in found]


def next_message(work: Work, webhook_id: uuid.UUID, seal: KeySeal) -> Outgoing | None:
    """What is to be sent to a webhook now; `None` when there is nothing, or it is not active.

    The oldest delivery that is pending, or a new one of what the register has changed since the
    last: up to 200 changes. The webhook is leased for another minute, or given back. No event: a
    delivery has its own record of attempts.
    """
    webhook = _locked(work, webhook_id)
    if webhook is None or webhook.state != WebhookState.ACTIVE:
        return None
    delivery = queries.oldest_pending(work.session, webhook.id) or _made(work, webhook)
    if delivery is None:
        webhook.due_at = work.now
        return None
    webhook.due_at = work.now + rules.LEASE
    live = [one for one in queries.keys_of(work.session, webhook.id) if one.is_live(work.now)]
    opened = (seal.unseal(one.sealed_key, one.id) for one in live if one.sealed_key is not None)
    keys = [one for one in opened if one is not None]
    return Outgoing(
        delivery.id,
        webhook.address,
        delivery.body,
        headers_of(delivery.id, delivery.body, work.now, keys) if keys else {},
    )


def note_attempt(
    work: Work, webhook_id: uuid.UUID, sent: Outgoing, outcome: Outcome, *, chance: float
) -> bool:
    """Keep what came of an attempt; gives whether to go on with the next message at once.

    In order: the attempt; of one that was taken the end of the delivery, else the instant of the
    next attempt; after three days of failures, or when the receiver says that it is gone, the
    webhook is parked with everything that waits, and the programme managers get letters. Records
    `WEBHOOK_PARKED` then, and else nothing. `chance`, in [0, 1), spreads the next attempt.
    """
    webhook = _locked(work, webhook_id)
    delivery = work.session.get(WebhookDelivery, sent.delivery_id, with_for_update=True)
    if webhook is None or delivery is None:
        return False
    work.session.add(
        WebhookAttempt(
            id=work.new_id(),
            delivery_id=delivery.id,
            at=work.now,
            status=outcome.status,
            fault=None if outcome.fault is None else outcome.fault[:FAULT_MAX],
            took_ms=outcome.took_ms,
        )
    )
    delivery.attempts += 1
    if outcome.taken:
        delivery.pending, delivery.parked_at = False, None
        delivery.delivered_at = webhook.delivered_at = webhook.due_at = work.now
        webhook.failures, webhook.failing_since = 0, None
        return webhook.state == WebhookState.ACTIVE
    if webhook.state != WebhookState.ACTIVE:
        return False
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or work.now
    if rules.is_given_up(outcome, failing_since=webhook.failing_since, now=work.now):
        park_pending(work, webhook)
        move(work, webhook, "park", status=outcome.status, failing_since=webhook.failing_since)
        tell(work, webhook, EventTag.WEBHOOK_PARKED)
    else:
        webhook.due_at = work.now + rules.pause(webhook.failures, chance)
    return False


def forget_old(work: Work) -> None:
    """Delete deliveries that were taken, or given up, a month ago. No event: the feed has it all."""
    old = (
        select(WebhookDelivery.id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(
            WebhookDelivery.created_at < work.now - rules.KEPT_FOR,
            ~WebhookDelivery.pending,
            # What a parked webhook has not taken waits for the person who resumes it.
            WebhookDelivery.parked_at.is_(None) | (queries.STATE == WebhookState.REMOVED),
        )
    )
    keys = work.session.scalars(old).all()
    work.session.execute(delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(keys)))
    work.session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(keys)))


def _locked(work: Work, webhook_id: uuid.UUID) -> Webhook | None:
    return work.session.get(Webhook, webhook_id, with_for_update={"key_share": True})


def _made(work: Work, webhook: Webhook) -> WebhookDelivery | None:
    """A new delivery of what the webhook has not been told of; `None` when it knows everything."""
    changes = queries.changes_after(work.session, webhook.handed, limit=rules.MOST_CHANGES)
    if not changes:
        return None
    after, seq = webhook.handed, changes[-1][0]
    made = WebhookDelivery(
        id=work.new_id(),
        webhook_id=webhook.id,
        kind=CHANGED,
        after=after,
        seq=seq,
        body=body_of(CHANGED, work.now, after=after, seq=seq, changes=changes),
        created_at=work.now,
        pending=True,
        attempts=0,
    )
    work.session.add(made)
    webhook.handed = seq
    return made
