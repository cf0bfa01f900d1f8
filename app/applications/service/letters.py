"""Letters about an application, to everyone who may sign for the trader."""

from datetime import date, datetime

from app.applications import queries
from app.applications.models import Application
from app.notifications.service import send
from app.register.programme import PROGRAMMES
from app.traders.models import Trader
from app.work import Work


def to_officers(work: Work, application: Application, template: str, **values: object) -> None:
    """Send the letter to each officer of the trader, in the transaction of the change."""
    trader = work.session.get_one(Trader, application.trader_id)
    for officer in queries.officers_of(work.session, application.trader_id):
        send(
            work,
            to=officer.email,
            template=template,
            person_id=officer.id,
            name=officer.name,
            trader=trader.name,
            reference=application.reference,
            programme=PROGRAMMES[application.programme].name,
            **values,
        )


def day_in_words(on: date | datetime) -> str:
    """A day as a letter writes it."""
    return f"{on.day} {on:%B %Y}"
