"""Fetch the front end's libraries into ``static/vendor`` and write the manifest.

Run by whoever changes a version, never on a machine that only runs Fairway: it needs ``npm`` (to fetch)
and ``node`` (to compress with Brotli). What it writes is committed::

    python3 scripts/vendor.py

The files are upstream's own, bit for bit. Each package is pinned by the integrity of its archive: a registry
that serves anything else stops the script. ``static/vendor/manifest.json`` names the archive of each package
and the SHA-256 of each file; ``tests/guards/test_vendor.py`` hashes them again. No address of a registry is
written anywhere.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"

# Text compresses; fonts and pictures in a compressed format would only grow.
COMPRESSED_SUFFIXES = frozenset({".css", ".js", ".svg"})
# Below this size a compressed copy saves less than one network packet.
COMPRESS_FROM_BYTES = 1400

BROTLI = """
const fs = require("fs");
const zlib = require("zlib");
for (const name of process.argv.slice(1)) {
  const text = fs.readFileSync(name);
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  fs.writeFileSync(name + ".br", zlib.brotliCompressSync(text, { params }));
}
"""


@dataclass(frozen=True)
class Package:
    """One package and what we take of it.

    ``files`` maps a path in the archive to a path in our folder. ``stylesheet`` names an archive path whose
    every ``url(...)`` is taken too, except those in ``left_out``, so that no page can ask for a missing file.
    """

    name: str
    version: str
    integrity: str
    folder: str
    files: dict[str, str]
    stylesheet: str | None = None
    left_out: frozenset[str] = field(default=frozenset())


PACKAGES = (
    Package(
        name="@uswds/uswds",
        version="3.14.0",
        integrity=(
            "sha512-kwZ50TqGszxj3+MQhm+c84hI0y8rIKoc7ZLKbuHg+8rTkFisp9lXOMRD2wclyyuYZahpADxMvaPong7bwL7cew=="
        ),
        folder="uswds-3.14.0",
        files={
            "dist/css/uswds.min.css": "css/uswds.min.css",
            "dist/js/uswds.min.js": "js/uswds.min.js",
            "dist/js/uswds-init.min.js": "js/uswds-init.min.js",
            "dist/img/sprite.svg": "img/sprite.svg",
            "LICENSE.md": "LICENSE.md",
        },
        stylesheet="dist/css/uswds.min.css",
        # The hero picture alone weighs more than all the rest, and no page of ours has a hero.
        left_out=frozenset({"dist/img/hero.jpg"}),
    ),
    Package(
        name="htmx.org",
        version="4.0.1",
        integrity=(
            "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
        ),
        folder="htmx.org-4.0.1",
        files={
            "dist/htmx.min.js": "htmx.min.js",
            "dist/scripts/upgrade-check.py": "upgrade-check.py",
            "LICENSE": "LICENSE",
        },
    ),
    # Only for the text of the Open Font License, which USWDS names but does not carry.
    Package(
        name="@fontsource/source-sans-pro",
        version="5.3.0",
        integrity=(
            "sha512-nd96qXI4stbyRPNEygS2cNhMkAc1kkW9+ORmIOK0oelPTyiitRPk/+9+HUuUYuEjwRRkK/+Gat2J9/NMJest/A=="
        ),
        folder="uswds-3.14.0",
        files={"LICENSE": "OFL-1.1.txt"},
    ),
)


def main() -> int:
    """Fetch, check, unpack, compress; replace ``static/vendor`` as a whole."""
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            sys.stderr.write(f"vendor.py needs {tool}; a machine that only runs Fairway does not\n")
            return 2
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        fresh = work / "vendor"
        packages = [_take(package, work, fresh) for package in PACKAGES]
        _compress(fresh)
        manifest = {"packages": packages, "files": _hashes(fresh)}
        (fresh / "manifest.json").write_text(
            json.dumps(manifest, indent=2) + "\n", encoding="utf-8"
        )
        shutil.rmtree(VENDOR, ignore_errors=True)
        shutil.copytree(fresh, VENDOR)
    total = sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file())
    sys.stdout.write(f"{len(manifest['files'])} files, {total / 1000:.0f} kB in static/vendor\n")
    return 0


def _take(package: Package, work: Path, fresh: Path) -> dict[str, str]:
    """Fetch one package, compare its archive with the pin, copy what we want; return its manifest entry."""
    archive = _fetch(package, work)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
    integrity = f"sha512-{digest}"
    if integrity != package.integrity:
        message = f"{package.name} {package.version} is not what was pinned: {integrity}"
        raise SystemExit(message)
    with tarfile.open(archive) as tar:
        wanted = dict(package.files)
        if package.stylesheet is not None:
            wanted |= _named_by(tar, package)
        for source, target in sorted(wanted.items()):
            destination = fresh / package.folder / target
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.write_bytes(_read(tar, source))
    return {
        "name": package.name,
        "version": package.version,
        "integrity": integrity,
        "folder": package.folder,
    }


def _fetch(package: Package, work: Path) -> Path:
    destination = work / "archives" / package.folder / package.name.replace("/", "-")
    destination.mkdir(parents=True)
    subprocess.run(
        [
            shutil.which("npm") or "npm",
            "pack",
            "--ignore-scripts",
            "--silent",
            "--pack-destination",
            str(destination),
            f"{package.name}@{package.version}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = destination.glob("*.tgz")
    return archive


def _named_by(tar: tarfile.TarFile, package: Package) -> dict[str, str]:
    """Archive path to our path, for everything the style sheet points at."""
    stylesheet = PurePosixPath(package.stylesheet or "")
    text = _read(tar, str(stylesheet)).decode("utf-8")
    found = {}
    for reference in set(re.findall(r"url\(([^)]+)\)", text)):
        address = reference.strip("\"'")
        if address.startswith("data:"):
            continue
        # The style sheet lies one folder below the root of what it names: "../img/x.svg" is "img/x.svg".
        inside = address.removeprefix("../")
        source = str(stylesheet.parent.parent / inside)
        if source not in package.left_out:
            found[source] = inside
    return found


def _read(tar: tarfile.TarFile, path: str) -> bytes:
    member = tar.extractfile(f"package/{path}")
    if member is None:
        message = f"{path} is not a file in the archive"
        raise SystemExit(message)
    return member.read()


def _compress(folder: Path) -> None:
    """Write ``.gz`` and ``.br`` beside each text file; the same input always gives the same bytes."""
    names = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in COMPRESSED_SUFFIXES and path.stat().st_size >= COMPRESS_FROM_BYTES
    ]
    for path in names:
        packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
        path.with_name(path.name + ".gz").write_bytes(packed)
    subprocess.run([shutil.which("node") or "node", "-e", BROTLI, *map(str, names)], check=True)


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


if __name__ == "__main__":
    sys.exit(main())
