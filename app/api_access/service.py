"""The letters about API clients."""

from datetime import datetime

from app.api_access.rules import TOLD, UNTIL
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import ActorKind, AgencyRole
from app.identity import queries
from app.identity.models import ApiClient
from app.notifications.service import send
from app.traders.models import Trader
from app.traders.queries import officers_of
from app.work import Work

AGENCY = "the agency"
ITSELF = "Fairway"


def tell_of_client(work: Work, event: AuditEvent, client: ApiClient) -> None:
    """Write to everybody who answers for a client that something about it has changed.

    For a trader's client that is each officer, for the agency's each programme manager. Only
    letters; the change has its own event.
    """
    tag = EventTag(event.tag)
    told = TOLD[tag]
    if client.trader_id is None:
        owner, people = AGENCY, queries.staff_with(work.session, AgencyRole.PROGRAMME_MANAGER)
        path = f"/console/api-clients/{client.id}"
    else:
        trader = work.session.get(Trader, client.trader_id)
        owner = "" if trader is None else trader.name
        people = officers_of(work.session, client.trader_id)
        path = f"/traders/{client.trader_id}/api-access/{client.id}"
    until = event.data.get(UNTIL.get(tag, ""))
    for person in people:
        send(
            work,
            to=person.email,
            template="api-client",
            person_id=person.id,
            name=person.name,
            subject=told.subject,
            happened=told.happened % {"until": _instant(until, work.now)},
            advice=told.advice,
            client=client.name,
            client_id=client.client_id,
            path=path,
            owner=owner,
            at=_in_words(work.now),
            by=work.actor.name if work.actor.kind is ActorKind.PERSON else ITSELF,
        )


def _instant(kept: object, now: datetime) -> str:
    """The instant that the event names; one that is now already is past by the time of reading."""
    at = datetime.fromisoformat(kept) if isinstance(kept, str) else now
    return _in_words(at) if at > now else "now"


def _in_words(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
