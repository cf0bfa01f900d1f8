"""The demonstration's story, from two years ago to now."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine, text

from app.config import Settings
from app.demo.accounts import ACCOUNTS
from app.demo.calendar import Calendar
from app.demo.cast import company_cast
from app.demo.plot import write
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.traces import deliver_letters, write_traces
from app.documents.files import equip_files
from app.facilitation.chance import Chance
from app.identity import service as identity
from app.kernel.clock import FixedClock
from app.traders.sealing import equip

BEGINS = 725


def tell(engine: Engine, settings: Settings, *, until: datetime) -> None:
    """Fill an empty database; every line is said by a service, so nothing is out of character."""
    equip(settings.secret_key)
    equip_files(settings)
    calendar = Calendar(until)
    with _without_collecting(), engine.connect() as connection:
        # A story that is lost can be told again, so no commit waits for the disk.
        connection.execute(text("SET synchronous_commit TO off"))
        connection.commit()  # house: one-commit - there is no request here.
        stage = Stage(connection, FixedClock(calendar.ago(BEGINS)), settings.address)
        _bring_in_the_people(stage)
        script = Script(calendar)
        cast = company_cast()
        write(script, cast)
        write_traces(script, cast, Chance(settings.secret_key or ""))
        script.play(stage)
        stage.clock.at = until
        deliver_letters(stage)
        # The connection must not come back to anybody in this state.
        connection.invalidate()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """The catalogues are large and never go; looking through them again and again takes long."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


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
