"""The tamper-evident log from the command line: export it, verify it."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.audit import sealing, verifying
from app.audit.notes import LOG, Signer
from app.cli.runtime import RefusedError, runtime
from app.config import Settings
from app.db.session import Principal, transaction
from app.identity.keys import keys_dir, load_or_create
from app.kernel.clock import SystemClock

EACH_SECONDS = 1.0
READER = Principal("system:verify")
VERIFIER = Path(__file__).resolve().parents[2] / "clients" / "verify_audit.py"


def signer_of(settings: Settings) -> Signer:
    """The log's own key. The log is named after the key: another key is another log."""
    [key, *_] = load_or_create(keys_dir(settings), "audit").keys
    private = key.private_key
    if not isinstance(private, Ed25519PrivateKey):
        raise RefusedError("The audit key is not an Ed25519 key.")
    return Signer(f"fairway.{key.thumbprint()[:12]}", LOG, private)


def copies_of(settings: Settings) -> sealing.Copies:
    """Where the newest checkpoint is kept outside of the database."""
    return sealing.Copies(settings.home / "checkpoints")


@contextmanager
def sealing_each_second(engine: Engine, settings: Settings) -> Iterator[None]:
    """Seal in a thread of this process, the job worker's, until the block ends.

    What goes wrong is logged and tried again: a log that denies what was signed stays unsigned
    until somebody has looked (docs/operations.md).
    """
    over = threading.Event()
    signer, copies, log = signer_of(settings), copies_of(settings), structlog.get_logger("seal")

    def work() -> None:
        while not over.wait(EACH_SECONDS):
            try:
                sealing.seal(engine, signer, copies, now=SystemClock().now())
            except (sealing.RolledBackError, sealing.VanishedError) as error:
                log.error("log not signed", reason=str(error))  # noqa: TRY400 - the reason says it all.
            except (SQLAlchemyError, OSError) as error:
                log.warning("sealing failed", kind=type(error).__name__)

    thread = threading.Thread(target=work, name="seal")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@click.group(name="audit")
def audit() -> None:
    """Export and verify the audit log."""


@audit.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
def export(file: str) -> None:
    """Write the whole log to FILE, for anybody to verify offline."""
    with runtime(check_demo=False) as run:
        log = signer_of(run.settings).verifier
        sealing.seal(
            run.engine, signer_of(run.settings), copies_of(run.settings), now=SystemClock().now()
        )
        with (
            transaction(run.engine, READER, read_only=True) as session,
            Path(file).open("w", encoding="utf-8") as into,
        ):
            size = verifying.export(session, log, into)
    click.echo(f"{size} leaves. The log's public key:\n{log}")


@audit.command(name="verify")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
def verify(file: str | None) -> None:
    """Verify FILE, or without it the database: exit 1 and the place when anything was altered."""
    with runtime(check_demo=False) as run:
        log = signer_of(run.settings).verifier
        if file is not None:
            found = [offline(file, str(log))]
            left = 0
        else:
            with transaction(run.engine, READER, read_only=True) as session:
                found = list(verifying.faults(session, log, copies_of(run.settings)))
                left = verifying.waiting(session)
    wrong = [one for one in found if one]
    for one in wrong:
        click.echo(one, err=True)
    if wrong:
        raise RefusedError("The audit log is not as it was signed.")
    click.echo("All is as it was signed." + (f" {left} events wait to be sealed." if left else ""))


def offline(file: str, key: str) -> str:
    """What the program for strangers says of an export; it stands alone, so it is loaded by path."""
    made = importlib.util.spec_from_file_location("verify_audit", VERIFIER)
    if made is None or made.loader is None:
        raise RefusedError(f"{VERIFIER} is missing.")
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return str(module.verify(file, key))
