"""The demonstration's story, from two years ago to now."""

from datetime import datetime

from sqlalchemy import Engine

from app.config import Settings
from app.demo.accounts import ACCOUNTS
from app.demo.calendar import Calendar
from app.demo.cast import company_cast
from app.demo.plot import write
from app.demo.script import Script
from app.demo.stage import Stage
from app.documents.files import equip_files
from app.identity import service as identity
from app.kernel.clock import FixedClock
from app.traders.sealing import equip

BEGINS = 725


def tell(engine: Engine, settings: Settings, *, until: datetime) -> None:
    """Fill an empty database; every line is said by a service, so nothing is out of character."""
    equip(settings.secret_key)
    equip_files(settings)
    calendar = Calendar(until)
    stage = Stage(engine, FixedClock(calendar.ago(BEGINS)), settings.address)
    _bring_in_the_people(stage)
    script = Script(calendar)
    write(script, company_cast())
    script.play(stage)


def _bring_in_the_people(stage: Stage) -> None:
    with stage.work() as work:
        for account in ACCOUNTS:
            person = identity.add_person(
                work,
                name=account.name,
                email=account.email,
                password=None,
                roles=[account.agency_role] if account.agency_role else [],
            )
            stage.people[account.key] = person.id
