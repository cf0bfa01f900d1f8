"""Server and database killed with signal 9 while somebody writes: what was called saved is there."""

import http.client
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app import create_app
from app.assessments import queries
from app.authz.actor import system_actor
from app.cli.handover import HANDOVER, written
from app.config import Settings
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import PARTS, BoundSession, Principal, make_engine
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS
from app.work import Work
from tests.factories.assessments import make_assessment
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret for tests only, long enough to sign with"
KILLS = 5
QUESTION = "q.1.1.1"


class Site:
    """A portal as processes of their own, and one preparer's session in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.cluster = Cluster(folder / "postgres")
        self.cluster.start()
        upgrade(self.cluster.owner_url())
        self.engine = make_engine(self.cluster.app_url())
        self.log = (folder / "log").open("w")
        home = folder / "home"
        home.mkdir()
        settings = Settings(home=home, keys_dir=home / "keys", secret_key=SECRET)
        app = create_app("portal", settings=settings, engine=self.engine)
        with self.work() as work:
            preparer = make_person(work, name="Pat Quay")
            assessment = make_assessment(work, make_trader(work, preparer))
            self.assessment_id = assessment.id
            self.page = f"/traders/{assessment.trader_id}/assessments/{assessment.id}/sections/1"
        client = app.test_client()
        sign_in(client, preparer)
        name = app.config["SESSION_COOKIE_NAME"]
        self.cookie = f"{name}={client.get_cookie(name).value}"
        html = client.get(self.page).text
        self.form = {
            one: re.search(f'name="{one}" value="([^"]*)"', html)[1]
            for one in ("csrf_token", "version", "page_key")
        }
        self.serve()

    def work(self):
        return _Working(self.engine)

    def serve(self) -> None:
        names = {k: v for k, v in os.environ.items() if not k.startswith("FAIRWAY_")}
        self.server = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"),
                *("--workers", "1", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--log-level", "critical", "app.cli.wsgi:build"),
            ],
            cwd=ROOT,
            env={
                **names,
                HANDOVER: written({one: self.cluster.url_of(one) for one in PARTS}),
                "FAIRWAY_HOME": str(self.folder / "home"),
                "FAIRWAY_SECRET_KEY": SECRET,
                "FAIRWAY_SURFACE": "portal",
                "FAIRWAY_PUBLIC_URL": f"http://localhost:{self.port}",
            },
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def kill_server(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def kill_database(self) -> None:
        pid_file = self.cluster.facts.data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        self.engine.dispose()
        self.cluster.start()

    def close(self) -> None:
        self.kill_server()
        self.engine.dispose()
        self.cluster.stop()
        self.log.close()


class _Working:
    def __init__(self, engine) -> None:
        actor = system_actor("test")
        self.session = BoundSession(engine, Principal(actor.principal))
        self.made = Work(self.session, actor, SystemClock().now(), reactions=REACTIONS)

    def __enter__(self) -> Work:
        self.begun = self.session.begin()
        self.begun.__enter__()
        return self.made

    def __exit__(self, *error) -> None:
        self.begun.__exit__(*error)
        self.session.close()


@pytest.fixture
def site():
    with tempfile.TemporaryDirectory(prefix="fairway-faults-") as folder:
        Path(folder).chmod(0o755)
        made = Site(Path(folder))
        try:
            yield made
        finally:
            made.close()


def type_on(site: Site, stop: threading.Event, sent: list[str], saved: list[str]) -> None:
    """What the page's script does: one background save after the other, tried again when lost."""
    number = 0
    while not stop.is_set():
        number += 1
        text = f"Version {number} of what we do."
        sent.append(text)
        body = urlencode({**site.form, f"{QUESTION}.how_met": text})
        connection = http.client.HTTPConnection("localhost", site.port, timeout=10)
        try:
            connection.request(
                "POST",
                f"{site.page}/save?criterion=1.1",
                body,
                {
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Cookie": site.cookie,
                    "HX-Request": "true",
                    "HX-Request-Type": "partial",
                    "Origin": f"http://localhost:{site.port}",
                },
            )
            answer = connection.getresponse()
            told = answer.read().decode()
            # The words beside the button are the promise.
            if answer.status == 200 and "Saved" in told:
                saved.append(text)
            elif answer.status < 500:
                saved.append(f"refused {answer.status}: {told[:200]}")
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()


def test_no_acknowledged_word_is_lost_when_server_and_database_are_killed(site):
    chance = random.Random(20261124)  # noqa: S311 - when to kill, not a secret.
    stop = threading.Event()
    sent: list[str] = []
    saved: list[str] = []
    typing = threading.Thread(target=type_on, args=(site, stop, sent, saved))
    typing.start()
    try:
        for number in range(KILLS):
            before, deadline = len(saved), time.monotonic() + 120
            while len(saved) < before + 3:
                assert time.monotonic() < deadline, (site.folder / "log").read_text()[-2000:]
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 0.2))
            if number % 2:
                site.kill_database()
            else:
                site.kill_server()
                site.serve()
        before, deadline = len(saved), time.monotonic() + 120
        while len(saved) < before + 3:
            assert time.monotonic() < deadline, (site.folder / "log").read_text()[-2000:]
            time.sleep(0.02)
    finally:
        stop.set()
        typing.join(30)
    assert [one for one in saved if one.startswith("refused")] == []
    with site.work() as work:
        kept = [
            one.how_met for one in queries.history_of(work.session, site.assessment_id, [QUESTION])
        ]
        present = queries.contents_of(work.session, site.assessment_id)[QUESTION].how_met
    assert set(saved) <= set(kept)
    assert len(kept) == len(set(kept))
    # In the order in which they were written; what stands is the last that was called saved or a later one.
    assert kept == [one for one in sent if one in kept]
    assert sent.index(present) >= sent.index(saved[-1])
    # Requests were really cut off in the middle, or nothing was tried here.
    lost = len(sent) - len(saved)
    assert lost >= 1
