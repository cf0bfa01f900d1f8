"""The letters about delegations: who is told what when one is offered, asked for, agreed or ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.audit.tags import EventTag
from app.delegations.models import Delegation
from app.delegations.wording import SCOPE_NAMES
from app.delegations.workflow import Side
from app.notifications.service import send
from app.traders.queries import officers_of
from app.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """Subject line, what happened, and what each side can do; `None` for a side that is not told."""

    subject: str
    happened: str
    to_trader: str | None
    to_broker: str | None

    def advice(self, side: Side) -> str | None:
        return self.to_trader if side is Side.TRADER else self.to_broker


NOT_YOURS = "If nobody of yours wanted this, end it at once: in Fairway, under “Who acts for us”."
TOLD: Final[Mapping[EventTag, Told]] = {
    EventTag.DELEGATION_OFFERED: Told(
        "A delegation was offered",
        "The company offers the broker to act for it. Until an officer of the broker accepts,"
        " nobody there can.",
        NOT_YOURS,
        "Accept or decline it in Fairway, under “Our clients”.",
    ),
    EventTag.DELEGATION_ASKED: Told(
        "A broker asks to act for you",
        "The broker asks to act for the company. Until an officer of the company accepts, nobody"
        " there can.",
        "Accept or decline it in Fairway, under “Who acts for us”. If you do not know the broker,"
        " decline.",
        # Whether there is such a client, the asker is told by nothing.
        None,
    ),
    EventTag.DELEGATION_ACCEPTED: Told(
        "A delegation is agreed",
        "Both sides consent. From the first day on the broker's people can act for the company.",
        NOT_YOURS,
        "Your people find the client in Fairway, under “Our clients”. Either side can end it.",
    ),
    EventTag.DELEGATION_DECLINED: Told(
        "A delegation was declined",
        "It was declined and gave nobody anything.",
        "There is nothing to do.",
        "There is nothing to do.",
    ),
    EventTag.DELEGATION_REVOKED: Told(
        "A delegation has ended",
        "It was ended and took effect at once. Nobody of the broker can act for the company under"
        " it any more. What was filed before stays filed.",
        "There is nothing to do.",
        "There is nothing to do. What you had begun for the client stays with the client.",
    ),
}


def sites_in_words(names: Sequence[str]) -> str:
    """The sites, as a letter names them."""
    return "; ".join(names) or "all sites of the company"


def tell(work: Work, delegation: Delegation, tag: EventTag) -> None:
    """Write to every officer of both sides, as far as a side is told of this.

    Letters alone; the change has its own event. A letter names companies and no person, since
    neither side is shown the other's people.
    """
    told = TOLD[tag]
    for side, trader_id in (
        (Side.TRADER, delegation.trader_id),
        (Side.BROKER, delegation.broker_id),
    ):
        advice = told.advice(side)
        if advice is None:
            continue
        for person in officers_of(work.session, trader_id):
            send(
                work,
                to=person.email,
                template="delegation",
                person_id=person.id,
                name=person.name,
                subject=told.subject,
                happened=told.happened,
                advice=advice,
                trader=delegation.trader_name,
                broker=delegation.broker_name,
                scopes="; ".join(
                    str(name) for one, name in SCOPE_NAMES.items() if one in delegation.scope_set
                ),
                side_id=trader_id,
                delegation_id=delegation.id,
                sites=sites_in_words(delegation.site_names),
                first_day=f"{delegation.valid_from:%-d %B %Y}",
                last_day=f"{delegation.last_day:%-d %B %Y}",
            )
