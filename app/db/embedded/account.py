"""The operating-system account that runs the server."""

import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


class ClusterError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """A named account; root runs commands in its name, an ordinary user only in its own."""

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
        """Run a command in a folder that every account can enter, with a bare environment.

        `keep` are file descriptors that the command inherits, `output` takes both its outputs.
        """
        other = os.geteuid() == 0
        try:
            return subprocess.run(  # noqa: S603 - our own programs, without a shell.
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
                # Ctrl-C in the terminal is for the program; the server is stopped after it.
                start_new_session=True,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            message = (
                f"Cannot run {command[0]} as {self.name}: {error}. Start as an ordinary user, or"
                " set FAIRWAY_DATABASE_URL to a PostgreSQL of your own."
            )
            raise ClusterError(message) from error

    def passes(self, test: str, *paths: Path) -> bool:
        """Ask the kernel, in the account's name, whether a shell test on the paths holds."""
        return self.run("/bin/sh", "-c", test, "sh", *paths).returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can pass through the folder and all that are above it."""
        return self.passes('cd -- "$1"', folder)

    def write(self, path: Path, text: str) -> None:
        """Write a file in the account's name: root must not follow links that it may have laid."""
        command = 'cat > "$1.new" && mv -f "$1.new" "$1"'
        done = self.run("/bin/sh", "-c", command, "sh", path, text=text)
        if done.returncode != 0:
            msg = f"Cannot write {path}: {done.stdout.strip()}"
            raise ClusterError(msg)

    def owns_privately(self, folder: Path) -> bool:
        """Whether this is a real folder of the account that nobody else may enter."""
        try:
            facts = folder.lstat()
        except OSError:
            return False
        return facts.st_uid == self.uid and facts.st_mode == stat.S_IFDIR | 0o700


def own_name() -> str:
    """Name the account that runs this process."""
    return _named(os.geteuid()).pw_name


def server_account(data: Path) -> Account:
    """Say who runs the server: the data's owner, else this user, else a stand-in for root."""
    mine = os.geteuid()
    if data.exists():
        owner = data.stat().st_uid
    elif mine == 0:
        owner = _stand_in()
    else:
        owner = mine
    if owner == 0 or mine not in (0, owner):
        message = (
            f"The database in {data} belongs to the user id {owner}; {own_name()} cannot run it."
            " Set FAIRWAY_HOME to a folder of your own."
        )
        raise ClusterError(message)
    entry = _named(owner)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _named(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError as error:
        message = (
            f"The user id {uid} has no name on this machine, and PostgreSQL needs one."
            " Add it to /etc/passwd, or set FAIRWAY_DATABASE_URL."
        )
        raise ClusterError(message) from error


def _stand_in() -> int:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise ClusterError("Root needs an account `nobody` or `postgres` to run the database server.")
