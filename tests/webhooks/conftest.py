"""The job worker's tools, a webhook to a receiver on this machine, and changes of the register."""

from datetime import timedelta

import pytest

from app.authz.actor import AgencyRole, system_actor
from app.door.purposes import webhooks as place_of
from app.jobs.queue import Bench, equip
from app.kernel.ids import new_id
from app.reactions import REACTIONS
from app.register.ledger import ChangeKind, next_change
from app.webhooks import queries, service, tasks
from app.webhooks.models import Webhook
from app.webhooks.sealing import KeySeal
from app.webhooks.signing import public_text
from tests.factories.identity import make_person
from tests.factories.register import make_trader
from tests.webhooks.receiver import Receiver, listening

SYSTEM = system_actor("test")


class Stage:
    """A webhook and its worker; nothing runs of itself, the clock least of all."""

    def __init__(self, work_as, clock, settings, run_jobs):
        self.work_as, self.clock, self.settings, self.run_jobs = work_as, clock, settings, run_jobs
        self.seal = KeySeal(settings.secret_key)
        self.trader_id = make_trader(work_as)
        self.receiver = Receiver(lambda: clock.now().timestamp())

    def register(self, address, name="Release system"):
        with self.work_as(SYSTEM) as work:
            webhook = service.register_webhook(
                work,
                name=name,
                address=address,
                place=place_of(self.settings),
                seal=self.seal,
                key=new_id(),
            )
            self.receiver.keys = self.keys(work.session, webhook.id)
            return webhook.id

    @staticmethod
    def keys(session, webhook_id):
        return [public_text(one.public_key) for one in queries.keys_of(session, webhook_id)]

    def change(self, times=1, trader_id=None):
        """Register changes, as any determination makes them."""
        with self.work_as(SYSTEM) as work:
            for _ in range(times):
                next_change(
                    work.session, trader_id or self.trader_id, ChangeKind.STANDING, self.clock.now()
                )

    def turn(self):
        """One look of the worker's, and the jobs that come of it."""
        due = tasks.dispatch()
        if due:
            self.run_jobs()
        return due

    def turn_when_due(self, webhook_id):
        """Wait until the webhook is due, and run its job at that instant."""
        due_at = self.webhook(webhook_id).due_at
        self.clock.at = max(self.clock.at, due_at)
        with self.work_as(SYSTEM) as work:
            found = service.lease_due(work)
        for key in found:
            tasks.deliver(webhook_id=str(key))
        return found

    def settle(self, seconds=0):
        """A second at a time: a look, and its jobs; `seconds` at most, or one look."""
        for _ in range(seconds + 1):
            self.turn()
            if seconds:
                self.clock.advance(timedelta(seconds=1))

    def webhook(self, webhook_id):
        with self.work_as(SYSTEM) as work:
            return work.session.get_one(Webhook, webhook_id)

    def truth(self):
        """What the register itself says has changed since the webhook came into being."""
        with self.work_as(SYSTEM) as work:
            found = queries.changes_after(work.session, 0, limit=100_000)
            return {seq: str(whom) for seq, whom in found}


@pytest.fixture
def stage(app, engine, work_as, clock, settings, run_jobs):
    del app
    equip(Bench(engine=engine, clock=clock, settings=settings, reactions=REACTIONS))
    return Stage(work_as, clock, settings, run_jobs)


@pytest.fixture
def receiving(stage):
    """A receiver that listens, and the id of its webhook."""
    with listening(stage.receiver) as address:
        yield stage.receiver, stage.register(address)


@pytest.fixture
def managers(work_as):
    with work_as(SYSTEM) as work:
        return make_person(
            work,
            name="Pia Manager",
            email="pia@agency.example",
            roles=[AgencyRole.PROGRAMME_MANAGER],
        )
