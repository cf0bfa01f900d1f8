"""The newest checkpoint, kept in a file outside of the database: it never goes back."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.audit.notes import Checkpoint, NoteError, Verifier, open_note, parse_note

LATEST: Final = "latest"


class RolledBackError(RuntimeError):
    """The log is shorter than, or other than, what was signed before: nothing is signed any more."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The folder outside of the database that keeps the newest checkpoint."""

    folder: Path

    def newest(self, log: Verifier) -> Checkpoint | None:
        """What was signed last; `RolledBackError` when the copy itself is not good."""
        path = self.folder / LATEST
        if not path.exists():
            return None
        try:
            return open_note(path.read_text("utf-8"), log)
        except NoteError as error:
            raise RolledBackError(f"The kept checkpoint is not good: {error}") from error

    def keep(self, note: str, log: Verifier) -> None:
        """Replace the newest checkpoint in one step, unless what is there is newer.

        Under a lock, since two sealers may arrive in either order; file and folder reach the disk
        before this returns, so that no power cut takes back what was told to others.
        `RolledBackError` when the file holds another root for the same size.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = open_note(note, log)
        with self._alone():
            old = self.newest(log)
            if old is not None and old.size == new.size and old.root != new.root:
                raise RolledBackError(f"Two checkpoints of {new.size} leaves were signed: a fork.")
            if old is not None and (old.size, self._signatures()) >= (new.size, _count(note)):
                return
            unfinished = self.folder / f".{LATEST}"
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / LATEST)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _signatures(self) -> int:
        return _count((self.folder / LATEST).read_text("utf-8"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _count(note: str) -> int:
    """How many have signed: the same checkpoint with a cosignature more is the better copy."""
    return len(parse_note(note)[1])
