"""A minute of faults with a seed, and no partner trusted five seconds after its suspension.

`FAULT_SECONDS=600 FAULT_SEED=7 pytest tests/faults` runs longer, or the same again.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.authz.actor import system_actor
from app.cli.handover import HANDOVER, written
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import PARTS, BoundSession, Principal, make_engine
from app.identity.service import create_client, set_quota
from app.kernel.clock import SystemClock
from app.kernel.errors import DomainError
from app.reactions import REACTIONS
from app.register.models import RegisterSequencer
from app.status_api import register_map
from app.status_api.feeder import Feeder
from app.traders.sealing import equip
from app.work import Work
from tests.factories.register import decide, make_partner, suspend_urgently
from tests.faults.history import History, Read, Write, check
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("FAULT_SECONDS", "60"))
SEED = int(os.environ.get("FAULT_SEED", "20261124"))
PARTNERS = [f"12-34567{number:02}00" for number in range(6)]
READERS = 3
SECRET = "a secret for tests only, long enough to sign with"


class Site:
    """A host of its own: database, feeder and two workers as processes that can be harmed."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        # Durable: a server that is killed must not forget what it acknowledged, or the register
        # itself goes back and there is nothing to be judged.
        self.cluster = Cluster(folder / "postgres")
        self.cluster.start()
        upgrade(self.cluster.owner_url())
        self.url = self.cluster.app_url()
        self.engine = make_engine(self.url)
        names = {k: v for k, v in os.environ.items() if not k.startswith("FAIRWAY_")}
        self.environment = {
            **names,
            HANDOVER: written({one: self.cluster.url_of(one) for one in PARTS}, fed=True),
            "FAIRWAY_HOME": str(folder / "home"),
            "FAIRWAY_SECRET_KEY": SECRET,
            "FAIRWAY_SURFACE": "api",
            "FAIRWAY_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
        }
        python = sys.executable
        keeping = ROOT / "app" / "cli" / "keeping.py"
        self.log = (folder / "log").open("w")
        self.keeper = self.start(python, str(keeping), python, "-m", "app.cli", "feeder")
        self.server = self.start(
            *(python, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "2"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--respawn-failed-workers"),
            *("--log-level", "critical", "app.cli.wsgi:build"),
        )

    def start(self, *command):
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log
        )

    @property
    def feeder(self):
        """The feeder's process id now, 0 while there is none."""
        path = Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children")
        return int((path.read_text().split() or ["0"])[0])

    @contextmanager
    def work_as(self, actor):
        who = Principal(actor.principal)
        with BoundSession(self.engine, who) as session, session.begin():
            yield Work(session, actor, SystemClock().now(), reactions=REACTIONS)

    def super(self, statement):
        """Do something as the database's superuser."""
        facts = self.cluster.facts
        with psycopg.connect(
            host=str(facts.socket_dir), dbname="fairway", user="fairway_super", autocommit=True
        ) as connection:
            connection.execute(statement)

    def close(self):
        with suppress(ProcessLookupError):
            os.kill(self.feeder or self.keeper.pid, signal.SIGCONT)
        for one in (self.server, self.keeper):
            one.terminate()
        for one in (self.server, self.keeper):
            try:
                one.wait(timeout=15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self.engine.dispose()
        self.cluster.stop()
        self.log.close()


@pytest.fixture
def site():
    with tempfile.TemporaryDirectory(prefix="fairway-faults-") as folder:
        Path(folder).chmod(0o755)
        equip(SECRET)
        made = Site(Path(folder))
        yield made
        made.close()


class Nemesis:
    """Harms the site in turns, by a seeded chance, and puts it right again."""

    def __init__(self, site, chance):
        self.site, self.chance = site, chance
        self.done = []

    def strike(self):
        harms = (
            *(self.stop_feeder, self.kill_feeder, self.stop_feeder_while_killed),
            *(self.cut_connections, self.lose_notifications, self.restart_database),
        )
        harm = self.chance.choice(harms)
        self.done.append(harm.__name__)
        with suppress(ProcessLookupError, psycopg.OperationalError):
            harm()

    def stop_feeder(self):
        victim = self.site.feeder
        if victim:
            os.kill(victim, signal.SIGSTOP)
            time.sleep(self.chance.uniform(0.5, 9))
            os.kill(victim, signal.SIGCONT)

    def kill_feeder(self):
        victim = self.site.feeder
        if victim:
            os.kill(victim, signal.SIGKILL)
            time.sleep(self.chance.uniform(0, 2))

    def stop_feeder_while_killed(self):
        """Its keeper is stopped as well, so nobody begins another for a while."""
        self.site.keeper.send_signal(signal.SIGSTOP)
        self.kill_feeder()
        time.sleep(self.chance.uniform(1, 8))
        self.site.keeper.send_signal(signal.SIGCONT)

    def cut_connections(self):
        self.site.super(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename LIKE 'fairway_%' AND pid <> pg_backend_pid()"
        )

    def lose_notifications(self):
        tables = ("register_change", "api_client", "client_credential", "token_denial")
        for one in tables:
            self.site.super(f"ALTER TABLE {one} DISABLE TRIGGER tell_feeders")
        time.sleep(self.chance.uniform(1, 4))
        for one in tables:
            self.site.super(f"ALTER TABLE {one} ENABLE TRIGGER tell_feeders")

    def restart_database(self):
        pid_file = self.site.cluster.facts.data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        time.sleep(self.chance.uniform(0, 1.5))
        self.site.cluster.start()


def write_on(site, history, stop, chance, acknowledged):
    """Suspend and reinstate by turns; whatever fails has an unknown end until it is looked up."""
    partners = dict.fromkeys(PARTNERS)
    for value in PARTNERS:
        partners[value] = make_partner(site.work_as, f"ior:{value}", tier=2)
    active = dict.fromkeys(PARTNERS, True)
    acknowledged.append(0)
    while not stop.is_set():
        value = chance.choice(PARTNERS)
        grants = not active[value]
        began = time.monotonic()
        ended, seq = None, None
        try:
            if grants:
                decide(site.work_as, partners[value], "reinstate")
            else:
                suspend_urgently(site.work_as, partners[value])
            ended = time.monotonic()
            active[value] = grants
            with site.work_as(system_actor("test")) as work:
                seq = work.session.scalars(select(RegisterSequencer.last)).one()
            acknowledged.append(seq)
        except (SQLAlchemyError, DomainError):
            # A determination that was proposed and not signed also stands in the way of another.
            found = settled(site, partners[value], stop)
            # Looked up, it is known: a suspension that holds is acknowledged by that, and what a
            # reinstatement did it has done.
            if found is not None:
                active[value] = found
                ended = time.monotonic() if grants or not found else None
        history.writes.append(Write(value, grants, began, ended, seq))
        stop.wait(chance.uniform(0.05, 0.4))


def settled(site, trader_id, stop):
    """Whether the partner is active, asked until the database answers.

    The sequencer's row is taken first: a commit whose answer was lost may still be on its way, and
    what is read before it would be called the truth for good.
    """
    from app.register.queries import standing_of  # noqa: PLC0415

    while not stop.is_set():
        try:
            with site.work_as(system_actor("test")) as work:
                work.session.scalars(select(RegisterSequencer.last).with_for_update()).one()
                found = standing_of(
                    work.session, trader_id, "security", valid_at=SystemClock().now()
                )
        except SQLAlchemyError:
            time.sleep(0.1)
        else:
            return found is not None and found.status.value in {"certified", "validated"}
    return None


def read_on(site, history, stop, number, token, acknowledged):
    """Ask again and again on one connection; each third time for at least what was acknowledged."""
    chance, asked = random.Random(SEED + number), 0  # noqa: S311 - seeded on purpose.
    connection = None
    while not stop.is_set():
        asked += 1
        value = chance.choice(PARTNERS)
        wanted = acknowledged[-1] if asked % 3 == 0 else 0
        path = f"/api/v1/partners/ior/{value}/status" + (f"?min_seq={wanted}" if wanted else "")
        began = time.monotonic()
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            body = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(0.05)
            continue
        ended = time.monotonic()
        said = (
            (body["answer"], body["seq"])
            if response.status == 200
            else (str(response.status), None)
        )
        history.reads.append(Read(number, value, began, ended, said[0], said[1], wanted))
        time.sleep(0.002)
    if connection is not None:
        connection.close()


def token_of(site):
    with site.work_as(system_actor("test")) as work:
        row, secret = create_client(work, name="Release", scopes=["status:read"])
        set_quota(work, row, per_minute=10**6, per_day=10**8)
        name = row.client_id
    for _ in range(200):
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
            connection.request(
                "POST",
                "/oauth/token",
                body="grant_type=client_credentials",
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Authorization": "Basic " + basic(name, secret),
                },
            )
            response = connection.getresponse()
            body = response.read()
            connection.close()
            if response.status == 200:
                return json.loads(body)["access_token"]
        time.sleep(0.2)
    raise AssertionError((site.folder / "log").read_text()[-4000:])


def basic(name, secret):
    from base64 import b64encode  # noqa: PLC0415

    return b64encode(f"{name}:{secret}".encode()).decode()


def test_no_partner_is_trusted_five_seconds_after_its_suspension(site):
    chance = random.Random(SEED)  # noqa: S311 - seeded on purpose.
    history, stop, acknowledged = History(), threading.Event(), []
    token = token_of(site)
    nemesis = Nemesis(site, chance)
    writer = threading.Thread(
        target=write_on,
        args=(site, history, stop, random.Random(SEED + 99), acknowledged),  # noqa: S311
    )
    writer.start()
    while not acknowledged:
        time.sleep(0.1)
        assert writer.is_alive()
    readers = [
        threading.Thread(target=read_on, args=(site, history, stop, one, token, acknowledged))
        for one in range(READERS)
    ]
    for one in readers:
        one.start()
    ends = time.monotonic() + SECONDS
    try:
        while time.monotonic() < ends:
            time.sleep(chance.uniform(0.3, 2))
            nemesis.strike()
            if time.monotonic() > ends - 0.1:
                break
        # Put right, it serves again: refusing for ever would keep the promise as well.
        healed = time.monotonic()
        while not any(one.began > healed and one.seq is not None for one in history.reads[-200:]):
            assert time.monotonic() < healed + 30, "it never served again"
            time.sleep(0.2)
    finally:
        stop.set()
        for one in (writer, *readers):
            one.join()
    told = [one.answer for one in history.reads]
    counts = {one: told.count(one) for one in sorted(set(told))}
    print(f"seed {SEED}, {SECONDS:.0f} s: {len(history.writes)} writes, reads {counts}")  # noqa: T201
    print("harm:", {one: nemesis.done.count(one) for one in sorted(set(nemesis.done))})  # noqa: T201
    assert check(history) == []
    assert counts["active"] > 20
    assert counts["not_active"] > 20
    assert len(history.writes) > 10


def test_the_checker_finds_a_worker_that_trusts_for_ever(
    engine, app, clock, tmp_path, work_as, monkeypatch
):
    """The planted fault: a reader for which no heartbeat is too old, and a feeder that stopped."""
    from app.kernel.identifiers import Scheme, parse  # noqa: PLC0415
    from app.status_api.answering import from_map  # noqa: PLC0415

    partner = make_partner(work_as, "ior:12-345678900")
    feeder = Feeder(engine, tmp_path / "map", clock=clock)
    feeder.turn()
    history = History()

    def look():
        began = time.monotonic()
        try:
            found = from_map(reader, parse(Scheme.IOR, "12-345678900"), now=clock.now())
            answer, seq = found.answer, found.seq
        except register_map.StaleMapError:
            answer, seq = "503", None
        history.reads.append(Read(0, "p", began, time.monotonic(), answer, seq))

    reader = register_map.MapReader(tmp_path / "map")
    began = time.monotonic()
    suspend_urgently(work_as, partner)
    history.writes.append(Write("p", grants=False, began=began, ended=time.monotonic()))
    look()
    time.sleep(5.2)
    look()
    assert [one.answer for one in history.reads] == ["active", "503"]
    assert check(history) == []
    monkeypatch.setattr(register_map, "FRESH_NS", 10**18)
    look()
    assert len(check(history)) == 1
    feeder.close()
