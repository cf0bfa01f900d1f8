"""What `postmaster.pid` and /proc say about the server, and the signal that ends it."""

import os
import re
import select
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded.account import Account

FAST_SHUTDOWN = 60.0  # Seconds before a slow checkpoint is cut short; recovery makes up for it.


@dataclass(frozen=True)
class PidFile:
    """The part of `postmaster.pid` that matters here; all empty when there is no such file."""

    pid: int | None = None
    socket_dir: Path | None = None
    ready: bool = False


def read_pid_file(data: Path) -> PidFile:
    """Read `postmaster.pid`: line 1 is the pid, line 5 the socket folder, line 8 the state."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return PidFile()
    lines += [""] * (8 - len(lines))
    return PidFile(pid, Path(lines[4]) if lines[4] else None, lines[7].strip() == "ready")


def living_server(data: Path, account: Account) -> int | None:
    """Find the living server of this data directory; None for the dead and for strangers."""
    pid = read_pid_file(data).pid
    if pid is None or pid <= 0:
        return None
    try:
        # Both are readable for every user; /proc/PID/exe is not, for root in a container.
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


def end_server(data: Path, account: Account) -> None:
    """Ask the server for a fast shutdown and wait for it; does nothing when none lives."""
    pid = living_server(data, account)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            # Looked at again with the handle open: what is signalled is what was looked at.
            if living_server(data, account) == pid:
                for how in (signal.SIGINT, signal.SIGQUIT):
                    signal.pidfd_send_signal(handle, how)
                    if select.select([handle], [], [], FAST_SHUTDOWN)[0]:
                        break
        finally:
            os.close(handle)
