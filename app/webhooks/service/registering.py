"""What people of the agency do with webhooks."""

import uuid
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row, lock_words
from app.door.places import Place, RefusedError, target
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.webhooks import queries, rules
from app.webhooks.letters import tell
from app.webhooks.models import Webhook, WebhookDelivery, WebhookKey
from app.webhooks.sealing import KeySeal
from app.webhooks.signing import TEST, body_of
from app.webhooks.workflow import WebhookState
from app.work import Work, move


def register_webhook(
    work: Work, *, name: str, address: str, place: Place, seal: KeySeal, key: uuid.UUID
) -> Webhook:
    """Tell `address` of every change of the register from now on.

    In order: the webhook, with `key` as its id; its first key pair; one event; letters to the
    programme managers. The same key again gives the first webhook and does nothing. Errors:
    `NotReadyError` beside `name` or `address`, which `place` has to allow, and for more than
    twenty. Records `WEBHOOK_REGISTERED`, with the host of the address.
    """
    earlier = first_with(work.session, Webhook, key)
    if earlier is not None:
        return earlier
    lock_words(work.session, "webhooks")
    problems = [*rules.name_problems(name), *_address_problems(address, place)]
    if queries.in_use(work.session) >= rules.WEBHOOKS_MAX:
        problems.append(
            Problem(
                "There are %(most)s webhooks. Remove one that is no longer needed.",
                "name",
                "many",
                {"most": rules.WEBHOOKS_MAX},
            )
        )
    if problems:
        raise NotReadyError(problems)
    webhook = Webhook(
        id=key,
        name=name,
        address=address,
        handed=queries.head(work.session),
        due_at=work.now,
        failures=0,
        created_at=work.now,
        created_by_name=work.actor.name,
    )
    work.session.add(webhook)
    work.session.flush()
    _make_key(work, webhook, seal, work.new_id())
    work.record(EventTag.WEBHOOK_REGISTERED, webhook, host=target(place, address).authority)
    tell(work, webhook, EventTag.WEBHOOK_REGISTERED)
    return webhook


def renew_key(
    work: Work, webhook: Webhook, *, overlap: timedelta, seal: KeySeal, key: uuid.UUID
) -> WebhookKey:
    """A new key pair, which signs at once; those before it sign beside it for `overlap`.

    In order: the end of the earlier keys, unless they end sooner; the new one, with `key` as its
    id; one event; letters. The same key again does nothing. Errors: `ConflictError` when the
    webhook is removed; `NotReadyError` beside `overlap` for more than thirty days, or for a fourth
    key at a time. Records `WEBHOOK_KEY_RENEWED`.
    """
    earlier = first_with(work.session, WebhookKey, key)
    if earlier is not None and earlier.webhook_id == webhook.id:
        return earlier
    lock_row(work.session, webhook)
    if webhook.state == WebhookState.REMOVED:
        raise ConflictError("This webhook is removed. Register it again.")
    live = [one for one in queries.keys_of(work.session, webhook.id) if one.is_live(work.now)]
    problems = []
    if not timedelta() <= overlap <= rules.OVERLAP_MAX:
        problems.append(Problem("Choose thirty days at most.", "overlap"))
    if overlap and len(live) >= rules.KEYS_MAX:
        problems.append(
            Problem(
                "Deliveries are signed with %(most)s keys already. Let the earlier ones end at once.",
                "overlap",
                "many",
                {"most": rules.KEYS_MAX},
            )
        )
    if problems:
        raise NotReadyError(problems)
    for one in live:
        one.ends_at = min(one.ends_at or work.now + overlap, work.now + overlap)
    made = _make_key(work, webhook, seal, key)
    work.record(
        EventTag.WEBHOOK_KEY_RENEWED, webhook, key=made.id, earlier_end_at=work.now + overlap
    )
    tell(work, webhook, EventTag.WEBHOOK_KEY_RENEWED)
    return made


def send_test(work: Work, webhook: Webhook, *, key: uuid.UUID) -> WebhookDelivery:
    """Send a message that tells of no change, so that somebody sees the receiver take it.

    The same key again does nothing. Errors: `ConflictError` when the webhook is not active.
    Records `WEBHOOK_TESTED`.
    """
    earlier = first_with(work.session, WebhookDelivery, key)
    if earlier is not None and earlier.webhook_id == webhook.id:
        return earlier
    lock_row(work.session, webhook)
    _require_active(webhook)
    seq = webhook.handed
    made = WebhookDelivery(
        id=key,
        webhook_id=webhook.id,
        kind=TEST,
        after=seq,
        seq=seq,
        body=body_of(TEST, work.now, after=seq, seq=seq, changes=()),
        created_at=work.now,
        pending=True,
        attempts=0,
    )
    work.session.add(made)
    webhook.due_at = work.now
    work.record(EventTag.WEBHOOK_TESTED, webhook, delivery=made.id)
    return made


def redeliver(work: Work, webhook: Webhook, delivery: WebhookDelivery) -> None:
    """Send a delivery once more, with the same identifier. One that is on its way stays so.

    Errors: `ConflictError` when the webhook is not active. Records `WEBHOOK_REDELIVERED`.
    """
    lock_row(work.session, webhook)
    _require_active(webhook)
    lock_row(work.session, delivery)
    if delivery.pending:
        return
    delivery.pending, delivery.parked_at = True, None
    webhook.due_at = work.now
    work.record(EventTag.WEBHOOK_REDELIVERED, webhook, delivery=delivery.id, seq=delivery.seq)


def resume_webhook(work: Work, webhook: Webhook) -> None:
    """Let a parked webhook be told again, beginning with what it has not taken.

    In order: its parked deliveries are pending again; the state; letters. A second call does
    nothing. Errors: `ConflictError` when it is removed. Records `WEBHOOK_RESUMED`.
    """
    lock_row(work.session, webhook)
    if webhook.state == WebhookState.ACTIVE:
        return
    if "resume" not in webhook.available():
        raise ConflictError("This webhook is removed. Register it again.")
    work.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.parked_at.is_not(None))
        .values(pending=True, parked_at=None)
    )
    webhook.failures, webhook.failing_since, webhook.due_at = 0, None, work.now
    move(work, webhook, "resume")
    tell(work, webhook, EventTag.WEBHOOK_RESUMED)


def remove_webhook(work: Work, webhook: Webhook) -> None:
    """Tell it nothing any more. What was sent stays on record for a month.

    In order: what waits is parked; the private halves of its keys are gone; the state; letters.
    A second call does nothing. Records `WEBHOOK_REMOVED`.
    """
    lock_row(work.session, webhook)
    if "remove" not in webhook.available():
        return
    park_pending(work, webhook)
    work.session.execute(
        update(WebhookKey).where(WebhookKey.webhook_id == webhook.id).values(sealed_key=None)
    )
    move(work, webhook, "remove")
    tell(work, webhook, EventTag.WEBHOOK_REMOVED)


def park_pending(work: Work, webhook: Webhook) -> None:
    """Put aside what waits for this webhook."""
    work.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.pending)
        .values(pending=False, parked_at=work.now)
    )


def _require_active(webhook: Webhook) -> None:
    if webhook.state != WebhookState.ACTIVE:
        raise ConflictError("Nothing is sent to this webhook. Resume it first.")


def _make_key(work: Work, webhook: Webhook, seal: KeySeal, key: uuid.UUID) -> WebhookKey:
    private = Ed25519PrivateKey.generate()
    made = WebhookKey(
        id=key,
        webhook_id=webhook.id,
        sealed_key=seal.seal(private, key),
        public_key=private.public_key().public_bytes_raw(),
        created_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    return made


def _address_problems(address: str, place: Place) -> list[Problem]:
    if len(address) > rules.ADDRESS_MAX:
        return [Problem("Use 500 characters or fewer.", "address")]
    try:
        target(place, address)
    except RefusedError as refusal:
        return [Problem(str(refusal), "address")]
    return []
