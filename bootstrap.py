#!/usr/bin/env python3
"""Set Fairway up on a fresh machine and run its commands, with nothing but Python.

`python3 bootstrap.py help` lists the commands.  The first one makes `.venv` and installs just what
the lock files name, every file checked by its hash; a stamp in `.venv` lets later ones skip that.
The Makefile only forwards to this file.  Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.console import ROOT, Refusal, call, say
from scripts.environment import (
    DEV_LOCK,
    PYTHON,
    RUNTIME_LOCK,
    UV_LOCK,
    VENV,
    compile_locks,
    lock_faults,
    prepare,
    present_stamp,
    wanted_stamp,
)
from scripts.machine import COMPONENTS, ensure_components, find_chromium, find_postgresql
from scripts.provider import ensure_provider

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST_PYTHON = (3, 11)
ON_EVERY_SERVER = (
    "tests/db/test_session.py",
    "tests/guards/test_migrations.py",
    "tests/register",
    "tests/traders/test_identifiers.py",
    "tests/applications/test_journey.py",
    "tests/casework/test_service.py",
    "tests/advance_data/test_service.py",
)
BENCHMARKS = ("status", "intake", "pages", "backtest", "audit", "clients")


def run(arguments: list[str]) -> int:
    """Set everything up and serve portal, console and API (PORT, HOST, FAIRWAY_HOME)."""
    prepare(dev=False)
    say("starting")
    # From here on this process is the server, so that Ctrl-C reaches it directly.
    os.execv(VENV / "bin" / "fairway", ["fairway", "serve", *arguments])  # nosec B606  # noqa: S606 - fixed words.


def test(arguments: list[str]) -> int:
    """Run the whole test suite, browser journeys included; arguments go to pytest."""
    prepare(dev=True)
    ensure_components()
    ensure_provider()
    cores = len(os.sched_getaffinity(0))
    env = {**os.environ, "CHROMIUM": find_chromium() or ""}
    say(f"tests on {cores} cores")
    # A worker that has nothing left takes tests over from one that is on a long journey.
    pytest = (PYTHON, "-m", "pytest", "-n", str(cores), "--dist", "worksteal")
    failed = call(*pytest, *arguments, env=env)
    if failed or arguments:
        return failed
    server = str(Path(find_postgresql() or "").parent)
    say(f"migrations and services once more, on the server in {server}")
    return call(*pytest, "--postgres", server, *ON_EVERY_SERVER, env=env)


def check(arguments: list[str]) -> int:
    """Check formatting, lint, types, import contracts, templates and dependencies."""
    none_expected(arguments)
    prepare(dev=True)
    programs = VENV / "bin"
    checks: dict[str, list[str | Path]] = {
        "format": [programs / "ruff", "format", "--check", "."],
        "lint": [programs / "ruff", "check", "."],
        "types": [programs / "mypy"],
        "import contracts": [programs / "lint-imports"],
        "template format": [programs / "djlint", "--check", "--quiet", "templates"],
        "template lint": [programs / "djlint", "--lint", "--quiet", "templates"],
        "dependencies": [programs / "deptry", "."],
    }
    upgrade_check = ROOT / "static" / "vendor" / "htmx" / "upgrade-check.py"
    if upgrade_check.exists():
        checks["htmx 4 upgrade check"] = [PYTHON, upgrade_check, "templates"]
    else:
        say(f"no htmx upgrade check: {upgrade_check.relative_to(ROOT)} is not there")
    return run_checks(checks)


def security(arguments: list[str]) -> int:
    """Check locks, security rules (ruff's, bandit's, our own) and the APIs as each kind of client."""
    none_expected(arguments)
    prepare(dev=True)
    faults = [fault for lock in (RUNTIME_LOCK, DEV_LOCK, UV_LOCK) for fault in lock_faults(lock)]
    for fault in faults:
        say(fault)
    say(f"lock files: {len(faults)} faults")
    programs = VENV / "bin"
    bandit: list[str | Path] = [
        programs / "bandit",
        "--quiet",
        "--configfile",
        "pyproject.toml",
        "--recursive",
    ]
    checks: dict[str, list[str | Path]] = {
        "ruff's security rules": [programs / "ruff", "check", "--select", "S", "."],
        "bandit": [*bandit, "app", "clients", "scripts", "bootstrap.py"],
        "house rules": [PYTHON, "-m", "scripts.house_rules"],
    }
    machine = (PYTHON, "-m", "pytest", "-q", "tests/guards/test_api_machine.py")
    say("both APIs as each kind of caller, 300 examples for each operation ...")
    failed = call(*machine, env={**os.environ, "FAIRWAY_API_EXAMPLES": "300"})
    return max(run_checks(checks), 1 if faults or failed else 0)


def docs(arguments: list[str]) -> int:
    """Remake the documents that are drawn from the code (docs/build.py)."""
    prepare(dev=True)
    return script("docs/build.py", arguments)


def bench(arguments: list[str]) -> int:
    """Run every benchmark and print its ratios."""
    prepare(dev=True)
    worst = 0
    for part in BENCHMARKS:
        worst = worse(worst, script(f"benchmarks/{part}.py", arguments))
    return worst


def bench_part(part: str) -> Callable[[list[str]], int]:
    """Make the command for one benchmark."""

    def one(arguments: list[str]) -> int:
        prepare(dev=True)
        return script(f"benchmarks/{part}.py", arguments)

    one.__doc__ = f"Run the benchmark benchmarks/{part}.py."
    return one


def lock(arguments: list[str]) -> int:
    """Remake the lock files from pyproject.toml; --upgrade takes newer versions."""
    if arguments not in ([], ["--upgrade"]):
        raise Refusal("lock takes no argument but --upgrade.")
    compile_locks(arguments)
    return 0


def doctor(arguments: list[str]) -> int:
    """Say what this machine has and lacks; then ask the installed Fairway the same."""
    say(f"Python {sys.version.split()[0]} at {sys.executable}")
    lacking = [name for name in ("ensurepip", "venv") if importlib.util.find_spec(name) is None]
    for name in lacking:
        say(f"{name}: missing (Debian: apt-get install python3-venv)")
    for name, (package, find) in COMPONENTS.items():
        say(f"{name} (tests only): {find() or f'missing (Debian: apt-get install {package})'}")
    present = present_stamp()
    if present not in (wanted_stamp(dev=False), wanted_stamp(dev=True)):
        say(".venv: missing or older than the lock; `run` or `test` makes it")
        return 1
    say(f".venv: up to date ({present['set']})")
    return worse(1 if lacking else 0, call(VENV / "bin" / "fairway", "doctor", *arguments))


def run_checks(checks: dict[str, list[str | Path]]) -> int:
    """Run all checks, also after one has failed, and sum up."""
    failed = []
    for name, command in checks.items():
        began = time.monotonic()
        say(f"check {name} ...")
        code = call(*command)
        say(f"check {name}: {'FAILED' if code else 'ok'} in {time.monotonic() - began:.1f} s")
        if code:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else f"all {len(checks)} checks passed")
    return 1 if failed else 0


def script(path: str, arguments: list[str]) -> int:
    """Run one of the project's scripts; an absent one is an error, not a success."""
    if not there(path):
        say(f"{path} is not part of this version of Fairway")
        return 1
    say(path)
    return call(PYTHON, path, *arguments)


def worse(one: int, other: int) -> int:
    """Give the worse of two exit codes: failed (1), then inconclusive or misused (2), then done."""
    return next((code for code in (one, other) if code not in (0, 2)), max(one, other))


def there(path: str) -> bool:
    """Whether the project has this file or folder."""
    return (ROOT / path).exists()


def none_expected(arguments: list[str]) -> None:
    """Refuse arguments that would be ignored."""
    if arguments:
        msg = f"Unexpected: {shlex.join(arguments)}"
        raise Refusal(msg)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "check": check,
    "security": security,
    "docs": docs,
    "bench": bench,
    **{f"bench-{part}": bench_part(part) for part in BENCHMARKS},
    "lock": lock,
    "doctor": doctor,
}


def usage() -> str:
    """List the commands."""
    lines = ["Usage: python3 bootstrap.py COMMAND [ARGUMENTS], or: make COMMAND", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:<15} {(command.__doc__ or '').splitlines()[0]}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run one command; the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        say(f"Fairway needs Python 3.11 or newer; this is {sys.version.split()[0]}")
        return 1
    if arguments and arguments[0] in ("help", "-h", "--help"):
        print(usage())
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except Refusal as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
