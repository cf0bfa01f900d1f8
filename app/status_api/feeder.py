"""The feeder: one process of each host that keeps the map of the register at the database's state.

It listens for changes, catches up by number, and asks once a second whatever it hears: a lost
notification costs a second. Each time it writes into the map when it asked, and only then do
readers trust the map for five seconds more. A process that lives but cannot ask confirms nothing.
A map that knows more than the database, or another past, is built anew and refuses meanwhile:
so does a damaged one, one of another boot, and one of other programmes.
"""

import fcntl
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import lmdb
import psycopg
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.db.session import BoundSession, Principal, Role
from app.identity.queries import denials, live_credentials
from app.kernel.clock import Clock, SystemClock
from app.kernel.identifiers import Identifier, Scheme, parse
from app.register.following import (
    change_numbered,
    partners_changed,
    replay_age_ms,
    verified_identifiers,
)
from app.register.programme import PROGRAMMES
from app.register.queries import head, holdings
from app.status_api.credentials import KnownCredential
from app.status_api.lookups import LookupRecord
from app.status_api.map_values import CREDENTIAL, DENIAL, DamagedMapError, Meta, identifier_key
from app.status_api.register_map import MapWriter
from app.status_api.rendering import (
    MARGIN,
    UNKNOWN_SUBJECT,
    microseconds,
    packed,
    pieces,
    text_of,
)
from app.traders.sealing import sealer

FEEDER: Final = Principal("system:feeder", role=Role.WORKER)
LAYOUT: Final = "3"
CHANNELS: Final = ("fairway_register", "fairway_clients")
POLL_SECONDS: Final = 1.0
WAITS_SECONDS: Final = (0.1, 0.2, 0.5, 1.0)
MOST_SKEW_SECONDS: Final = 2.0
PAGE: Final = 5_000
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
Key = tuple[str, str]


class SkewedClockError(Exception):
    """This host's clock and the database's differ: the same instant would mean two things."""


class Feeder:
    """Keeps one folder's map. `turn` asks the database once; `run` does so until it is stopped."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        clock: Clock | None = None,
        record: LookupRecord | None = None,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._clock = clock or SystemClock()
        self._record = record
        self._log = structlog.get_logger("feeder")
        self._map: MapWriter | None = None
        self._clients: dict[bytes, bytes] = {}
        self.rebuilt = 0

    def run(self, url: str, stop: threading.Event) -> None:
        """Follow the register until `stop`; `url` is where to listen.

        Whatever fails is logged and tried again. Meanwhile nothing is confirmed, so every reader
        refuses after five seconds.
        """
        with only_one(self._folder, stop):
            failures = 0
            while not stop.is_set():
                try:
                    with listening(url) as connection:
                        self.turn()
                        failures = 0
                        self._follow(connection, stop)
                except (SQLAlchemyError, psycopg.Error, SkewedClockError, lmdb.Error, OSError) as e:
                    self._log.warning("register not followed", kind=type(e).__name__)
                    stop.wait(WAITS_SECONDS[min(failures, len(WAITS_SECONDS) - 1)])
                    failures += 1
                except DamagedMapError:
                    self._abandon()
            self.close()

    def _follow(self, connection: psycopg.Connection, stop: threading.Event) -> None:
        due = time.monotonic() + POLL_SECONDS
        while not stop.is_set():
            patience = max(due - time.monotonic(), 0)
            heard = {one.channel for one in connection.notifies(timeout=patience, stop_after=1)}
            if time.monotonic() >= due or CHANNELS[1] in heard:
                self.turn()
                due = time.monotonic() + POLL_SECONDS
            elif heard:
                self.turn(whole=False)

    def turn(self, *, whole: bool = True) -> None:
        """Ask the database once, and put what it says into the map.

        Only a whole turn, which asks about API clients as well, moves the heartbeat: everything
        that a reader trusts was asked for after the instant that it tells.
        """
        asked = time.monotonic_ns()
        with self._snapshot() as session:
            now = self._clock.now()
            newest = head(session, now=now)
            if self._map is None:
                self._map = self._resumed()
            if self._map is None or self._other_past(session, self._map.meta):
                self._build(session, now, asked)
                return
            found = self._map
            changes: dict[bytes, bytes | None] = {}
            if newest.seq > found.meta.seq:
                keys = partners_changed(session, after=found.meta.seq, until=newest.seq)
                for start in range(0, len(keys), PAGE):
                    changes |= self._rendered(session, found, keys[start : start + PAGE], now)
            beat, clients = found.meta.beat, found.meta.clients
            if whole:
                self._check_clock(session)
                beat = asked - int(replay_age_ms(session) * 1e6)
                news = self._client_news(session, now)
                changes |= news
                clients += bool(news)
                found.sweep()
            if changes or whole or newest.seq != found.meta.seq:
                found.write(Meta(newest.seq, text_of(newest.at), beat, clients), changes)

    def close(self) -> None:
        """Leave the map as it is; it can be gone on with."""
        if self._map is not None:
            self._map.close()
            self._map = None

    @contextmanager
    def _snapshot(self) -> Iterator[Session]:
        """One state of the database for everything that is read in it."""
        with BoundSession(self._engine, FEEDER, read_only=True) as session, session.begin():
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def _resumed(self) -> MapWriter | None:
        """The map that another process left, unless there is a reason against it."""
        try:
            found = MapWriter.resume(self._folder, fingerprint(self._record))
            self._clients = {**found.known(CREDENTIAL), **found.known(DENIAL)}
        except (DamagedMapError, lmdb.Error) as error:
            self._log.info("map built anew", why=str(error))
            return None
        return found

    def _other_past(self, session: Session, meta: Meta) -> bool:
        """Whether the change that the map knows as its newest is not the database's."""
        if meta.seq == 0:
            return False
        found = change_numbered(session, meta.seq)
        return found is None or text_of(found.at) != meta.known

    def _abandon(self) -> None:
        """Give a damaged map up; the next turn builds another."""
        self._log.error("map damaged")
        if self._map is not None:
            self._map.close()
            self._map = None
        (self._folder / "current").unlink(missing_ok=True)

    def _build(self, session: Session, now: datetime, asked: int) -> None:
        """A new generation of everything; the old one refuses from the first moment on."""
        if self._map is not None:
            self._log.warning("database has another past", seq=self._map.meta.seq)
            self._map.refuse()
            self._map.close()
            self._map = None
        self.rebuilt += 1
        self._check_clock(session)
        newest = head(session, now=now)
        building = MapWriter.anew(self._folder, fingerprint(self._record))
        last = ("", "")
        while keys := verified_identifiers(session, after=last, limit=PAGE):
            last = keys[-1]
            building.write(
                Meta(newest.seq, text_of(newest.at), 0),
                self._rendered(session, building, keys, now),
            )
        self._clients = {}
        beat = asked - int(replay_age_ms(session) * 1e6)
        building.write(
            Meta(newest.seq, text_of(newest.at), beat, asked),
            self._client_news(session, now),
        )
        building.publish()
        self._map = building

    def _rendered(
        self, session: Session, into: MapWriter, keys: list[Key], now: datetime
    ) -> dict[bytes, bytes | None]:
        """What the map has to say about each of the identifiers; nothing about nobody's."""
        _moment, holders = holdings(session, keys, now=now, valid_at=now - MARGIN)
        found: dict[bytes, bytes | None] = {}
        for scheme, key in keys:
            sensitive = is_personal(scheme, key)
            name = identifier_key(scheme, key, sensitive=sensitive)
            told = pieces(
                Identifier(Scheme[scheme.upper()], "" if sensitive else key),
                holders.get((scheme, key), {}),
                at=now,
            )
            if all(one.is_nobody for one in told):
                found[name] = None
                continue
            codes = {}
            for one in told:
                codes[one.template], news = into.code_of(one.template)
                found |= news
            found[name] = packed(told, codes, self._subject(scheme, key, sensitive=sensitive))
        return found

    def _subject(self, scheme: str, key: str, *, sensitive: bool) -> bytes:
        """Under what a look-up is recorded; of a person's number only who has it can say."""
        if self._record is None or sensitive:
            return UNKNOWN_SUBJECT
        return self._record.subject(scheme, key).encode()

    def _client_news(self, session: Session, now: datetime) -> dict[bytes, bytes | None]:
        """What has changed about API clients since the last time."""
        present = {
            CREDENTIAL + credential.bytes: KnownCredential(
                client, public, frozenset(scopes), None if until is None else microseconds(until)
            ).packed()
            for credential, client, public, scopes, until in live_credentials(session)
        }
        present |= {DENIAL + jti.encode(): b"" for jti in denials(session, now)}
        before, self._clients = self._clients, present
        gone: dict[bytes, bytes | None] = {key: None for key in before if key not in present}
        return gone | {key: one for key, one in present.items() if before.get(key) != one}

    def _check_clock(self, session: Session) -> None:
        database = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        if abs((database - SystemClock().now()).total_seconds()) > MOST_SKEW_SECONDS:
            raise SkewedClockError


def is_personal(scheme: str, key: str) -> bool:
    """Whether a look-up key is the keyed hash of a number of social-security form."""
    return scheme == Scheme.IOR.value and len(key) == 64  # noqa: PLR2004 - SHA-256 in hexadecimal.


def fingerprint(record: LookupRecord | None = None) -> str:
    """What a map must agree with to be gone on with: layout, boot, keys and programmes."""
    boot = BOOT.read_text("ascii").strip() if BOOT.exists() else ""
    probe = sealer().keyed_hash(parse(Scheme.FILER, "WKV"))
    subject = "" if record is None else record.subject("filer", "WKV")
    programmes = "".join(PROGRAMMES[one].model_dump_json() for one in sorted(PROGRAMMES))
    told = f"{LAYOUT}\n{boot}\n{probe}\n{subject}\n{programmes}"
    return hashlib.sha256(told.encode()).hexdigest()


@contextmanager
def listening(url: str) -> Iterator[psycopg.Connection]:
    """A connection that hears of changes; what came before it is for a turn to find."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
        for channel in CHANNELS:
            connection.execute(f"LISTEN {channel}".encode())
        yield connection


@contextmanager
def only_one(folder: Path, stop: threading.Event) -> Iterator[None]:
    """Wait until no other process writes this folder's map."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "writer.lock").open("a") as lock:
        while not stop.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.wait(0.2)
        yield
