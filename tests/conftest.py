"""One PostgreSQL per run, one migrated database per worker, real commits, clean after each test.

Tests see the semantics of production: services commit, short transactions stay when the request is
rolled back, races are real. After a test, rows are deleted as the superuser, past the guards that
the tests themselves rely on.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as properties
from procrastinate.periodic import PeriodicRegistry
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

import app.tasks
from app import create_app
from app.authz.actor import Actor, system_actor
from app.config import Settings
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import (
    PARTS,
    BoundSession,
    Role,
    join,
    logins_of,
    make_engine,
    make_engines,
)
from app.jobs.queue import Bench, equip, queue, run_worker
from app.kernel.clock import FixedClock
from app.reactions import REACTIONS
from app.web.requests import FairwayApp
from app.work import Work
from tests.factories.identity import principal_of

# How long an example takes says how busy the machine is, so no property hangs on it; the first text
# of a fresh clone alone takes seconds. Everything else is as Hypothesis has it, also for CI.
properties.register_profile(
    "untimed", properties(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
properties.load_profile("untimed")

TEMPLATE = "template_fairway"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres", metavar="DIR", help="a server's binaries to use instead of the wheel's"
    )


def binaries(config: pytest.Config) -> Path | None:
    given = config.getoption("--postgres")
    return Path(given) if given else None


def pytest_configure(config: pytest.Config) -> None:
    """Start the one cluster in the controlling process; its workers find it by its folder."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="fairway-tests-"))
    os.chmod(folder, 0o755)  # noqa: S103, PTH101 - the server may run under another account.
    cluster = Cluster(folder / "cluster", fast=True, bin_dir=binaries(config))
    cluster.start()
    config.stash[CLUSTER] = cluster
    config.stash[FOLDER] = folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is still walking when the others are done."""
    longest = ("journeys", "demo", "status_api")
    items.sort(key=lambda item: not any(name in item.path.parts for name in longest))


CLUSTER = pytest.StashKey[Cluster]()
FOLDER = pytest.StashKey[Path]()


def pytest_configure_node(node) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    cluster = config.stash.get(CLUSTER, None)
    if cluster is not None:
        cluster.stop()
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of this run, the same for every worker."""
    workerinput = getattr(request.config, "workerinput", None)
    if workerinput is not None:
        return Path(workerinput["folder"])
    return request.config.stash[FOLDER]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, shared_folder: Path) -> Iterator[Cluster]:
    """The run's cluster; a worker joins it and leaves it running."""
    own = request.config.stash.get(CLUSTER, None)
    if own is not None:
        yield own
        return
    joined = Cluster(shared_folder / "cluster", fast=True, bin_dir=binaries(request.config))
    joined.start()
    yield joined
    joined.stop()


@pytest.fixture(scope="session")
def database(cluster: Cluster, shared_folder: Path) -> str:
    """The name of this worker's own migrated database."""
    with (shared_folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shared_folder / "template.done"
        if not done.exists():
            cluster.create_database(TEMPLATE)
            upgrade(cluster.owner_url(TEMPLATE))
            _let_tests_set_the_clock(cluster.owner_url(TEMPLATE))
            done.touch()
        name = "w_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
        cluster.create_database(name, template=TEMPLATE)
    return name


def _let_tests_set_the_clock(owner_url: str) -> None:
    """Row policies ask the database for the time; in tests it is the fixed clock's."""
    owner = create_engine(owner_url)
    with owner.begin() as connection:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION fairway_now() RETURNS timestamptz LANGUAGE sql STABLE"
                " AS $$ SELECT current_setting('test.now')::timestamptz $$"
            )
        )
    owner.dispose()


@pytest.fixture(scope="session")
def app_url(cluster: Cluster, database: str) -> str:
    return cluster.app_url(database)


@pytest.fixture(scope="session")
def super_engine(app_url: str) -> Iterator[Engine]:
    """The superuser's way in, for cleaning up and for proofs that need it; never the app's."""
    engine = create_engine(make_url(app_url).set(username="fairway_super"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def login_urls(app_url: str) -> dict[Role, str]:
    """By what address each role logs in, as the embedded database has it."""
    address = make_url(app_url)
    return {one: str(address.set(username=one.value)) for one in PARTS}


@pytest.fixture(scope="session")
def serving(login_urls: dict[Role, str], _clock: FixedClock) -> Iterator[Engine]:
    """What a process that serves holds: a login for each role, and none for commands."""
    engine = make_engines(login_urls)
    for one in logins_of(engine).values():
        tell_the_time(one, _clock)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _engine(app_url: str, serving: Engine, _clock: FixedClock) -> Iterator[Engine]:
    """The same logins, and that of an operator's commands, by which scenes are set."""
    engine = make_engine(app_url)
    tell_the_time(engine, _clock)
    for one in logins_of(serving).values():
        pass_on(one, engine)
    yield join({**logins_of(serving), Role.COMMAND: engine}, engine)
    engine.dispose()


def pass_on(engine: Engine, to: Engine) -> None:
    """Let who listens to `to`, as tests that count statements do, hear of this engine too."""
    for name in ("before_cursor_execute", "commit"):

        def heard(*arguments: object, name: str = name) -> None:
            getattr(to.dispatch, name)(*arguments)

        event.listen(engine, name, lambda *arguments, heard=heard: heard(*arguments))


def tell_the_time(engine: Engine, clock: FixedClock) -> None:
    """Let every transaction of the engine know what the tests' clock says."""

    @event.listens_for(engine, "begin")
    def tell(connection: Connection) -> None:
        dbapi = connection.connection.cursor()
        dbapi.execute("SELECT set_config('test.now', %s, true)", (clock.at.isoformat(),))
        dbapi.close()


CLEAN = """
DO $$
DECLARE
  name text;
  found boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
       OR schemaname = 'procrastinate' AND tablename LIKE 'procrastinate%'
  LOOP
    EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO found;
    IF found THEN
      EXECUTE 'DELETE FROM ' || name;
    END IF;
  END LOOP;
END $$
"""


@pytest.fixture
def engine(_engine: Engine, super_engine: Engine) -> Iterator[Engine]:
    """The application's engine on an empty, migrated database."""
    yield _engine
    with super_engine.begin() as connection:
        connection.execute(text(CLEAN))


@pytest.fixture
def clock(_clock: FixedClock) -> FixedClock:
    """A clock that stands at noon on 24 November 2026 until a test moves it."""
    _clock.at = NOON
    return _clock


@pytest.fixture(scope="session")
def _clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Demo settings with a home of the test run's own."""
    home = tmp_path_factory.mktemp("home")
    return Settings(
        home=home,
        keys_dir=home / "keys",
        files_url=f"file:{home / 'files'}",
        secret_key="a secret for tests only, long enough to sign with",
        demo=True,
    )


@pytest.fixture(scope="session")
def _app(_engine: Engine, serving: Engine, settings: Settings, _clock: FixedClock) -> FairwayApp:
    del _engine
    app = create_app("all", settings=settings, engine=serving, clock=_clock)
    app.testing = True
    return app


@pytest.fixture
def app(_app: FairwayApp, engine: Engine, clock: FixedClock) -> FairwayApp:
    """All three surfaces on an empty database."""
    del engine, clock
    return _app


@pytest.fixture
def client(app: FairwayApp) -> FlaskClient:
    return app.test_client()


WorkAs = Callable[[Actor], AbstractContextManager[Work]]


@pytest.fixture
def work_as(engine: Engine, clock: FixedClock) -> WorkAs:
    """`with work_as(actor) as work:` is one unit of work, committed at the end.

    A trader's person works with a real session of their own, under the same row policies as in
    the browser.
    """

    @contextmanager
    def begin(actor: Actor) -> Iterator[Work]:
        who = principal_of(engine, actor, clock.now())
        with BoundSession(engine, who) as session, session.begin():
            yield Work(session=session, actor=actor, now=clock.now(), reactions=REACTIONS)

    return begin


@pytest.fixture
def work(work_as: WorkAs) -> Iterator[Work]:
    """A unit of work of the system, for setting a scene."""
    with work_as(system_actor("test")) as opened:
        yield opened


@pytest.fixture
def run_jobs(
    login_urls: dict[Role, str],
    serving: Engine,
    engine: Engine,
    clock: FixedClock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], None]:
    """Run every job that is due, with the real worker, and return when none is left.

    Jobs of the wall clock stay out: with them a test would depend on the minute in which it runs.
    The worker has a thread of its own, because a browser's driver leaves an event loop running in
    the main thread of the whole test process.
    """
    del engine  # The database is clean.
    equip(Bench(engine=serving, clock=clock, settings=settings, reactions=REACTIONS))
    monkeypatch.setattr(queue, "periodic_registry", PeriodicRegistry())

    def run() -> None:
        with ThreadPoolExecutor(max_workers=1) as aside:
            aside.submit(run_worker, login_urls[Role.WORKER], wait=False, concurrency=1).result()

    return run
