"""What the tests need of the machine: found, or installed where that is permitted."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.console import Refusal, captured, say, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
OLDEST_POSTGRESQL = 15


def find_program(*names: str) -> str | None:
    """Find a program also where an ordinary user's path does not look."""
    path = os.pathsep.join((os.environ.get("PATH", ""), SYSTEM_PATH))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def find_chromium() -> str | None:
    """Find a Chromium; the variable CHROMIUM names one that is elsewhere."""
    return find_program(*filter(None, (os.environ.get("CHROMIUM"), *CHROMIUM_NAMES)))


def find_postgresql() -> str | None:
    """Find Debian's PostgreSQL server, 15 or newer."""
    found = [
        (int(path.parts[-3]), str(path))
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if path.parts[-3].isdigit()
    ]
    return max(found)[1] if found and max(found)[0] >= OLDEST_POSTGRESQL else None


COMPONENTS: dict[str, tuple[str, Callable[[], str | None]]] = {
    "Chromium": ("chromium", find_chromium),
    "nginx": ("nginx", lambda: find_program("nginx")),
    "PostgreSQL server": ("postgresql", find_postgresql),
}


def missing_components() -> dict[str, str]:
    """Name what the tests need and the machine lacks, with Debian's package for each."""
    return {name: package for name, (package, find) in COMPONENTS.items() if find() is None}


def ensure_components() -> None:
    """Install what the tests need with the system's package manager, or say what to install."""
    missing = missing_components()
    if missing:
        install = ["apt-get", "install", "-y", "--no-install-recommends", *missing.values()]
        privilege = root_prefix()
        if privilege is None or find_program("apt-get") is None:
            msg = (
                f"The tests need what is missing here: {', '.join(missing)}."
                f" On Debian, as root: apt-get update && {shlex.join(install)}"
            )
            raise Refusal(msg)
        with step(f"system packages {' '.join(missing.values())}"), services_kept_down(privilege):
            for command in (["apt-get", "update"], install):
                quiet = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", *command]
                code, output = captured(*quiet)
                if code != 0:
                    msg = f"{shlex.join(command)} failed:\n{output.strip()}"
                    raise Refusal(msg)
        if missing := missing_components():
            msg = f"Still missing after the installation: {', '.join(missing)}."
            raise Refusal(msg)
    for name, (_, find) in COMPONENTS.items():
        say(f"{name}: {find()}")


def root_prefix() -> list[str] | None:
    """Give what to put before a command to run it as root; None if that is not permitted."""
    if os.geteuid() == 0:
        return []
    sudo = find_program("sudo")
    return [sudo, "-n"] if sudo and captured(sudo, "-n", "true")[0] == 0 else None


@contextlib.contextmanager
def services_kept_down(privilege: list[str]) -> Iterator[None]:
    """Keep packages from starting their services while they are installed: we want programs."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    script = f"printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod 755 {policy}"
    captured(*privilege, "sh", "-c", script)
    try:
        yield
    finally:
        captured(*privilege, "rm", "-f", policy)
