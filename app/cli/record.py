"""The tamper-evident log from the command line: export it, verify it."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.audit import sealing, verifying, witnessing
from app.audit.asking import post
from app.audit.copies import Copies, RolledBackError
from app.audit.notes import LOG, NoteError, Signer
from app.audit.states import SEAL, STOPPED, cosigned_size, denials, newest_of, tell
from app.audit.witnessing import Witness
from app.cli.runtime import RefusedError, runtime
from app.config import Settings
from app.db.session import Principal, transaction
from app.identity.keys import keys_dir, load_or_create
from app.kernel.clock import SystemClock

EACH_SECONDS = 1.0
MOST_TURNS_UNASKED = 15
GRACE_SECONDS = 3.0
READER = Principal("system:verify")
VERIFIER = Path(__file__).resolve().parents[2] / "clients" / "verify_audit.py"


def signer_of(settings: Settings) -> Signer:
    """The log's own key. The log is named after the key: another key is another log."""
    [key, *_] = load_or_create(keys_dir(settings), "audit").keys
    private = key.private_key
    if not isinstance(private, Ed25519PrivateKey):
        raise RefusedError("The audit key is not an Ed25519 key.")
    return Signer(f"fairway.{key.thumbprint()[:12]}", LOG, private)


def copies_of(settings: Settings) -> Copies:
    """Where the newest checkpoint is kept outside of the database."""
    return Copies(settings.home / "checkpoints")


def witnesses_of(settings: Settings) -> list[Witness]:
    """The witnesses in the file `witnesses` beside the keys: a public key and an address a line."""
    path = keys_dir(settings) / "witnesses"
    if not path.exists():
        return []
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    try:
        return [Witness.parse(line) for line in lines if line and not line.startswith("#")]
    except NoteError as error:
        raise RefusedError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class Sealer:
    """What seals this database's log, and has it cosigned."""

    engine: Engine
    signer: Signer
    copies: Copies
    witnesses: list[Witness]

    @classmethod
    def of(cls, engine: Engine, settings: Settings) -> "Sealer":
        """The sealer of an installation."""
        return cls(engine, signer_of(settings), copies_of(settings), witnesses_of(settings))

    def seal(self) -> None:
        """Seal once, and remember why nothing was signed.

        What goes wrong is logged and tried again: a log that denies what was signed stays unsigned
        until somebody has looked (docs/operations.md).
        """
        log, now = structlog.get_logger("seal"), SystemClock().now()
        try:
            try:
                sealing.seal(self.engine, self.signer, self.copies, now=now)
            except (RolledBackError, sealing.VanishedError) as error:
                log.error("log not signed", reason=str(error))  # noqa: TRY400 - it says it all.
                with transaction(self.engine, sealing.SEALER) as session:
                    tell(session, self.signer.verifier, SEAL, STOPPED, str(error), now=now)
        except (SQLAlchemyError, OSError) as error:
            log.warning("sealing failed", kind=type(error).__name__)

    def ask(self, *, again: bool = False) -> None:
        """Ask each witness whose cosignature is missing; `again`: also those that gave theirs."""
        for one in self.witnesses:
            try:
                if again or self._waits_for(one):
                    witnessing.ask(
                        self.engine,
                        self.signer.verifier,
                        self.copies,
                        one,
                        post,
                        now=SystemClock().now(),
                    )
            except (SQLAlchemyError, OSError, RolledBackError) as error:
                log = structlog.get_logger("witness")
                log.warning("asking failed", witness=one.key.name, kind=type(error).__name__)

    def _waits_for(self, one: Witness) -> bool:
        key = self.signer.verifier
        with transaction(self.engine, sealing.SEALER, read_only=True) as session:
            newest = newest_of(session, key)
            return newest is not None and (
                newest.size != cosigned_size(session, key, one.key.name)
                or bool(denials(session, key))
            )


@contextmanager
def sealing_each_second(engine: Engine, settings: Settings) -> Iterator[None]:
    """Seal in one thread of this process, the job worker's, and ask witnesses in another.

    Every witness is asked once before the first event is sealed, so that a database that was
    restored with its whole home signs nothing. One that does not answer holds that up for a while only.
    """
    over, asked = threading.Event(), threading.Event()
    sealer = Sealer.of(engine, settings)

    def work() -> None:
        turns = 0
        while not over.wait(EACH_SECONDS):
            turns += 1
            if asked.is_set() or turns > MOST_TURNS_UNASKED:
                sealer.seal()

    def ask() -> None:
        sealer.ask(again=True)
        asked.set()
        while not over.wait(EACH_SECONDS):
            sealer.ask()

    # The one that asks may hang on a foreign machine, so nobody waits long for its end.
    asking = threading.Thread(target=ask, name="witness", daemon=True)
    asking.start()
    thread = threading.Thread(target=work, name="seal")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        asking.join(GRACE_SECONDS)


@click.group(name="audit")
def audit() -> None:
    """Export and verify the audit log."""


@audit.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
def export(file: str) -> None:
    """Write the whole log to FILE, for anybody to verify offline."""
    with runtime(check_demo=False) as run:
        sealer = Sealer.of(run.engine, run.settings)
        log = sealer.signer.verifier
        sealer.ask(again=True)
        sealer.seal()
        sealer.ask()
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
                keys = [one.key for one in witnesses_of(run.settings)]
                found = list(verifying.faults(session, log, copies_of(run.settings), keys))
                left = verifying.waiting(session)
                for key in keys:
                    size = cosigned_size(session, log, key.name)
                    click.echo(f"{key.name} has cosigned {size} leaves.")
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
