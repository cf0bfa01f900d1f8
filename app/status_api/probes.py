"""Is the process alive, can it serve, and figures for the monitoring: at the root, for machines.

Strangers learn a word; details are for this machine alone, since they tell an attacker what to
wait for. The monitoring reads them through an agent on the same host.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, current_app, request
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.audit.states import LATE, troubles, waits_since
from app.authz.permissions import Permission
from app.db.migrate import head
from app.db.session import Principal, Role, transaction
from app.kernel.errors import NotFoundError, UnavailableError
from app.register.queries import answers
from app.status_api.register_map import FRESH_SECONDS, MapReader
from app.web.access import requires
from app.web.wiring import wiring

blueprint = Blueprint("probes", __name__)

READER = Principal("system:probe", role=Role.ENTRY)
MOST_SKEW_SECONDS = 2.0
MOST_HEARTBEAT_SECONDS = 60.0
MOST_UNSEALED_SECONDS = 60.0
MOST_UNCOSIGNED_SECONDS = 300.0
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

_FIGURES = text("""
SELECT (SELECT version_num FROM alembic_version) AS revision,
       clock_timestamp() AS now,
       (SELECT coalesce(max(last), 0) FROM register_sequencer) AS seq,
       (SELECT max(at) FROM register_sequencer) AS changed_at,
       (SELECT max(last_heartbeat) FROM procrastinate_workers) AS heartbeat,
       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo') AS waiting,
       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed') AS failed
""")


@dataclass(slots=True)
class Readiness:
    """What was found: `ready` decides, `degraded` is what others than us have to look at."""

    ready: bool = True
    degraded: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] | None = None

    @property
    def word(self) -> str:
        if not self.ready:
            return "unavailable"
        return "degraded" if self.degraded else "ok"


@blueprint.get("/healthz")
@requires(Permission.PUBLIC)
def health() -> Response:
    """The process answers; nothing else is asked."""
    return _json({"status": "ok"})


@blueprint.get("/readyz")
@requires(Permission.PUBLIC)
def ready() -> Response:
    """Whether this process can serve: database, its migrations, the register's freshness, the clock.

    A missing job worker only degrades, and so does an audit log that is not signed or cosigned:
    look-ups and decisions need neither.
    """
    found = readiness()
    body: dict[str, Any] = {"status": found.word}
    if _from_here():
        body["checks"] = found.details
    return _json(body, 200 if found.ready else 503)


@blueprint.get("/metrics")
@requires(Permission.PUBLIC)
def metrics() -> Response:
    """Figures in Prometheus' text format; for this machine alone, nothing to see for others."""
    if not _from_here():
        raise NotFoundError
    found = readiness()
    return Response(exposition(found), content_type=PROMETHEUS)


def readiness() -> Readiness:
    """Ask the database once; an unreachable one is an answer, not an error."""
    found = Readiness()
    try:
        with transaction(wiring().engine, READER, read_only=True) as session:
            row = session.execute(_FIGURES).one()
            found.figures = row._asdict()
            _judge_register(session, found)
            if row.revision == _head():
                # Before its migration the table of the log's state is not there to be asked.
                _judge_log(session, row.now, found)
    except OperationalError:
        found.ready = False
        found.details["database"] = {"ok": False}
        return found
    found.details["database"] = {"ok": True}
    _judge_revision(row.revision, found)
    _judge_clock(row.now, found)
    _judge_worker(row.now, row.heartbeat, found)
    return found


def _judge_register(session: Session, found: Readiness) -> None:
    """The map where a feeder keeps one, else the database itself."""
    reader: MapReader | None = current_app.extensions.get("fairway_register_map")
    if reader is not None:
        meta = reader.meta()
        age = None if meta is None or meta.beat == 0 else meta.age_ns() / 1e9
        ok = age is not None and age <= FRESH_SECONDS
        found.ready = found.ready and ok
        found.details["register"] = {
            "ok": ok,
            "seq": None if meta is None else meta.seq,
            "age_seconds": None if age is None else round(age, 3),
            **({} if ok else {"why": "register-stale"}),
        }
        return
    try:
        answers(session, [], now=wiring().clock.now())
    except UnavailableError as error:
        found.ready = False
        found.details["register"] = {"ok": False, "why": error.code}
    else:
        found.details["register"] = {"ok": True}


def _judge_log(session: Session, now: datetime, found: Readiness) -> None:
    """What waits too long to be sealed or cosigned, and what the sealer or a witness refuses.

    A refusal counts from its first second: the log denies what was signed before.
    """
    oldest = waits_since(session)
    waits = 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)
    wrong = {
        one.part: one.said
        for one in troubles(session)
        if one.trouble != LATE or (now - one.at).total_seconds() > MOST_UNCOSIGNED_SECONDS
    }
    ok = not wrong and waits <= MOST_UNSEALED_SECONDS
    found.degraded = found.degraded or not ok
    found.details["log"] = {"ok": ok, "unsealed_seconds": round(waits, 3), "trouble": wrong}


def _judge_revision(revision: str, found: Readiness) -> None:
    wanted = _head()
    ok = revision == wanted
    found.ready = found.ready and ok
    found.details["migrations"] = {"ok": ok, "at": revision, "wanted": wanted}


def _judge_clock(database_now: datetime, found: Readiness) -> None:
    """Two clocks that differ answer differently about the same instant."""
    skew = abs((database_now.astimezone(UTC) - wiring().clock.now()).total_seconds())
    ok = skew <= MOST_SKEW_SECONDS
    found.ready = found.ready and ok
    found.details["clock"] = {"ok": ok, "skew_seconds": round(skew, 3)}


def _judge_worker(now: datetime, heartbeat: datetime | None, found: Readiness) -> None:
    age = None if heartbeat is None else (now - heartbeat).total_seconds()
    ok = age is not None and age <= MOST_HEARTBEAT_SECONDS
    found.degraded = found.degraded or not ok
    found.details["worker"] = {
        "ok": ok,
        "heartbeat_age_seconds": None if age is None else round(age, 3),
    }


@functools.cache
def _head() -> str:
    return head()


def exposition(found: Readiness) -> str:
    """The figures in Prometheus' text format 0.0.4; a figure that is unknown is left out."""
    lines: list[str] = []
    gauge = functools.partial(_gauge, lines)
    gauge("fairway_ready", "Whether this process can serve.", int(found.ready))
    row = found.figures
    if row is not None:
        gauge("fairway_register_seq", "The newest change of the register.", row["seq"])
        gauge(
            "fairway_register_changed_timestamp_seconds",
            "When the register last changed.",
            _seconds(row["changed_at"]),
        )
        gauge(
            "fairway_worker_heartbeat_timestamp_seconds",
            "When a job worker last gave a sign of life.",
            _seconds(row["heartbeat"]),
        )
        gauge(
            "fairway_register_age_seconds",
            "How long ago the feeder confirmed the register.",
            found.details["register"].get("age_seconds"),
        )
        log = found.details.get("log", {"unsealed_seconds": None, "trouble": ()})
        gauge(
            "fairway_log_unsealed_seconds",
            "How long an event waits to be sealed.",
            log["unsealed_seconds"],
        )
        gauge(
            "fairway_log_trouble",
            "Parts of the audit log that somebody must look at.",
            len(log["trouble"]),
        )
        gauge("fairway_jobs_waiting", "Jobs that wait for a worker.", row["waiting"])
        gauge("fairway_jobs_failed", "Jobs that were given up.", row["failed"])
        skew = found.details["clock"]["skew_seconds"]
        gauge("fairway_clock_skew_seconds", "Our clock against the database's.", skew)
    return "\n".join(lines) + "\n"


def _gauge(lines: list[str], name: str, meaning: str, value: float | None) -> None:
    if value is not None:
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {value}"]


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _from_here() -> bool:
    """Whether a process of this very machine asks, and for itself: a proxy asks for others."""
    try:
        peer = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return peer.is_loopback and not any(name in request.headers for name in FORWARDED)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
