"""The letters about webhooks: every programme manager answers for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.audit.tags import EventTag
from app.authz.actor import ActorKind, AgencyRole
from app.identity import queries
from app.notifications.service import send
from app.webhooks.models import Webhook
from app.work import Work

ITSELF: Final = "Fairway"


@dataclass(frozen=True, slots=True)
class Told:
    """Subject line, what happened, and what the reader can do."""

    subject: str
    happened: str
    advice: str


NOT_YOU: Final = (
    "If nobody of yours wanted this, remove the webhook at once on its page in Fairway, and look"
    " through the people who may register programs."
)
TOLD: Final[Mapping[EventTag, Told]] = {
    EventTag.WEBHOOK_REGISTERED: Told(
        "New webhook",
        "An address was registered that is told whenever the register changes.",
        NOT_YOU,
    ),
    EventTag.WEBHOOK_KEY_RENEWED: Told(
        "New key of a webhook",
        "Deliveries are signed with a new key from now on. Its public half is on the webhook's page:"
        " give it to the receiver before the key before it ends.",
        NOT_YOU,
    ),
    EventTag.WEBHOOK_PARKED: Told(
        "A webhook is parked",
        "The receiver has taken nothing for three days, or said that it is gone. Nothing is sent any"
        " more. No change is lost: whoever asks for the feed of changes finds them all.",
        "Put the receiver right, then resume the webhook on its page.",
    ),
    EventTag.WEBHOOK_RESUMED: Told(
        "A webhook is resumed",
        "The receiver is told again, beginning with what it has not taken.",
        NOT_YOU,
    ),
    EventTag.WEBHOOK_REMOVED: Told(
        "A webhook was removed",
        "Nothing is sent to this address any more, and its keys are gone.",
        "If it is still needed, register it again.",
    ),
}


def tell(work: Work, webhook: Webhook, tag: EventTag) -> None:
    """Write to each programme manager, in the transaction of the change. No event of its own."""
    told = TOLD[tag]
    for person in queries.staff_with(work.session, AgencyRole.PROGRAMME_MANAGER):
        send(
            work,
            to=person.email,
            template="webhook",
            person_id=person.id,
            name=person.name,
            subject=told.subject,
            happened=told.happened,
            advice=told.advice,
            webhook=webhook.name,
            address=webhook.address,
            path=f"/console/webhooks/{webhook.id}",
            at=f"{work.now.day} {work.now:%B %Y, %H:%M} UTC",
            by=work.actor.name if work.actor.kind is ActorKind.PERSON else ITSELF,
        )
