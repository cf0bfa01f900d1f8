"""Who is told of a succession: everybody who signs or prepares for the trader, and its address.

A letter names the officers and no person of the agency. It goes out with the proposal already: an
officer who is still there must be able to object before the second signature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.audit.tags import EventTag
from app.authz.actor import TraderRole
from app.identity.models import Person
from app.notifications.service import send
from app.successions.models import Succession
from app.successions.wording import GROUNDS
from app.traders.models import Trader
from app.traders.queries import contacts_of, people_with
from app.work import Work


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a letter goes."""

    name: str
    email: str
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Subject line, what happened, and what to do."""

    subject: str
    happened: str
    advice: str


OBJECT = "If this is wrong, tell the agency at once and name the reference."
TOLD: Final[Mapping[str, Told]] = {
    EventTag.SUCCESSION_PROPOSED: Told(
        "A new officer is proposed",
        "At the agency somebody has proposed to appoint a new officer for the company, in the place"
        " of the officers before. Nothing has changed yet: a second person has to approve it.",
        OBJECT,
    ),
    EventTag.SUCCESSION_APPROVED: Told(
        "The agency has appointed a new officer",
        "Two people of the agency have decided it. The officers before can no longer sign or submit"
        " for the company, and were signed out everywhere. The new officer is invited by mail.",
        OBJECT,
    ),
    EventTag.SUCCESSION_DECLINED: Told(
        "No new officer is appointed",
        "The agency has declined the proposal. Nothing has changed.",
        "There is nothing to do.",
    ),
    EventTag.SUCCESSION_WITHDRAWN: Told(
        "No new officer is appointed",
        "The proposal was taken back. Nothing has changed.",
        "There is nothing to do.",
    ),
}


def recipients(work: Work, trader: Trader, leaving: Iterable[Person]) -> Sequence[Recipient]:
    """The officers who are to go, who signs and prepares, the primary contact; each address once."""
    found: dict[str, Recipient] = {}
    staying = people_with(work.session, trader.id, (TraderRole.OFFICER, TraderRole.PREPARER))
    for person in (*leaving, *staying):
        found.setdefault(person.email.lower(), Recipient(person.name, person.email, person))
    for contact in work.session.scalars(contacts_of(trader.id)):
        if contact.is_primary:
            found.setdefault(contact.email.lower(), Recipient(contact.name, contact.email))
    return tuple(found.values())


def tell(
    work: Work,
    succession: Succession,
    tag: EventTag,
    trader: Trader,
    leaving: Sequence[Person],
    to: Iterable[Recipient],
) -> None:
    """Write to each recipient, in the transaction of the change. No event: the change has its own."""
    told = TOLD[tag]
    for one in to:
        send(
            work,
            to=one.email,
            template="succession",
            person_id=None if one.person is None else one.person.id,
            name=one.name,
            subject=told.subject,
            happened=told.happened,
            advice=told.advice,
            trader=trader.name,
            trader_id=trader.id,
            reference=succession.reference,
            before=", ".join(person.name for person in leaving) or "nobody",
            ground=GROUNDS[succession.ground],
            after=succession.officer_name,
        )
