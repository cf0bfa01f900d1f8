"""The cluster as its users see it: shared by processes, started by one, ended by its owner."""

import atexit
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psycopg

from app.db.embedded import databases
from app.db.embedded.account import ClusterError
from app.db.embedded.databases import APP, DATABASE, OWNER, PORT
from app.db.embedded.locks import Lock
from app.db.embedded.server import Server, ServerEndedError

REFUGE: Final = Path("/var/lib/fairway")
PAUSES: Final = (0.1, 0.5, 2.0)  # Seconds after each attempt to reach a server that looks alive.


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


class Cluster:
    """One embedded PostgreSQL in `data_dir`, a folder of ours that is made when missing.

    `bin_dir` names other server programs (PostgreSQL 15 or newer).  `fast` gives up durability.
    `disposable` is for tests: the cluster has no owner, and the last process out stops it and
    deletes its data.  `refuge` is where data go that root's server account could not reach.
    An object serves one thread of one process; a forked child makes its own.
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
        self._home = data_dir.resolve()
        self._disposable = disposable
        self._server = Server(self._home, bin_dir=bin_dir, fast=fast, refuge=refuge)
        self._users = Lock(self._home / "users.lock")
        self._owner = Lock(self._home / "owner.lock")
        self._facts: Facts | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def facts(self) -> Facts:
        """The facts of the started cluster; ClusterError before `start`."""
        if self._facts is None:
            raise ClusterError("The cluster has not been started by this process.")
        return self._facts

    def start(self) -> Facts:
        """Use the running server, or start it; also after the server died under this process.

        Raises ClusterError with the reason, and with the last lines of the log if the server ended.
        """
        if not sys.platform.startswith("linux"):
            raise ClusterError("Embedded PostgreSQL needs Linux; set FAIRWAY_DATABASE_URL.")
        if self._pid not in (0, os.getpid()):
            raise ClusterError("This process is a fork: it must make its own Cluster object.")
        _make(self._home)
        reason = ""
        with self._exclusively():
            for pause in PAUSES:
                try:
                    self._facts = self._join()
                    databases.provision(self._facts.socket_dir)
                except (psycopg.OperationalError, ServerEndedError) as error:
                    # It was just dying when it was found alive; a next look sees it dead.
                    reason = str(error)
                    time.sleep(pause)
                else:
                    return self._facts
        message = f"PostgreSQL does not stay alive: {reason}"
        raise ClusterError(message)

    def stop(self) -> None:
        """Leave the cluster; end the server if this process owns it, or is the last and none does.

        A process that is ended by a signal must turn it into an exit for this to be called.
        """
        if self._pid != os.getpid():
            return
        atexit.unregister(self.stop)
        self._pid = 0
        self._facts = None
        with self._exclusively():
            owned = self._owner.held
            self._users.drop()
            self._owner.drop()
            deserted = self._owner.free() and self._users.free()
            if owned or deserted:
                self._server.halt()
            if self._disposable and deserted:
                self._server.delete()

    def app_url(self, database: str = DATABASE) -> str:
        """Give the SQLAlchemy URL by which the application connects."""
        return self._url(APP, database)

    def owner_url(self, database: str = DATABASE) -> str:
        """Give the SQLAlchemy URL by which migrations connect."""
        return self._url(OWNER, database)

    def url_of(self, role: str, database: str = DATABASE) -> str:
        """Give the SQLAlchemy URL by which one of the roles connects."""
        return self._url(role, database)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database of `fairway_owner`: empty with our extensions, or a template's copy."""
        databases.create(self.facts.socket_dir, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, and close the connections to it."""
        databases.drop(self.facts.socket_dir, name)

    def _join(self) -> Facts:
        launched = not self._server.alive()
        if launched:
            self._server.launch()
        self._users.take(fcntl.LOCK_SH)
        if launched and not self._disposable:
            # A former owner that outlived its server remains the owner.
            self._owner.take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._pid == 0:
            self._pid = os.getpid()
            atexit.register(self.stop)
        return Facts(
            socket_dir=self._server.until_ready(),
            port=PORT,
            data=self._server.data,
            bin_dir=self._server.programs,
            log=self._server.log,
            os_account=self._server.account.name,
            started_here=launched,
        )

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self.facts.socket_dir), safe="/")
        return f"postgresql+psycopg://{role}@/{quote(database, safe='')}?host={host}&port={PORT}"

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        lock = Lock(self._home / "start.lock")
        lock.take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.drop()


def _make(home: Path) -> None:
    """Make our folder, complete with its mode at once, so that a second process sees no less."""
    if home.is_dir():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    # The account of root's server passes through; an ordinary user's folder is private.
    unfinished.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        unfinished.rename(home)
    except OSError:
        # Another process was faster, and has put its locks there already.
        unfinished.rmdir()
        if not home.is_dir():
            raise
