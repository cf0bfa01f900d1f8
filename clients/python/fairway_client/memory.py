"""What a program must not forget when it is started again: how much it has seen of the register.

A program without a memory believes after each start whoever plays it an answer or a list of last week
that is otherwise in order, for as long as that lasts.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairway_client.answer import UnusableError


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest register change of any answer, and the latest `iat` of any list."""

    seq: int = 0
    listed_at: int = 0

    def raised_by(self, other: "Seen") -> "Seen":
        """The higher of both, each for itself."""
        return Seen(max(self.seq, other.seq), max(self.listed_at, other.listed_at))


class Memory:
    """A small file, of one installation. Several programs of one machine may share it.

    A file that cannot be read as what we wrote is `ValueError` at the start: to begin anew is for a
    person to decide, by taking the file away. One that cannot be written makes answers unusable
    (`memory`), since the next start would know less than this one has relied on.
    """

    def __init__(self, path: str | Path, issuer: str) -> None:
        self._path = Path(path)
        self._issuer = issuer
        self.seen = self._read()

    def rise(self, seen: Seen) -> Seen:
        """Keep what is higher than before, on the disk, and give what is known now."""
        if self.seen.raised_by(seen) == self.seen:
            return self.seen
        try:
            with self._alone():
                # Another program may have seen more meanwhile.
                self.seen = self._read().raised_by(self.seen).raised_by(seen)
                self._write()
        except (OSError, ValueError) as error:
            raise UnusableError("memory") from error
        return self.seen

    def _read(self) -> Seen:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Seen()
        if not isinstance(found, dict) or set(found) != {"issuer", "seq", "listed_at"}:
            msg = f"{self._path} is not a memory of this client. Take it away to begin anew."
            raise ValueError(msg)
        numbers = (found["seq"], found["listed_at"])
        if found["issuer"] != self._issuer or any(
            type(one) is not int or one < 0 for one in numbers
        ):
            msg = f"{self._path} is of another installation. Take it away to begin anew."
            raise ValueError(msg)
        return Seen(*numbers)

    def _write(self) -> None:
        """Whole or not at all: a power cut leaves the file before or the one after."""
        text = json.dumps(
            {"issuer": self._issuer, "seq": self.seen.seq, "listed_at": self.seen.listed_at}
        )
        handle, unfinished = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(self._path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
