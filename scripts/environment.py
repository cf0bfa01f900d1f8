"""The virtual environment: made once, exactly as the lock files say.  Standard library only."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.console import ROOT, Refusal, captured, say, step

if TYPE_CHECKING:
    from collections.abc import Iterator

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "fairway-stamp.json"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
UV_LOCK = ROOT / "requirements-uv.lock"


def wanted_stamp(*, dev: bool) -> dict[str, str]:
    """Describe the environment as it has to be: these locks, this Python, this folder."""
    lock = DEV_LOCK if dev else RUNTIME_LOCK
    return {
        "set": "dev" if dev else "runtime",
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "folder": str(ROOT),
    }


def present_stamp() -> dict[str, str]:
    """Read what the environment was made from; empty when it is missing or was never finished."""
    try:
        stamp = json.loads(STAMP.read_text())
        # A Python that was upgraded away leaves a dangling link here.
        return dict(stamp) if PYTHON.exists() else {}
    except (OSError, ValueError, TypeError):
        return {}


def prepare(*, dev: bool) -> None:
    """Make `.venv` hold exactly what the lock names; quick when it does already."""
    with project_locked():
        present = present_stamp()
        if present in (wanted_stamp(dev=dev), wanted_stamp(dev=True)):
            say("requirements: unchanged since they were installed")
            return
        # An environment that had the development tools keeps them.
        dev = dev or present.get("set") == "dev"
        try:
            make_environment(fresh=present.get("folder") != str(ROOT))
            install_requirements(DEV_LOCK if dev else RUNTIME_LOCK)
            write_entry_point()
            STAMP.write_text(json.dumps(wanted_stamp(dev=dev), indent=1) + "\n")
        except PermissionError as error:
            msg = f"Cannot write {error.filename}: it belongs to another user."
            raise Refusal(msg) from error


@contextlib.contextmanager
def project_locked() -> Iterator[None]:
    """Let one bootstrap at a time prepare this folder."""
    folder = os.open(ROOT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another bootstrap in this folder")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def make_environment(*, fresh: bool) -> None:
    """Make `.venv` unless a sound one for this Python and folder is there."""
    STAMP.unlink(missing_ok=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    question = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    if not fresh and PYTHON.exists() and captured(PYTHON, "-c", question) == (0, f"{version}\n"):
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise Refusal(
            "This Python has no `ensurepip`, so it cannot make a virtual environment."
            " On Debian and Ubuntu: apt-get install python3-venv"
        )
    with step(f"virtual environment for Python {version} in .venv"):
        if VENV.exists():
            shutil.rmtree(VENV)
        base = getattr(sys, "_base_executable", None) or sys.executable
        code, output = captured(base, "-m", "venv", VENV)
        if code != 0:
            msg = (
                f"Making the virtual environment failed:\n{output}"
                "On Debian and Ubuntu: apt-get install python3-venv"
            )
            raise Refusal(msg)


def install_requirements(lock: Path) -> None:
    """Install what the lock names and remove the rest; with uv, and with pip if uv cannot."""
    with step("uv, the installer"):
        code, output = pip_install(UV_LOCK)
    if code == 0:
        with step(f"requirements from {lock.name}"):
            options = ["--require-hashes", "--only-binary", ":all:", *uv_cache_options()]
            uv = VENV / "bin" / "uv"
            code, output = captured(uv, "pip", "sync", *options, lock, env=uv_environment())
        if code == 0:
            return
    say(f"uv did not succeed, falling back to pip; it said:\n{output.strip()}")
    with step(f"requirements from {lock.name} with pip"):
        code, output = pip_install(lock)
    if code != 0:
        msg = f"Installing the requirements failed:\n{output.strip()}"
        raise Refusal(msg)


def pip_install(lock: Path) -> tuple[int, str]:
    """Install a lock file with the environment's own pip, hashes required, wheels only."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    checks = ["--require-hashes", "--only-binary", ":all:"]
    return captured(PYTHON, "-m", "pip", "install", *options, *checks, "-r", lock)


def uv_cache_options() -> list[str]:
    """Let uv do without its cache where there is no home to keep it in."""
    home = Path(os.environ.get("UV_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home())
    return [] if home.is_dir() and os.access(home, os.W_OK) else ["--no-cache"]


def uv_environment() -> dict[str, str]:
    """Tell uv the package index that pip was told: uv does not read pip's configuration."""
    env = {**os.environ, "VIRTUAL_ENV": str(VENV)}
    told = pip_configuration()
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    for option, name in names.items():
        if option in told:
            separator = "," if name == "UV_FIND_LINKS" else " "
            env.setdefault(name, separator.join(told[option].split()))
    # Every file is pinned by its hash, so it does not matter which index it comes from.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def pip_configuration() -> dict[str, str]:
    """Read pip's settings from its files and the environment, the strongest last."""
    code, output = captured(PYTHON, "-m", "pip", "config", "list")
    settings: dict[str, str] = {}
    for line in output.splitlines() if code == 0 else []:
        name, found, value = line.partition("=")
        section, _, option = name.rpartition(".")
        # The environment's settings stand under `:env:` and come first in the list.
        if found and section in (":env:", "global", "install"):
            with contextlib.suppress(ValueError, SyntaxError):
                value = str(ast.literal_eval(value))
                settings.setdefault(option, value)
    return settings


def write_entry_point() -> None:
    """Make the project importable and give it its command, without building a package."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (VENV / "lib" / version / "site-packages" / "fairway.pth").write_text(f"{ROOT}\n")
    # Through the shell, because a `#!` line takes no spaces and no long path.
    script = VENV / "bin" / "fairway"
    script.write_text(
        "#!/bin/sh\n"
        f"'''exec' {shlex.quote(str(PYTHON))} \"$0\" \"$@\"\n"
        "' '''\n"
        "import sys\n"
        "from app.cli import main\n"
        "sys.exit(main())\n"
    )
    script.chmod(0o755)


def compile_locks(options_of_uv: list[str]) -> None:
    """Remake the three lock files from pyproject.toml; they name no package index."""
    with project_locked():
        make_environment(fresh=not PYTHON.exists())
        with step("uv, the installer"):
            code, output = pip_install(UV_LOCK)
        if code != 0:
            raise Refusal(output.strip())
        env = uv_environment()
        uv = VENV / "bin" / "uv"
        wish = Path(".venv") / "uv-wish.txt"
        (ROOT / wish).write_text("uv\n")
        sources: dict[Path, list[str | Path]] = {
            UV_LOCK: [wish],
            RUNTIME_LOCK: ["pyproject.toml"],
            # The same versions in both, whatever the tools would rather have.
            DEV_LOCK: ["--group", "dev", "--constraints", RUNTIME_LOCK.name, "pyproject.toml"],
        }
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
        options += ["--no-emit-index-url", "--custom-compile-command", "make lock"]
        for target, source in sources.items():
            with step(target.name):
                compile_ = [
                    uv,
                    "pip",
                    "compile",
                    *options,
                    *options_of_uv,
                    "-o",
                    target.name,
                    *source,
                ]
                code, output = captured(*compile_, env=env)
            if code != 0:
                raise Refusal(output.strip())


def lock_faults(path: Path) -> list[str]:
    """Find requirements without a version or a hash, and any address of a package index."""
    text = path.read_text()
    faults = [f"{path.name}: names a host: {line}" for line in text.splitlines() if "://" in line]
    for entry in text.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            name = entry.split()[0]
            if "==" not in name or "--hash=sha256:" not in entry:
                faults.append(f"{path.name}: not pinned by version and hash: {name}")
    return faults
