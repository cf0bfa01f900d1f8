"""`fairway serve` and `fairway worker`: from nothing to a running portal, a line for each step."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click
from granian import Granian
from granian.constants import Interfaces

from app.cli.runtime import DEMO_MARK, Runtime, migrate_to_head, runtime
from app.cli.wsgi import HANDOVER, handed_over
from app.jobs.queue import Bench, equip, run_worker
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS


def serve(*, workers: int) -> None:
    """Start everything that the surface needs and serve until Ctrl-C."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _as_interrupt)
    step("Starting PostgreSQL")
    with runtime() as run:
        step("Applying migrations" if migrate_to_head(run) else "Database is up to date")
        if run.settings.demo_mode:
            prepare_demo(run)
        os.environ[HANDOVER] = json.dumps({"app_url": run.app_url})
        job_worker = subprocess.Popen([sys.executable, "-m", "app.cli", "worker"])
        server = Granian(
            target="app.cli.wsgi:build",
            factory=True,
            address=run.settings.host,
            port=run.settings.port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=8,
            backpressure=64,
            websockets=False,
            log_enabled=True,
            log_access=False,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
        )
        announce(run, seconds=time.monotonic() - started)
        try:
            server.serve()
        except KeyboardInterrupt:
            pass
        finally:
            step("Stopping")
            job_worker.terminate()
            try:
                job_worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                job_worker.kill()


def work_on_jobs() -> None:
    """The job worker, until SIGTERM; it joins a database that is already running."""
    if HANDOVER in os.environ:
        settings, url, engine = handed_over()
        equip(Bench(engine=engine, clock=SystemClock(), settings=settings, reactions=REACTIONS))
        run_worker(url)
        return
    with runtime() as run:
        migrate_to_head(run)
        equip(
            Bench(
                engine=run.engine,
                clock=SystemClock(),
                settings=run.settings,
                reactions=REACTIONS,
            )
        )
        run_worker(run.app_url)


def prepare_demo(run: Runtime) -> None:
    """Load the demo data once, and write the demo clients' files at every start."""
    from app.demo.load import load, write_client_files  # noqa: PLC0415 - demo mode only.

    mark = run.settings.home / DEMO_MARK
    if not mark.exists():
        step("Loading demo data")
        load(run.engine, run.settings)
        mark.touch()
    write_client_files(run.engine, run.settings)


def announce(run: Runtime, *, seconds: float) -> None:
    """Print where everything is."""
    address = run.settings.address
    lines = [
        f"Ready after {seconds:.1f} s",
        "",
        f"  Portal    {address}/",
        f"  Console   {address}/console/",
        f"  API       {address}/api/v1   (documentation at {address}/api/v1/docs)",
    ]
    if run.settings.demo_mode:
        from app.demo.accounts import ACCOUNTS  # noqa: PLC0415 - demo mode only.

        home = Path(run.settings.home)
        lines += [
            f"  Mailbox   {address}/demo/mailbox",
            "",
            f"  Demo accounts, one click each at {address}/sign-in:",
            *(f"    {account.key:<24}{account.who}" for account in ACCOUNTS),
            "",
            f"  API client for trying out: {home / 'demo-client.json'}",
        ]
    lines += ["", "  Ctrl-C stops it all."]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def step(text: str) -> None:
    """One progress line."""
    click.echo(f"• {text}")
    sys.stdout.flush()


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
