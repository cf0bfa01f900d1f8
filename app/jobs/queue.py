"""The procrastinate application, and enqueueing inside the business transaction.

A job's row is invisible until the commit, so nothing runs for a change that was rolled back, and
nothing is forgotten for one that was made. Tasks are handed a `Work` of the system and must be
idempotent: a job whose worker was killed is run again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import procrastinate
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, make_url

from app.authz.actor import system_actor
from app.config import Settings
from app.db.session import BoundSession, Principal, Role
from app.kernel.clock import Clock
from app.work import Reactions, Work

queue = App(connector=PsycopgConnector())
# A worker's own connector is open and asynchronous, so a job that enqueues another one in its
# transaction needs one that is neither; it only ever uses the connection that it is given.
_sender = App(connector=SyncPsycopgConnector())
WORKER = system_actor("worker")
STALLED_AFTER = 60


@dataclass(slots=True)
class Bench:
    """What a worker's process works with; set once by `equip`."""

    engine: Engine
    clock: Clock
    settings: Settings
    reactions: Reactions = field(default_factory=dict)


_bench: list[Bench] = []


def equip(bench: Bench) -> None:
    """Give this process's tasks their database, clock and settings."""
    _bench[:] = [bench]


def bench() -> Bench:
    """What `equip` was given; a task that runs before it is a programming error."""
    if not _bench:
        msg = "The worker was not equipped."
        raise RuntimeError(msg)
    return _bench[0]


@contextmanager
def job_work(part: str = "worker") -> Iterator[Work]:
    """One unit of work for one step of a task, committed at the end."""
    tools = bench()
    actor = system_actor(part)
    who = Principal(actor.principal, role=Role.WORKER)
    with BoundSession(tools.engine, who) as session, session.begin():
        yield Work(session=session, actor=actor, now=tools.clock.now(), reactions=tools.reactions)


def task(name: str, **options: Any) -> Callable[[Callable[..., None]], Any]:  # noqa: ANN401
    """Declare a task under a fixed name; it is retried with growing pauses for about an hour."""
    options.setdefault("retry", procrastinate.RetryStrategy(max_attempts=8, exponential_wait=3))
    return queue.task(name=name, pass_context=False, **options)


def defer(
    work: Work,
    name: str,
    *,
    in_turn: str | None = None,
    **arguments: Any,  # noqa: ANN401 - JSON values.
) -> None:
    """Enqueue the task `name` in the transaction of `work`.

    Jobs with the same words `in_turn` run one after the other, as they were enqueued: a later one
    waits until the earlier one is done or given up, across its retries and its worker's death.
    A role may enqueue the tasks of its migration alone, about rows that it sees: the row must be
    there, so everything is flushed first.
    """
    work.session.flush()
    connection = work.session.connection().connection.driver_connection
    configured = _sender.configure_task(
        name, allow_unknown=True, connection=connection, lock=in_turn
    )
    configured.defer(**arguments)


def conninfo(url: str) -> str:
    """The libpq form of an SQLAlchemy URL, with the queue's schema in reach."""
    parts = make_url(url).translate_connect_args(username="user", database="dbname")
    parts.update(make_url(url).query)
    return make_conninfo(**parts, options="-c search_path=procrastinate,public")


def run_worker(url: str, *, wait: bool = True, concurrency: int = 2) -> None:
    """Work on jobs until SIGTERM, or with `wait=False` until none is due."""
    with queue.replace_connector(PsycopgConnector(conninfo=conninfo(url))) as opened:
        opened.run_worker(
            wait=wait,
            concurrency=concurrency,
            install_signal_handlers=wait,
            listen_notify=wait,
            delete_jobs="never",
        )


@queue.periodic(cron="* * * * *")
@queue.task(name="jobs.rescue", queueing_lock="jobs.rescue", pass_context=False)
async def rescue(timestamp: int) -> None:
    """Run the jobs again whose worker was killed: such a job would stay "doing" for ever."""
    del timestamp
    stalled = await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER)
    for job in stalled:
        await queue.job_manager.retry_job(job)


@queue.periodic(cron="17 3 * * *")
@queue.task(name="jobs.tidy", queueing_lock="jobs.tidy", pass_context=False)
async def tidy(timestamp: int) -> None:
    """Delete jobs that were finished three days ago; their traces are in the audit record."""
    del timestamp
    await queue.job_manager.delete_old_jobs(nb_hours=72)
