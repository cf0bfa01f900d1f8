"""Signing keys on disk: one file a purpose, readable by the service's own account alone.

A file is a JSON Web Key Set. Its first key signs; all of them verify, so that a key can be
changed by putting a new one in front and taking the old one out when its last token has ended.
"""

import json
import os
import tempfile
from pathlib import Path

from joserfc.jwk import KeySet, OKPKey

from app.config import Settings

ALGORITHM = "Ed25519"


class KeyFileError(RuntimeError):
    """A key file that others can read, or that holds no usable key."""


def keys_dir(settings: Settings) -> Path:
    """Where the keys are: `FAIRWAY_KEYS_DIR`, or `keys` in the home."""
    return settings.keys_dir or settings.home / "keys"


def load_or_create(directory: Path, name: str) -> KeySet:
    """The key set `name`; an Ed25519 key is made when there is none yet.

    Processes that start at the same moment agree on one key: the file comes into being complete,
    by a hard link, and whoever is second reads what the first one made. `KeyFileError` when
    the file is readable by others, since such a key must not be trusted any more.
    """
    path = directory / f"{name}.json"
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    if path.stat().st_mode & 0o077:
        msg = f"{path} can be read by other accounts. Make it 0600, and consider a new key."
        raise KeyFileError(msg)
    try:
        found = KeySet.import_key_set(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        msg = f"{path} is not a JSON Web Key Set."
        raise KeyFileError(msg) from error
    if not found.keys:
        msg = f"{path} holds no key."
        raise KeyFileError(msg)
    return found


def _create(path: Path) -> None:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    content = json.dumps(KeySet([key]).as_dict(private=True))
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return
    finally:
        Path(unfinished).unlink()
