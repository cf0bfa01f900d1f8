"""`fairway serve` and `fairway worker`: from nothing to a running portal, a line for each step."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

import app.tasks  # noqa: F401 - makes the worker know its tasks.
from app.cli.handover import HANDOVER, OF_WORKER, Handed, hand_over, handed_over, roles_of
from app.cli.record import sealing_each_second
from app.cli.runtime import (
    DEMO_DONE,
    DEMO_MARK,
    RefusedError,
    Runtime,
    empty,
    migrate_to_head,
    refuse_altered_criteria,
    runtime,
)
from app.cli.wsgi import map_folder
from app.db.session import Role
from app.jobs.queue import Bench, equip, run_worker
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS
from app.status_api.register_map import CURRENT
from app.web.logs import configure_logs
from app.webhooks.tasks import dispatching_each_second


def serve(*, workers: int) -> None:
    """Start everything that the surface needs and serve until Ctrl-C."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _as_interrupt)
    step("Starting PostgreSQL")
    with runtime() as run:
        step("Applying migrations" if migrate_to_head(run) else "Database is up to date")
        with run.work() as work:
            refuse_altered_criteria(work)
        if run.settings.demo_mode:
            prepare_demo(run)
        feeder = keep_feeder(run)
        surface = roles_of(run.settings)
        os.environ[HANDOVER] = hand_over(run, surface, fed=feeder is not None)
        # In a session of its own, so that Ctrl-C reaches it through us alone, when it is its turn.
        job_worker = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker"],
            env=os.environ | {HANDOVER: hand_over(run, OF_WORKER)},
            start_new_session=True,
        )
        server = Granian(
            target="app.cli.wsgi:build",
            factory=True,
            address=run.settings.host,
            port=run.settings.port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=4,
            backpressure=64,
            websockets=False,
            log_level=LogLevels.warning,
            log_access=False,
            respawn_failed_workers=True,
            workers_kill_timeout=3,
        )
        server.on_startup(lambda: stop_once(server))
        herald = announce(run, started)
        try:
            server.serve()
        except KeyboardInterrupt:
            pass
        finally:
            step("Stopping")
            herald.terminate()
            helpers = [one for one in (job_worker, feeder) if one is not None]
            for one in helpers:
                one.terminate()
            for one in helpers:
                try:
                    one.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    one.kill()


def keep_feeder(run: Runtime) -> subprocess.Popen[bytes] | None:
    """Start the host's feeder, and let another process begin it again should it ever end.

    A surface without the internal API has nothing to feed.
    """
    if run.settings.surface not in {"api", "all"}:
        return None
    script = Path(__file__).with_name("keeping.py")
    return subprocess.Popen(  # noqa: S603 - our own script with our own command.
        [sys.executable, str(script), sys.executable, "-m", "app.cli", "feeder"],
        env=os.environ | {HANDOVER: hand_over(run, OF_WORKER, fed=True)},
        start_new_session=True,
    )


def feed() -> None:
    """The feeder of this host, until SIGTERM; it joins a database that is already running."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    configure_logs()
    handed = handed_over()
    if handed is not None:
        _feed(handed, stop)
        return
    with runtime(check_demo=False) as run:
        _feed(Handed(run.settings, run.logins, fed=True), stop)


def _feed(handed: Handed, stop: threading.Event) -> None:
    from app.status_api.feeder import Feeder  # noqa: PLC0415 - this process alone needs it.
    from app.status_api.kept import lookup_record_of  # noqa: PLC0415

    record = lookup_record_of(handed.settings)
    feeder = Feeder(handed.engine(OF_WORKER), map_folder(handed.settings), record=record)
    feeder.run(handed.urls[Role.WORKER], stop)


def work_on_jobs() -> None:
    """The job worker, until SIGTERM; it joins a database that is already running."""
    handed = handed_over()
    if handed is not None:
        _work_on_jobs(handed)
        return
    with runtime() as run:
        migrate_to_head(run)
        with run.work() as work:
            refuse_altered_criteria(work)
        _work_on_jobs(Handed(run.settings, run.logins, fed=False))


def _work_on_jobs(handed: Handed) -> None:
    engine, settings = handed.engine(OF_WORKER), handed.settings
    equip(Bench(engine=engine, clock=SystemClock(), settings=settings, reactions=REACTIONS))
    with sealing_each_second(engine, settings), dispatching_each_second():
        run_worker(handed.urls[Role.WORKER])


def prepare_demo(run: Runtime) -> None:
    """Load the demo data once, and write the demo clients' files at every start.

    The story is told by a process of its own. The file store's library starts threads that a
    fork does not copy: a server forked from a process that has used it hangs at the first upload.
    """
    from app.demo.load import write_client_files  # noqa: PLC0415 - demo mode only.

    begun = run.settings.home / DEMO_MARK
    done = run.settings.home / DEMO_DONE
    if not done.exists():
        if begun.exists():
            # A start that was interrupted left half a story; only a demo database is emptied so.
            step("The demo data was left unfinished; starting it anew")
            empty(run)
        begun.touch()
        step("Loading demo data")
        subprocess.run(
            [sys.executable, "-m", "app.cli", "demo", "load"],
            env=os.environ | {HANDOVER: hand_over(run, [Role.COMMAND])},
            check=True,
        )
        done.touch()
    write_client_files(run.engine, run.settings)
    run.engine.dispose()


def load_demo() -> None:
    """Tell the demonstration's story in the database that a serving process has prepared."""
    from app.demo.load import load  # noqa: PLC0415 - demo mode only.

    handed = handed_over()
    if handed is None:
        raise RefusedError(
            "The demo data is loaded by `fairway serve` at the first start of an empty home."
        )
    if not handed.settings.demo_mode:
        raise RefusedError("FAIRWAY_DEMO=1 on a loopback host is needed for demo data.")
    load(handed.engine_of_commands(), handed.settings)


def announce(run: Runtime, started: float) -> subprocess.Popen[bytes]:
    """Let another process say where everything is, as soon as the first page is there."""
    settings = run.settings
    address = settings.address
    lines = [
        f"  Portal    {address}/",
        f"  Console   {address}/console/",
        f"  API       {address}/api/v1   (documentation at {address}/api/v1/docs)",
    ]
    if settings.demo_mode:
        from app.demo.accounts import ACCOUNTS  # noqa: PLC0415 - demo mode only.

        lines += [
            f"  Mailbox   {address}/demo/mailbox",
            "",
            f"  Demo accounts, one click each at {address}/sign-in:",
            *(f"    {account.key:<24}{account.who}" for account in ACCOUNTS),
            "",
            f"  API client for trying out: {Path(settings.home) / 'demo-client.json'}",
        ]
    lines += ["", "  Ctrl-C stops it all."]
    # Who listens everywhere also listens here.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    fed = str(map_folder(settings) / CURRENT) if settings.surface in {"api", "all"} else ""
    probe = f"http://{host}:{settings.port}/healthz"
    return subprocess.Popen(  # noqa: S603 - our own program with our own words.
        [sys.executable, "-m", "app.door.announcing", probe, str(started), "\n".join(lines), fed],
        start_new_session=True,
    )


def stop_once(server: Any) -> None:  # noqa: ANN401 - the library types the class by platform.
    """Make the first signal stop the server and every further one mean nothing.

    The server's own handler sets an event from inside the signal; a second Ctrl-C that arrives
    meanwhile would wait for the event's lock, which the first holds, for ever. So the event is set
    by a thread, and the signals are ignored from then on.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        server.interrupt_signal = True
        threading.Thread(target=server.main_loop_interrupt.set, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def step(text: str) -> None:
    """One progress line."""
    click.echo(f"• {text}")
    sys.stdout.flush()


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
