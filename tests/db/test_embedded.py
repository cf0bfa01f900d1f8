"""The supervisor under every accident that its predecessors did not survive (ADR 0006).

Each scenario runs in processes of its own.  Where the suite runs as root they run as root and once
more as an ordinary user; an ordinary user's suite can only run them as itself.
"""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app.db.embedded import APP, OWNER, Cluster
from app.db.embedded.account import Account
from app.db.embedded.binaries import DEBIAN, installed, runnable
from app.db.embedded.locks import Lock

ROOT = Path(__file__).resolve().parents[2]
ME = pwd.getpwuid(os.geteuid()).pw_name
PERSONS = ("root", "nobody") if os.geteuid() == 0 else (ME,)
SECONDS = 60.0


class User:
    """One process that uses a cluster."""

    def __init__(self, person: str, folder: Path, **options: object) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.db.cluster_process"),
                *(person, str(folder), json.dumps(options, default=str)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, verb: str, *arguments: str) -> None:
        self._process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict:
        line = self._process.stdout.readline()
        assert line, "the process ended instead of answering"
        return json.loads(line)

    def tell(self, verb: str, *arguments: str):
        self.begin(verb, *arguments)
        answer = self.answer()
        assert "ok" in answer, answer
        return answer["ok"]

    def refused(self, verb: str, *arguments: str) -> str:
        self.begin(verb, *arguments)
        answer = self.answer()
        assert "ClusterError" in answer, answer
        return answer["ClusterError"]

    def rows(self, role: str, statement: str, database: str = "fairway") -> list[list[str]]:
        return self.tell("query", role, database, statement)

    def leave(self) -> None:
        """End in the ordinary way; the interpreter's exit hooks run."""
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(SECONDS) == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        self._process.stdin.close()
        self._process.stdout.close()

    def ended(self) -> bool:
        return self._process.poll() is not None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may pass through; pytest's own is closed to root's server account."""
    made = Path(tempfile.mkdtemp(prefix="fairway-embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


BOTH = pytest.mark.parametrize("person", PERSONS, indirect=True)


@pytest.fixture
def person(request: pytest.FixtureRequest) -> str:
    """Who uses the cluster: each of PERSONS where a test says BOTH, else whoever runs the suite."""
    return getattr(request, "param", ME)


@pytest.fixture
def home(folder: Path, person: str) -> Path:
    """The person's own folder, as FAIRWAY_HOME is."""
    made = folder / "home"
    made.mkdir(mode=0o755)
    entry = pwd.getpwnam(person)
    os.chown(made, entry.pw_uid, entry.pw_gid)
    return made


Join = Callable[..., User]


@pytest.fixture
def join(folder: Path, home: Path, person: str) -> Iterator[Join]:
    """Make users of the cluster in `home`; whatever a failed test leaves is ended."""
    entry = pwd.getpwnam(person)
    # A checkout under /root is closed to the ordinary person, who would have their own.
    programs = runnable(installed(), Account(person, entry.pw_uid, entry.pw_gid), folder)
    users: list[User] = []

    def make(place: Path = home / "postgres", *, person: str = person, **options: object) -> User:
        users.append(User(person, place, **{"bin_dir": programs, **options}))
        return users[-1]

    yield make
    for user in users:
        if not user.ended():
            user.leave()


def postmaster(data: str | Path) -> int | None:
    with suppress(FileNotFoundError):
        pid = int((Path(data) / "postmaster.pid").read_text().split("\n")[0])
        return pid if alive(pid) else None
    return None


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def family(pid: int) -> list[int]:
    """The process and its children."""
    found = [pid]
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{pid}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def modes(path: Path) -> dict[Path, int]:
    return {each: stat.S_IMODE(each.stat().st_mode) for each in (path, *path.parents)}


@BOTH
def test_the_first_starts_of_four_processes_make_one_cluster(join: Join, home: Path) -> None:
    users = [join(fast=True) for _ in range(4)]
    for user in users:
        user.begin("start")
    facts = [user.answer()["ok"] for user in users]
    assert [each["started_here"] for each in facts].count("True") == 1
    identifiers = {
        user.rows("app", "SELECT system_identifier FROM pg_control_system()")[0][0]
        for user in users
    }
    assert len(identifiers) == 1
    owner = [each["started_here"] for each in facts].index("True")
    data = facts[0]["data"]
    for place, user in enumerate(users):
        if place != owner:
            user.leave()
            assert postmaster(data) is not None, "a guest stopped the server"
    assert not Lock(home / "postgres" / "server.lock").free(), "the server does not hold its lock"
    users[owner].leave()
    assert postmaster(data) is None
    assert Lock(home / "postgres" / "server.lock").free()


@BOTH
def test_no_committed_row_is_lost_when_server_and_program_are_killed(join: Join) -> None:
    user = join()
    data = user.tell("start")["data"]
    user.rows("owner", "CREATE TABLE note (id int PRIMARY KEY)")
    user.rows("owner", "INSERT INTO note SELECT generate_series(1, 1000)")

    # The server alone: the same process starts it again, and remains its owner.
    os.kill(postmaster(data), signal.SIGKILL)
    assert user.tell("start")["started_here"] == "True"
    assert user.rows("owner", "SELECT count(*) FROM note") == [["1000"]]
    user.rows("owner", "INSERT INTO note VALUES (1001)")

    # All of it at once, as when the machine's memory runs out.
    victims = family(postmaster(data))
    assert len(victims) > 3
    user.kill()
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    heir = join()
    assert heir.tell("start")["started_here"] == "True"
    assert heir.rows("owner", "SELECT count(*) FROM note") == [["1001"]]
    heir.leave()
    assert postmaster(data) is None


def test_a_server_whose_owner_was_killed_is_stopped_by_the_last_one_out(join: Join) -> None:
    owner = join(fast=True)
    data = owner.tell("start")["data"]
    owner.kill()
    assert postmaster(data) is not None
    first, last = join(fast=True), join(fast=True)
    assert first.tell("start")["started_here"] == "False"
    last.tell("start")
    first.leave()
    assert postmaster(data) is not None
    last.leave()
    assert postmaster(data) is None


@BOTH
def test_a_stranger_with_the_servers_old_pid_is_left_alone(
    join: Join, home: Path, person: str
) -> None:
    user = join(fast=True)
    facts = user.tell("start")
    pid_file = Path(facts["data"]) / "postmaster.pid"
    left_behind = pid_file.read_text()
    user.leave()
    other = join(home / "other", fast=True)
    other_data = other.tell("start")["data"]
    account = pwd.getpwnam(facts["os_account"])
    change = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # Of the same account, so that only knowledge keeps the supervisor from signalling it.
    sleeper = subprocess.Popen(["sleep", "600"], **(change if person == "root" else {}))
    try:
        for stranger in (sleeper.pid, postmaster(other_data)):
            _, _, rest = left_behind.partition("\n")
            pid_file.write_text(f"{stranger}\n{rest}")
            os.chown(pid_file, account.pw_uid, account.pw_gid)
            user = join(fast=True)
            assert user.tell("start")["started_here"] == "True"
            assert postmaster(facts["data"]) != stranger
            user.leave()
            assert postmaster(facts["data"]) is None
            assert alive(stranger)
        assert sleeper.poll() is None
        assert other.rows("app", "SELECT 1") == [["1"]]
    finally:
        sleeper.kill()
        sleeper.wait(SECONDS)


def test_a_path_too_long_for_a_socket_gets_a_private_short_one(join: Join, home: Path) -> None:
    user = join(home / ("deep-" * 24) / "postgres", fast=True)
    facts = user.tell("start")
    socket = Path(facts["socket_dir"])
    assert len(str(socket)) < 100
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert socket.owner() == facts["os_account"]
    assert user.rows("app", "SELECT 1") == [["1"]]
    user.leave()
    assert not socket.exists()


@BOTH
def test_no_folder_above_is_opened_for_the_server(
    join: Join, folder: Path, home: Path, person: str
) -> None:
    home.chmod(0o700)
    place = home / "postgres"
    before = modes(home)
    refuge = folder / "refuge"
    user = join(place, fast=True, refuge=refuge)
    facts = user.tell("start")
    user.rows("owner", "CREATE TABLE note (id int)")
    user.leave()
    assert modes(home) == before
    note = home / "postgres.location"
    if person != "root":
        assert facts["data"] == str(place / "pgdata")
        assert not note.exists()
        return
    # Root's server account cannot enter: the data went elsewhere, and are found again.
    elsewhere = Path(note.read_text().strip())
    assert elsewhere.parent == refuge
    assert facts["data"] == str(elsewhere / "pgdata")
    assert (elsewhere / "origin").read_text() == f"{place}\n"
    user = join(place, fast=True, refuge=refuge)
    user.tell("start")
    assert user.rows("owner", "SELECT count(*) FROM note") == [["0"]]
    user.leave()
    elsewhere.rename(folder / "lost")
    assert "does not exist" in join(place, fast=True, refuge=refuge).refused("start")


def test_programs_that_the_server_account_cannot_reach_are_copied(
    join: Join, folder: Path, home: Path
) -> None:
    """A checkout under /root: neither its environment nor its FAIRWAY_HOME lets the server in."""
    closed = folder / "closed"
    closed.mkdir()
    package = installed().parents[1]
    for part in (package, package.with_name(package.name + ".libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name, symlinks=True)
    closed.chmod(0o700)
    home.chmod(0o700)
    programs = closed / installed().relative_to(package.parent)
    options = {"bin_dir": programs, "fast": True, "refuge": folder / "refuge"}
    user = join(**options)
    facts = user.tell("start")
    assert user.rows("app", "SELECT 1") == [["1"]]
    user.leave()
    assert stat.S_IMODE(closed.stat().st_mode) == stat.S_IMODE(home.stat().st_mode) == 0o700
    if ME == "root":
        assert Path(facts["bin_dir"]).is_relative_to(Path(facts["data"]).parent)
    else:
        # An ordinary user's server runs as that user, for whom nothing is closed.
        assert facts["bin_dir"] == str(programs)


def test_a_failed_first_start_is_taken_up_again_in_the_same_place(
    join: Join, folder: Path, home: Path
) -> None:
    home.chmod(0o700)
    broken = folder / "broken" / "bin"
    broken.mkdir(parents=True)
    for name in ("postgres", "pg_config"):
        (broken / name).write_text(f'#!/bin/sh\nexec {installed() / name} "$@"\n')
    (broken / "initdb").write_text('#!/bin/sh\n[ "$1" = --version ] || { echo full; exit 1; }\n')
    for program in broken.iterdir():
        program.chmod(0o755)
    options = {"fast": True, "refuge": folder / "refuge"}
    for _ in range(2):
        assert "initdb failed:\nfull" in join(bin_dir=broken, **options).refused("start")
    user = join(**options)
    data = Path(user.tell("start")["data"])
    user.leave()
    places = list((folder / "refuge").glob("*")) if ME == "root" else [home / "postgres"]
    assert places == [data.parent]
    assert not data.with_name("pgdata.unfinished").exists()


def test_another_persons_cluster_is_refused_with_a_reason(join: Join, home: Path) -> None:
    user = join(fast=True)
    user.tell("start")
    user.leave()
    # Only root can be two persons; a file closed to its owner is as good as somebody else's.
    (home / "postgres" / "start.lock").chmod(0o000)
    stranger = "nobody" if ME == "root" else ME
    assert "belongs to another user" in join(person=stranger, fast=True).refused("start")


def test_debians_server_serves_as_well_and_versions_are_not_mixed(join: Join) -> None:
    debian = max(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name))
    user = join(bin_dir=debian, fast=True)
    facts = user.tell("start")
    assert f"PostgreSQL {debian.parent.name}." in facts["version"]
    assert user.rows("owner", "SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'") == [
        ["4"]
    ]
    user.leave()
    assert "was made by PostgreSQL" in join(fast=True).refused("start")


def test_a_disposable_cluster_ends_and_vanishes_with_the_last_one_out(
    join: Join, home: Path
) -> None:
    first = join(fast=True, disposable=True)
    data = first.tell("start")["data"]
    last = join(fast=True, disposable=True)
    last.tell("start")
    first.leave()
    assert postmaster(data) is not None
    last.leave()
    assert not Path(data).exists()
    assert sorted(path.suffix for path in (home / "postgres").iterdir()) == [
        ".lock",
        ".lock",
        ".lock",
        ".lock",
        ".log",
    ]


def test_a_failed_start_tells_the_servers_last_words(join: Join) -> None:
    user = join(fast=True)
    data = Path(user.tell("start")["data"])
    user.leave()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = 'plenty'\n")
    told = join(fast=True).refused("start")
    assert 'invalid value for parameter "shared_buffers"' in told


def test_the_applications_role_is_neither_owner_nor_superuser(cluster: Cluster) -> None:
    with as_app(cluster) as connection:
        rights = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s) AND (rolsuper OR rolcreatedb"
            " OR rolcreaterole OR rolreplication OR rolbypassrls)",
            (APP, OWNER),
        ).fetchall()
        assert rights == []
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'fairway'"
        ).fetchone()
        assert owner == (OWNER,)
        assert connection.execute("SELECT current_user, session_user").fetchone() == (APP, APP)
        for forbidden in (
            "CREATE TABLE mine (id int)",
            "CREATE SCHEMA mine",
            f"SET ROLE {OWNER}",
            "CREATE ROLE mine",
            "ALTER SYSTEM SET fsync = off",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_the_server_listens_on_its_socket_alone_and_lets_go_of_lost_clients(
    cluster: Cluster,
) -> None:
    expected = {
        "listen_addresses": "",
        "client_connection_check_interval": "500ms",
        "idle_in_transaction_session_timeout": "10s",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    with as_app(cluster) as connection:
        found = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone()[0]
            for name in expected
        }
        assert found == expected
        extensions = connection.execute("SELECT extname FROM pg_extension").fetchall()
    assert {"pg_trgm", "btree_gist", "unaccent", "citext"} <= {row[0] for row in extensions}


def test_letters_beyond_ascii_sort_fold_and_match(cluster: Cluster) -> None:
    with as_app(cluster) as connection:
        row = connection.execute(
            "SELECT lower('ÀÉ'), unaccent('Müller'), similarity('Ωμέγα', 'ΩΜΈΓΑ'),"
            " 'Łódź'::citext = 'łÓDŹ'"
        ).fetchone()
    assert row == ("àé", "Muller", 1.0, True)


def test_values_and_statements_stay_out_of_the_servers_log(cluster: Cluster) -> None:
    name = f"log_{os.getpid()}_{time.monotonic_ns()}"
    cluster.create_database(name)
    try:
        url = cluster.owner_url(name).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE secret (value text CONSTRAINT twice_told UNIQUE)")
            connection.execute("INSERT INTO secret VALUES ('078-05-1120')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO secret VALUES ('078-05-1120')")
    finally:
        cluster.drop_database(name)
    log = cluster.facts.log.read_text()
    assert "twice_told" in log
    assert "078-05-1120" not in log


def as_app(cluster: Cluster) -> psycopg.Connection:
    return psycopg.connect(cluster.app_url().replace("+psycopg", ""), autocommit=True)
