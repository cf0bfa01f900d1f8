"""Two partners of the same programme, each with an officer, and a stranger."""

from datetime import timedelta

import pytest

from app.authz.actor import TraderRole, system_actor
from app.kernel.identifiers import Scheme
from app.traders.models import Trader
from app.verifications import queries, service, tasks
from app.verifications.models import Verification
from tests.factories.identity import make_person
from tests.factories.register import decide
from tests.factories.traders import actor_at, add_identifier, appoint_person, make_trader
from tests.traders.conftest import person_of, visit

__all__ = ["person_of", "visit"]
SYSTEM = system_actor("test")
NUMBER, ASKERS = "12-345678900", "98-765432100"


class Pair:
    """An asker and a holder; both are certified, and every step runs its jobs."""

    def __init__(self, work_as, clock, run_jobs, engine):
        self.work_as, self.clock, self.run_jobs, self.engine = work_as, clock, run_jobs, engine
        with work_as(SYSTEM) as work:
            self.people = {
                "asker": make_person(work, name="Ada Asker", email="ada@asker.example"),
                "holder": make_person(work, name="Hal Holder", email="hal@holder.example"),
            }
            self.viewer = make_person(work, name="Vera Viewer", email="vera@holder.example")
            made = {}
            for side, number in (("asker", ASKERS), ("holder", NUMBER)):
                trader = make_trader(work, self.people[side], name=f"{side.title()} Imports")
                add_identifier(work, trader, Scheme.IOR, number, verified=True)
                made[side] = trader.id
            holder = work.session.get_one(Trader, made["holder"])
            appoint_person(work, holder, self.people["holder"], self.viewer, TraderRole.VIEWER)
        self.asker_id, self.holder_id = made["asker"], made["holder"]
        for trader_id in made.values():
            decide(work_as, trader_id, "certify", tier=1)

    def actor(self, side):
        with self.work_as(SYSTEM) as work:
            return actor_at(work.session, self.people[side])

    def ask(self, number=NUMBER, scheme=Scheme.IOR):
        with self.work_as(self.actor("asker")) as work:
            trader = work.session.get_one(Trader, self.asker_id)
            found = service.ask(work, trader, key=work.new_id(), scheme=scheme, number=number)
        self.run_jobs()
        return found.id

    def consents(self):
        with self.work_as(SYSTEM) as work:
            return list(work.session.scalars(queries.consents_of(self.holder_id)))

    def act(self, side, verb, row):
        """One side does something, as itself and under its own row policies."""
        with self.work_as(self.actor(side)) as work:
            verb(work, work.session.get_one(type(row), row.id))
        self.run_jobs()

    def agreed(self):
        key = self.ask()
        [consent] = self.consents()
        self.act("holder", service.give, consent)
        return key

    def verification(self, key):
        with self.work_as(SYSTEM) as work:
            return work.session.get_one(Verification, key)

    def shown(self, key):
        """What the asker sees now, by the way that its page takes."""
        return queries.shown_now(self.engine, self.verification(key), self.clock.now())

    def later(self, **time):
        self.clock.advance(timedelta(**time))
        tasks.watch()
        self.run_jobs()


@pytest.fixture
def pair(app, work_as, clock, run_jobs, engine):
    del app
    return Pair(work_as, clock, run_jobs, engine)
