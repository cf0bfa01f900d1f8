"""What is read about webhooks. The agency alone reads them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.kernel.errors import NotFoundError
from app.register.models import RegisterChange, RegisterSequencer
from app.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery, WebhookKey
from app.webhooks.workflow import WebhookState
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Webhook._state  # noqa: SLF001


def visible_webhook(work: Work, key: uuid.UUID) -> Webhook:
    """A webhook; `NotFoundError` when there is none. The route has asked who may come."""
    found = work.session.get(Webhook, key)
    if found is None:
        raise NotFoundError
    return found


def visible_delivery(work: Work, webhook: Webhook, key: uuid.UUID) -> WebhookDelivery:
    """A delivery to this webhook; `NotFoundError` for any other."""
    found = work.session.get(WebhookDelivery, key)
    if found is None or found.webhook_id != webhook.id:
        raise NotFoundError
    return found


def webhooks() -> Select[Webhook]:
    """Every webhook, those that were removed last; for `paginate`."""
    return select(Webhook).order_by(STATE == WebhookState.REMOVED, Webhook.name, Webhook.id)


def in_use(session: Session) -> int:
    """How many webhooks there are that were not removed."""
    return session.execute(
        select(func.count()).select_from(Webhook).where(STATE != WebhookState.REMOVED)
    ).scalar_one()


def waiting(session: Session, found: Sequence[Webhook]) -> Mapping[uuid.UUID, int]:
    """For each of these, how many changes of the register it has not been told of."""
    newest = head(session)
    oldest = session.execute(
        select(WebhookDelivery.webhook_id, func.min(WebhookDelivery.after))
        .where(
            WebhookDelivery.webhook_id.in_([one.id for one in found]),
            WebhookDelivery.delivered_at.is_(None),
        )
        .group_by(WebhookDelivery.webhook_id)
    )
    told = dict(oldest.all())
    return {one.id: newest - min(one.handed, told.get(one.id, one.handed)) for one in found}


def head(session: Session) -> int:
    """The newest change of the register; 0 before the first."""
    return session.execute(select(RegisterSequencer.last)).scalar_one_or_none() or 0


def changes_after(session: Session, seq: int, *, limit: int) -> list[tuple[int, uuid.UUID]]:
    """Up to `limit` changes with their partners, dense, the oldest first."""
    rows = session.execute(
        select(RegisterChange.seq, RegisterChange.trader_id)
        .where(RegisterChange.seq > seq)
        .order_by(RegisterChange.seq)
        .limit(limit)
    )
    return [(number, whom) for number, whom in rows]


def keys_of(session: Session, webhook_id: uuid.UUID) -> Sequence[WebhookKey]:
    """Its keys, the newest first."""
    return session.scalars(
        select(WebhookKey)
        .where(WebhookKey.webhook_id == webhook_id)
        .order_by(WebhookKey.created_at.desc(), WebhookKey.id.desc())
    ).all()


def deliveries_of(webhook_id: uuid.UUID) -> Select[WebhookDelivery]:
    """Its deliveries, the newest first; for `paginate`."""
    return (
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id)
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
    )


def oldest_pending(session: Session, webhook_id: uuid.UUID) -> WebhookDelivery | None:
    """The delivery that is to be sent before all others."""
    return session.scalars(
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.pending)
        .order_by(WebhookDelivery.seq, WebhookDelivery.created_at, WebhookDelivery.id)
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Tries:
    """The latest attempts of a delivery, the newest first, and how many there were in all."""

    latest: Sequence[WebhookAttempt]
    total: int


def attempts_of(session: Session, delivery: WebhookDelivery, *, most: int = 50) -> Tries:
    """What became of each try."""
    latest = session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery.id)
        .order_by(WebhookAttempt.at.desc(), WebhookAttempt.id.desc())
        .limit(most)
    ).all()
    return Tries(latest, delivery.attempts)


def last_attempts(
    session: Session, deliveries: Sequence[WebhookDelivery]
) -> Mapping[uuid.UUID, WebhookAttempt]:
    """The newest attempt of each of these; whoever had none is left out."""
    rows = session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id.in_([one.id for one in deliveries]))
        .ext(distinct_on(WebhookAttempt.delivery_id))
        .order_by(WebhookAttempt.delivery_id, WebhookAttempt.at.desc(), WebhookAttempt.id.desc())
    )
    return {one.delivery_id: one for one in rows}


DUE = text(
    "UPDATE webhook SET due_at = :leased WHERE id IN ("
    " SELECT w.id FROM webhook w WHERE w.state = 'active' AND w.due_at <= :now"
    " AND (w.handed < coalesce((SELECT last FROM register_sequencer), 0) OR EXISTS ("
    "  SELECT FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.pending))"
    " ORDER BY w.due_at FOR UPDATE OF w SKIP LOCKED) RETURNING id"
)
"""The webhooks for which there is something to do now; who asks has them until `leased`."""
