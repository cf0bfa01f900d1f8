"""Who asked about whom, written in batches: the recorder of a worker.

A look-up is answered when its record stands in this process's memory, as the very line that COPY
takes: identifiers are hashed by then. Each second the lines go to the database, with the count of
requests for the quota and the note of the last use, in one short transaction. A worker that is
killed loses at most that second. When nothing could be written for five seconds, look-ups are
refused until it can: what cannot be recorded is not answered.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.audit.access import Circumstances, Seen, record_security_event
from app.audit.tags import SecurityTag
from app.db.session import Principal, Role, transaction
from app.identity import quota
from app.identity.last_use import renew
from app.identity.models import ApiClient
from app.kernel.clock import Clock
from app.kernel.errors import UnavailableError
from app.status_api.rendering import LETTERS, SUBJECT, SUBJECT_SIZE, text_of

RECORDER: Final = Principal("system:record", role=Role.ENTRY)
EACH_SECONDS: Final = 1.0
MOST_UNWRITTEN_SECONDS: Final = 5.0
MALFORMED: Final = b"m"
WORDS: Final = {letter: word for word, letter in LETTERS.items()}
PARTNER_BEGINS: Final = SUBJECT_SIZE + 2
MOST_WAITING: Final = 500_000
MOST_BLOCKS: Final = 2_000
FEWEST_OF_BLOCK: Final = 50
"""Fewer are written one by one."""
NULL: Final = b"\\N"
_COPY: Final = (
    "COPY lookup_record (at, client_id, subject, answer, trader_id, seq) FROM STDIN (FORMAT text)"
)
_COPY_BLOCKS: Final = "COPY lookup_block (at, client_id, seq, looked_up) FROM STDIN (FORMAT text)"


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who asks through the lane: one of these for each token, so that they are counted quickly."""

    client_id: uuid.UUID
    credential_id: uuid.UUID
    column: bytes

    @classmethod
    def of(cls, client_id: uuid.UUID, credential_id: uuid.UUID) -> "Caller":
        return cls(client_id, credential_id, str(client_id).encode())


class LookupRecorder:
    """Keeps the look-ups of this process until they are written.

    Without `start` each note is written at once, by whoever notes it.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        # Two lists, since a pair for each look-up would be an object for the garbage collector.
        self._waiting: list[bytes] = []
        self._asked: list[Caller] = []
        self._blocks: list[bytes] = []
        self._written = time.monotonic()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()
        self._log = structlog.get_logger("lookups")
        self.over_quota: dict[uuid.UUID, datetime] = {}
        """Clients beyond their quota, and until when; the ordinary way counts them exactly."""

    def start(self) -> None:
        """Write each second from a thread of this process; call it after the process was forked."""
        self._written = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="lookups", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def note(self, client_id: uuid.UUID, seen: Iterable[Seen], *, now: datetime) -> None:
        """Keep look-ups of an ordinary view, in bulk if there are many.

        `UnavailableError` with code `not-recorded` when they could not be written for too long.
        """
        as_of, client = text_of(now), str(client_id).encode()
        self.note_lines([_line_of(as_of, client, one) for one in seen])

    def note_lines(self, lines: Iterable[bytes]) -> None:
        """The same for what stands in lines already."""
        self.refuse_if_late()
        self._waiting.extend(lines)
        if self._thread is None:
            self.write()

    def refuse_if_late(self) -> None:
        """`UnavailableError` with code `not-recorded` when too much waits, or for too long."""
        if not self.can_write():
            raise UnavailableError("Look-ups cannot be recorded just now.", code="not-recorded")

    def note_blocks(self, blocks: Sequence[bytes], as_of: bytes, client: bytes, seq: int) -> None:
        """Keep look-ups of one instant and state, as `joined` gives what is kept of them."""
        for block in blocks:
            if block.count(b",") + 1 >= FEWEST_OF_BLOCK:
                self._blocks.append(b"%b\t%b\t%d\t%b\n" % (as_of, client, seq, block))
                continue
            self._waiting.extend(_unfolded(as_of, client, seq, one) for one in block.split(b","))
        if self._thread is None:
            self.write()

    def put_quickly(self, noted: bytes, caller: Caller) -> None:
        """Keep a line of the lane, which leaves it to us to count who asks."""
        self._waiting.append(noted)
        self._asked.append(caller)

    def count_one(self, caller: Caller) -> None:
        """Count a request of the lane whose look-ups were noted in blocks."""
        self._asked.append(caller)

    def can_write(self) -> bool:
        """Whether what waits was written within the last five seconds, or nothing waits."""
        waiting, blocks = len(self._waiting), len(self._blocks)
        if (waiting == 0 and blocks == 0) or self._thread is None:
            return True
        late = time.monotonic() - self._written > MOST_UNWRITTEN_SECONDS
        return not late and waiting < MOST_WAITING and blocks < MOST_BLOCKS

    def write(self) -> None:
        """Write what waits, in one transaction; on an error it waits on."""
        with self._writing:
            # Each of these is one step for the threads that append meanwhile; who has appended
            # but the line is counted with the next batch.
            batch, asked, blocks = self._waiting[:], self._asked[:], self._blocks[:]
            del self._waiting[: len(batch)]
            del self._asked[: len(asked)]
            del self._blocks[: len(blocks)]
            if batch or blocks:
                try:
                    self._write(batch, blocks, asked)
                except BaseException:
                    self._waiting[:0] = batch
                    self._asked[:0] = asked
                    self._blocks[:0] = blocks
                    raise
            self._written = time.monotonic()

    def _run(self) -> None:
        while not self._stop.wait(EACH_SECONDS):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.write()
        except (SQLAlchemyError, psycopg.Error) as error:
            # COPY speaks to the driver itself, whose errors nobody wraps.
            self._log.warning("look-ups not written", kind=type(error).__name__)

    def _write(
        self, batch: Sequence[bytes], blocks: Sequence[bytes], callers: Sequence[Caller]
    ) -> None:
        now = self._clock.now()
        asked: Counter[uuid.UUID] = Counter()
        for caller, number in Counter(callers).items():
            asked[caller.client_id] += number
        used = {(one.client_id, one.credential_id) for one in set(callers)}
        over: dict[uuid.UUID, datetime] = {}
        with transaction(self._engine, RECORDER) as session:
            if batch:
                copy_in(session, [b"".join(batch)])
            if blocks:
                copy_in(session, blocks, into=_COPY_BLOCKS)
            for client_id, credential_id in used:
                renew(session, client_id, credential_id, now)
            crossed = self._count(session, asked, now, over)
        # Whoever is beyond a limit stays so until the window ends, though the lane counts no more.
        kept = {one: ends for one, ends in self.over_quota.items() if ends > now}
        self.over_quota = kept | over
        for client_id, window in crossed.items():
            # Only the first refusal of a window is recorded: the record must not be floodable.
            record_security_event(
                self._engine,
                SecurityTag.QUOTA_REACHED,
                Circumstances(at=now, data={"window": window.name, "limit": window.limit}),
                client_id=client_id,
            )

    def _count(
        self,
        session: Session,
        asked: Mapping[uuid.UUID, int],
        now: datetime,
        over: dict[uuid.UUID, datetime],
    ) -> dict[uuid.UUID, quota.Window]:
        """Count what the lane has let through; who is over, and who became so just now."""
        crossed = {}
        # One order for all workers, so that two of them never wait for each other in a circle.
        for client_id in sorted(asked):
            client = session.get(ApiClient, client_id)
            if client is None:
                continue
            for window in quota.count(session, client, amount=asked[client_id], now=now):
                # At the limit itself the next one is the ordinary way's to count and refuse.
                if window.used >= window.limit:
                    over[client_id] = max(over.get(client_id, window.ends), window.ends)
                if window.used > window.limit >= window.used - asked[client_id]:
                    crossed[client_id] = window
        return crossed


def line(as_of: bytes, client: bytes, subject: bytes, word: bytes, named: bytes, seq: int) -> bytes:
    """One line of COPY's text form; none of its values can hold a tab or a backslash.

    `named` is the partner, nothing if the answer names none.
    """
    return b"%b\t%b\t%b\t%b\t%b\t%d\n" % (as_of, client, subject, word, named or NULL, seq)


def malformed_line(as_of: bytes, client: bytes, subject: bytes) -> bytes:
    """The same for what was no identifier: it names no partner and no change."""
    return b"%b\t%b\t%b\tmalformed\t%b\t%b\n" % (as_of, client, subject, NULL, NULL)


def _line_of(as_of: bytes, client: bytes, seen: Seen) -> bytes:
    trader = NULL if seen.trader_id is None else str(seen.trader_id).encode()
    seq = NULL if seen.seq is None else str(seen.seq).encode()
    said = (as_of, client, seen.subject.encode(), seen.answer.encode(), trader, seq)
    return b"\t".join(said) + b"\n"


def _unfolded(as_of: bytes, client: bytes, seq: int, one: bytes) -> bytes:
    """The line of one look-up of a block; the database takes the others apart in the same way."""
    subject, letter, named = (
        one[SUBJECT],
        one[SUBJECT_SIZE : SUBJECT_SIZE + 1],
        one[PARTNER_BEGINS:],
    )
    if letter == MALFORMED:
        return malformed_line(as_of, client, subject)
    return line(as_of, client, subject, WORDS[letter], named, seq)


def copy_in(session: Session, lines: Iterable[bytes], *, into: str = _COPY) -> None:
    """Send lines of COPY's text form within the session's transaction."""
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for one in lines:
            copy.write(one)


def unfold(session: Session, *, most: int) -> int:
    """Make rows of the look-ups of at most `most` blocks, oldest first; how many blocks it were.

    In the session's transaction: a look-up stands in a block or in a row of its own, never in both.
    """
    return int(session.execute(select(func.fairway_unfold_lookups(most))).scalar_one())
