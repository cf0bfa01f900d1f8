"""Where the bytes are: a folder or an object store, behind the same few calls.

Keys are `<trader id>/<sha256>`. Equal files of two traders are two objects: one shared object
would tell each of them, by timing or by quota, that somebody else has it as well. A file that is
sealed (see `app.documents.sealed`) has the digest of its plain bytes too, and a key of its own:
the same bytes may be there in plain form, as a document.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

# The driver goes to the one store of the settings, as the database's goes to the database.
import obstore  # house: one-door-out - the operator's own store, see above.
from obstore.store import LocalStore, from_url  # house: one-door-out - as above.

from app.config import Settings
from app.kernel.errors import UnavailableError

CHUNK = 256 * 1024
LOCAL = "file:"
HELD = "held"


class HeldObject(NamedTuple):
    """A file that is held for somebody, and since when."""

    key: str
    since: datetime


class Files:
    """One store. `folder` is its root when it is a folder of this machine."""

    def __init__(self, store: Any, folder: Path | None = None) -> None:  # noqa: ANN401 - untyped.
        self._store = store
        self._folder = folder

    def put(self, trader_id: uuid.UUID, sha256: str, file: BinaryIO) -> None:
        """Put a file into place, whole or not at all, and return when it is on the disk.

        The store writes beside the place and renames. An equal object is written again rather
        than trusted: it may be what a crash left behind.
        """
        self._put(key_of(trader_id, sha256), file)

    def put_sealed(self, trader_id: uuid.UUID, sha256: str, sealed: BinaryIO) -> None:
        """Put a sealed file into place as `put` does; `sha256` is that of its plain bytes."""
        self._put(sealed_key_of(trader_id, sha256), sealed)

    def _put(self, key: str, file: BinaryIO) -> None:
        file.seek(0)
        obstore.put(self._store, key, file)
        if self._folder is not None:
            place = self._folder / key
            for path in (place, place.parent, self._folder):
                _sync(path)

    def read(self, trader_id: uuid.UUID, sha256: str) -> Iterator[bytes]:
        """The bytes in chunks; `UnavailableError` when they are gone or are not what was stored.

        They are read twice, once to compare them with their hash, so that nobody is handed
        what was altered on the disk.
        """
        digest = hashlib.sha256()
        key = key_of(trader_id, sha256)
        for chunk in self._chunks(key):
            digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise damaged_file()
        return self._chunks(key)

    def read_sealed(self, trader_id: uuid.UUID, sha256: str) -> Iterator[bytes]:
        """The sealed bytes in chunks, unverified; `UnavailableError` when they are gone.

        Whoever opens the seal verifies them.
        """
        return self._chunks(sealed_key_of(trader_id, sha256))

    def put_held(self, person_id: uuid.UUID, hold_id: uuid.UUID, sealed: BinaryIO) -> None:
        """Put a file that is held for a person (see `app.documents.held`); a crash may lose it."""
        sealed.seek(0)
        obstore.put(self._store, held_key_of(person_id, hold_id), sealed)

    def read_held(self, key: str) -> Iterator[bytes]:
        """The sealed bytes of a held file; `UnavailableError` when it is gone."""
        return self._chunks(key)

    def held(self, person_id: uuid.UUID | None = None) -> list[HeldObject]:
        """What is held for one person, or for all, the latest first."""
        prefix = HELD if person_id is None else f"{HELD}/{person_id}"
        found = [
            HeldObject(one["path"], one["last_modified"])
            for page in obstore.list(self._store, prefix)
            for one in page
        ]
        return sorted(found, key=lambda one: one.since, reverse=True)

    def drop_held(self, key: str) -> None:
        """Delete a held file; nothing happens when somebody else was faster."""
        with suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def _chunks(self, key: str) -> Iterator[bytes]:
        try:
            found = obstore.get(self._store, key)
        except FileNotFoundError as error:
            raise UnavailableError(
                "The stored file is missing, so it cannot be handed out.", code="file-missing"
            ) from error
        return (bytes(chunk) for chunk in found.stream(min_chunk_size=CHUNK))


def key_of(trader_id: uuid.UUID, sha256: str) -> str:
    """The object's key; made from a UUID and hexadecimal digits alone, never from a name."""
    return f"{trader_id}/{sha256}"


def sealed_key_of(trader_id: uuid.UUID, sha256: str) -> str:
    """The key of a sealed object, made from the same two and nothing else."""
    return f"{key_of(trader_id, sha256)}.sealed"


def held_key_of(person_id: uuid.UUID, hold_id: uuid.UUID) -> str:
    """The key of a file that is held for a person; documents have the id of a trader first."""
    return f"{HELD}/{person_id}/{hold_id}"


def damaged_file() -> UnavailableError:
    """What is raised for a file whose bytes are not those that were stored."""
    return UnavailableError(
        "The stored file is damaged, so it is not handed out.", code="file-damaged"
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@lru_cache(maxsize=4)
def open_files(url: str) -> Files:
    """The store at `file:<folder>` or `s3://bucket/prefix`; a missing folder is made."""
    if not url.startswith(LOCAL):
        return Files(from_url(url))
    folder = Path("/" + url.removeprefix(LOCAL).lstrip("/")).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Files(LocalStore(str(folder)), folder)


_equipped: list[Files] = []


def equip_files(settings: Settings) -> None:
    """Give this process its store, once, before the first file is kept or read."""
    url = settings.files_url or f"{LOCAL}{(settings.home / 'files').resolve()}"
    _equipped[:] = [open_files(url)]


def files() -> Files:
    """What `equip_files` was given; a use before it is a programming error."""
    if not _equipped:
        msg = "This process was not given a place for files."
        raise RuntimeError(msg)
    return _equipped[0]
