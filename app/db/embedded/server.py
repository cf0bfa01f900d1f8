"""One server and its files: made, configured, started and ended, always under `start.lock`."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.db.embedded import binaries
from app.db.embedded.account import Account, ClusterError, own_name, server_account
from app.db.embedded.databases import PORT, ROLES, SUPER
from app.db.embedded.locks import Lock, wait_until
from app.db.embedded.process import end_server, living_server, read_pid_file

LONGEST_SOCKET_FOLDER: Final = 100 - len(
    f"/.s.PGSQL.{PORT}"
)  # Bytes; the kernel allows 107 in all.
RECOVERY: Final = 600.0  # Seconds; after a crash the server may have gigabytes of WAL to read.
LAST_WORDS: Final = 60.0  # Seconds for the processes of a killed server to notice and end.
# Beyond every pid_max of Linux (4,194,304), so it never names a process.
NO_PROCESS: Final = 2**31 - 1
# Where the fallback socket may be; each in a fresh folder that only the account may enter.
SHORT_FOLDERS: Final = ("/tmp", "/var/tmp")  # nosec B108  # noqa: S108 - each gets a folder of its own.
LARGEST_LOG: Final = 5_000_000  # Bytes; at a start a larger log becomes `server.log.1`.

SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "client_connection_check_interval": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "log_checkpoints": "off",
    # Neither values nor statements may reach the log: an identifier can have the form of a
    # social-security number.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
FAST_SETTINGS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerEndedError(ClusterError):
    """The server that was found alive, or had just been started, is no more."""


class Server:
    """The server of the cluster in `home`; the caller holds `start.lock` during every call."""

    def __init__(self, home: Path, *, bin_dir: Path | None, fast: bool, refuge: Path) -> None:
        self._home = home
        self._wanted = bin_dir
        self._fast = fast
        self._refuge = refuge
        self._location = home.with_name(home.name + ".location")
        self._lock = Lock(home / "server.lock")
        self.log = home / "server.log"

    @property
    def data(self) -> Path:
        """The data directory; ClusterError if it was noted to be elsewhere and is gone."""
        if not self._location.exists():
            return self._home / "pgdata"
        place = Path(self._location.read_text().strip())
        if not place.is_dir():
            message = (
                f"{self._location} says that the database lives in {place}, which does not exist."
                " Bring it back, or remove that file to begin with an empty database."
            )
            raise ClusterError(message)
        return place / "pgdata"

    @property
    def account(self) -> Account:
        """Who runs the server."""
        return server_account(self.data)

    @property
    def programs(self) -> Path:
        """The folder of the server's programs, such that its account can run them."""
        return binaries.runnable(
            self._wanted or binaries.installed(), self.account, self.data.parent
        )

    def alive(self) -> bool:
        """Whether the server's main process lives; it may still be starting."""
        return living_server(self.data, self.account) is not None

    def launch(self) -> None:
        """Make the cluster if there is none, and start its server."""
        wait_until(
            lambda: self._lock.take(fcntl.LOCK_EX | fcntl.LOCK_NB),
            LAST_WORDS,
            f"Processes of another server still use {self._home}: of a server that was killed"
            " and has not ended yet, or of one in another container.",
        )
        try:
            if not self.data.exists():
                self._initialise()
            account, data, programs = self.account, self.data, self.programs
            if not account.can_enter(data):
                message = (
                    f"{account.name}, who owns the database in {data}, can no longer reach it."
                    " Let that account pass through the folders above, or move FAIRWAY_HOME."
                )
                raise ClusterError(message)
            ours, theirs = binaries.major_version(programs), int((data / "PG_VERSION").read_text())
            if ours != theirs:
                message = (
                    f"The database in {data} was made by PostgreSQL {theirs}, the server here is"
                    f" {ours}. Back up with the old version and restore with the new one."
                )
                raise ClusterError(message)
            binaries.forget_old_copies(data.parent, programs)
            socket_dir = self._socket_dir(account, data)
            self._configure(account, data, socket_dir)
            self._run(account, data, programs, socket_dir)
        finally:
            self._lock.close()

    def until_ready(self) -> Path:
        """Wait until the server accepts connections; the folder of its socket."""

        def ready() -> bool:
            if not self.alive():
                message = f"PostgreSQL ended while it was starting.{self._last_lines()}"
                raise ServerEndedError(message)
            return read_pid_file(self.data).ready

        wait_until(ready, RECOVERY, f"PostgreSQL is not ready after {RECOVERY:.0f} seconds.")
        socket_dir = read_pid_file(self.data).socket_dir
        if socket_dir is None:
            msg = f"{self.data / 'postmaster.pid'} names no socket folder."
            raise ClusterError(msg)
        return socket_dir

    def halt(self) -> None:
        """End the server and wait for its last process."""
        data = self.data
        socket_dir = read_pid_file(data).socket_dir
        end_server(data, self.account)
        wait_until(self._lock.free, LAST_WORDS, f"The server of {data} does not end.")
        if socket_dir is not None and socket_dir != data.with_name("socket"):
            with suppress(OSError):
                socket_dir.rmdir()

    def delete(self) -> None:
        """Remove the data; the folder with the locks stays, since others may wait on them."""
        place = self.data.parent
        if place == self._home:
            for name in ("pgdata", "socket"):
                shutil.rmtree(place / name, ignore_errors=True)
        else:
            shutil.rmtree(place)
            self._location.unlink()

    def _initialise(self) -> None:
        """Make the cluster aside and move it into place, so that a half-made one is never used."""
        account = self.account
        if not self._location.exists() and not account.can_enter(self._home):
            self._move_out(account)
        data = self.data
        unfinished = data.with_name("pgdata.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, account.uid, account.gid)
        programs = self.programs
        options = ["--data-checksums", "--encoding=UTF8", "--auth=peer", f"--username={SUPER}"]
        options += binaries.locale_options(binaries.major_version(programs))
        if self._fast:
            options.append("--no-sync")
        done = account.run(programs / "initdb", "-D", unfinished, *options)
        if done.returncode != 0:
            msg = f"initdb failed:\n{done.stdout.strip()}"
            raise ClusterError(msg)
        unfinished.rename(data)

    def _move_out(self, account: Account) -> None:
        """Make a folder that root's server account can reach, and note it beside our own."""
        self._refuge.mkdir(mode=0o755, parents=True, exist_ok=True)
        facts = self._refuge.lstat()
        safe = stat.S_ISDIR(facts.st_mode) and facts.st_uid == 0 and not facts.st_mode & 0o022
        if not safe or not account.can_enter(self._refuge):
            message = (
                f"{account.name}, who has to run the database server, can reach neither"
                f" {self._home} nor {self._refuge}. Set FAIRWAY_HOME to a folder it can reach."
            )
            raise ClusterError(message)
        name = hashlib.sha256(os.fsencode(self._home)).hexdigest()[:12]
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._refuge))
        place.chmod(0o711)
        (place / "origin").write_text(f"{self._home}\n")
        note = self._location.with_name(self._location.name + ".new")
        note.write_text(f"{place}\n")
        note.rename(self._location)

    def _configure(self, account: Account, data: Path, socket_dir: Path) -> None:
        settings = SETTINGS | (FAST_SETTINGS if self._fast else {})
        settings["unix_socket_directories"] = str(socket_dir)
        lines = [f"{name} = '{_quoted(value)}'\n" for name, value in settings.items()]
        people = dict.fromkeys((own_name(), account.name))
        # Each role by name: `all` in this place is new in PostgreSQL 16.
        mapped = [f'fairway "{person}" {role}\n' for person in people for role in ROLES]
        account.write(data / "fairway.conf", "".join(lines))
        account.write(data / "pg_ident.conf", "".join(mapped))
        account.write(data / "pg_hba.conf", f"local all {','.join(ROLES)} peer map=fairway\n")
        main = (data / "postgresql.conf").read_text()
        if "\ninclude = 'fairway.conf'\n" not in main:
            account.write(data / "postgresql.conf", f"{main}\ninclude = 'fairway.conf'\n")

    def _socket_dir(self, account: Account, data: Path) -> Path:
        """Find a private folder with a short enough path: beside the data, else a temporary one."""
        beside = data.with_name("socket")
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            beside.mkdir(mode=0o700, exist_ok=True)
            os.chown(beside, account.uid, account.gid)
            return beside
        former = read_pid_file(data).socket_dir
        if former is not None and account.owns_privately(former):
            return former
        for base in dict.fromkeys((tempfile.gettempdir(), *SHORT_FOLDERS)):
            short = len(os.fsencode(base)) + len("/fairway-12345678") <= LONGEST_SOCKET_FOLDER
            if short and account.can_enter(Path(base)):
                folder = Path(tempfile.mkdtemp(prefix="fairway-", dir=base))
                os.chown(folder, account.uid, account.gid)
                return folder
        raise ClusterError("No temporary folder has a path short enough for a Unix socket.")

    def _run(self, account: Account, data: Path, programs: Path, socket_dir: Path) -> None:
        # The server lock is ours, so what an earlier server left names a dead pid or a stranger's.
        # PostgreSQL would take either for a living server (a zombie, too, answers to signal 0).
        # The socket's folder is ours alone; the other checks on `postmaster.pid` remain in force.
        for left in socket_dir.glob(".s.PGSQL.*"):
            left.unlink()
        if read_pid_file(data).pid is not None:
            _, _, rest = (data / "postmaster.pid").read_text().partition("\n")
            account.write(data / "postmaster.pid", f"{NO_PROCESS}\n{rest}")
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.rename(self.log.with_name("server.log.1"))
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            start = (programs / "pg_ctl", "start", "-w", "-t", "120", "-D", data)
            done = account.run(*start, keep=(self._lock.fileno(),), output=log)
        finally:
            os.close(log)
        # A long recovery outlasts pg_ctl; `until_ready` goes on waiting while the server lives.
        if done.returncode != 0 and not self.alive():
            msg = f"PostgreSQL did not start.{self._last_lines()}"
            raise ClusterError(msg)

    def _last_lines(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join([f" The end of {self.log}:", *text.splitlines()[-15:]])


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
