"""Letters of the agency about a trader, to everyone who may sign for it."""

import uuid
from collections.abc import Iterable
from datetime import date

from app.identity.models import Person
from app.notifications.service import send
from app.traders.models import Trader
from app.work import Work


def to_officers(
    work: Work,
    officers: Iterable[Person],
    trader_id: uuid.UUID,
    template: str,
    **values: object,
) -> None:
    """Send the letter to each officer, in the transaction of the change that it tells of."""
    trader = work.session.get_one(Trader, trader_id)
    for officer in officers:
        send(
            work,
            to=officer.email,
            template=template,
            person_id=officer.id,
            name=officer.name,
            trader=trader.name,
            **values,
        )


def day_in_words(on: date) -> str:
    """A day as a letter writes it."""
    return f"{on.day} {on:%B %Y}"
