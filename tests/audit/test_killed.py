"""Kill the sealer at each step, with signal 9 and from inside: nothing is lost, nothing twice.

The process is ours unchanged. It kills itself when the database driver is about to send the statement, or the
interpreter about to make the system call, at which the power is to fail.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.audit.copies import LATEST
from app.audit.models import (
    AccessRecord,
    AuditEvent,
    LogCheckpoint,
    LogCosignature,
    LogLeaf,
    SecurityEvent,
)
from app.audit.notes import open_note, signed_by
from app.audit.sealing import LOCK
from app.audit.verifying import waiting
from app.db.session import transaction
from tests.audit.conftest import READER

ROOT = Path(__file__).resolve().parents[2]
SEALER = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from sqlalchemy import Engine, event
from app.audit import sealing, witnessing
from app.audit.copies import Copies
from app.audit.asking import post
from app.audit.notes import Signer
from app.db.session import make_engine

url, key, checkpoints, witness, step, count = sys.argv[1:]
left = [int(count)]

def at(found):
    if found.startswith(step):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "before_cursor_execute")
def statement(connection, cursor, said, parameters, context, many):
    at(said)

@event.listens_for(Engine, "commit")
def commit(connection):
    at("COMMIT")

engine = make_engine(url)
signer, copies = Signer.parse(key), Copies(Path(checkpoints))
other = witnessing.Witness.parse(witness)
now = datetime(2026, 11, 24, 12, tzinfo=UTC)
engine.connect().close()
sys.addaudithook(lambda name, arguments: at(name if name != "open" else f"open {arguments[0]}"))
sealing.seal(engine, signer, copies, now=now)
at("WITNESS")
witnessing.ask(engine, signer.verifier, copies, other, post, now=now)
"""
STEPS = [
    ("DELETE FROM log_pending", 1),
    ("INSERT INTO log_leaf", 1),
    ("INSERT INTO log_salt", 1),
    ("INSERT INTO log_node", 1),
    ("INSERT INTO log_checkpoint", 1),
    ("COMMIT", 1),  # Numbered and signed, and all of it undone.
    ("os.mkdir", 1),  # Committed, and nothing outside yet.
    ("os.rename", 1),  # Written beside, not yet in its place.
    ("WITNESS", 1),  # Kept, and nobody asked.
    ("INSERT INTO log_cosignature", 1),  # Cosigned, and the answer lost.
    ("COMMIT", 3),
    ("os.rename", 2),
]


@pytest.fixture
def killed(app_url, signer, copies, running):
    one = running()
    witness = f"{one.key} http://127.0.0.1:{one.port}"

    places = (str(signer), str(copies.folder))

    def at(step, count):
        done = subprocess.run(
            [sys.executable, "-c", SEALER, app_url, *places, witness, step, str(count)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode != 0

    at.running = one
    return at


def await_freedom(engine):
    """The killed sealer's connection holds the sealer's lock until its end has been noticed."""
    free = text(
        "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    for _ in range(200):
        with transaction(engine, READER, read_only=True) as session:
            if session.scalar(free, {"lock": LOCK}):
                return
        time.sleep(0.05)


def all_is_well(engine, log):
    """Each event has one leaf, and everything that was signed is kept."""
    assert log.faults() == []
    with transaction(engine, READER, read_only=True) as session:
        recorded = {
            one
            for table in (AuditEvent, SecurityEvent, AccessRecord)
            for one in session.scalars(select(table.id))
        }
        leaves = session.execute(select(LogLeaf.idx, LogLeaf.event_id).order_by(LogLeaf.idx)).all()
        assert [idx for idx, _ in leaves] == list(range(len(recorded)))
        assert {event_id for _, event_id in leaves} == recorded
        assert waiting(session) == 0
        newest = session.scalar(select(func.max(LogCheckpoint.size)))
        assert newest == len(recorded)
        assert session.scalar(select(func.max(LogCosignature.size))) == newest


@pytest.mark.parametrize(("step", "count"), STEPS, ids=[f"{s}-{n}" for s, n in STEPS])
def test_after_each_step(step, count, killed, log, happened, engine, asked, copies):
    happened()
    log.seal()
    assert asked(killed.running)
    if step == "os.mkdir":
        # The folder is there from the second time on; the lock in it is what is opened next.
        step = f"open {copies.folder}/.lock"
    happened(4)
    assert killed(step, count)
    # What another process finds, and does, once the database has noticed that the first is dead.
    await_freedom(engine)
    log.seal()
    assert asked(killed.running)
    all_is_well(engine, log)
    kept = (copies.folder / LATEST).read_text()
    assert signed_by(kept, killed.running.witness.key)
    # And once more, so that what follows stands on what was mended.
    happened()
    size = log.seal().size
    assert asked(killed.running)
    all_is_well(engine, log)
    assert open_note((copies.folder / LATEST).read_text(), log.signer.verifier).size == size


def test_the_copy_is_mended_though_nothing_new_happens(killed, log, happened, engine, copies):
    happened()
    assert killed("os.mkdir", 1)
    assert not (copies.folder / LATEST).exists()
    assert log.seal() is None
    with transaction(engine, READER, read_only=True) as session:
        size = session.scalar(select(func.max(LogCheckpoint.size)))
    assert open_note((copies.folder / LATEST).read_text(), log.signer.verifier).size == size


def test_two_sealers_of_which_one_dies_again_and_again(
    killed,
    log,
    happened,
    engine,
    asked,
    copies,
):
    for step, count in STEPS[::4]:
        happened(2)
        killed(step, count)
        log.seal()
    assert asked(killed.running)
    all_is_well(engine, log)


def test_an_event_that_waits_a_second_time_is_sealed_once(log, happened, tamper, engine):
    happened()
    size = log.seal().size
    tamper("INSERT INTO log_pending SELECT event_id, kind FROM log_leaf")
    assert "Leaf 0: its event waits to be sealed a second time." in log.faults()
    assert log.seal() is None
    assert log.faults() == []
    tamper("INSERT INTO log_pending SELECT event_id, kind FROM log_leaf WHERE idx < 2")
    happened()
    assert log.seal().size > size
    assert log.faults() == []


def test_the_copy_never_goes_back(log, happened, copies, signer):
    happened()
    log.seal()
    early = (copies.folder / LATEST).read_text()
    happened()
    size = log.seal().size
    copies.keep(early, signer.verifier)
    assert copies.newest(signer.verifier).size == size
    witnessed = (copies.folder / LATEST).read_text()
    extra = "\u2014 witness.example " + "A" * 8 + "\n"
    copies.keep(witnessed + extra, signer.verifier)
    copies.keep(witnessed, signer.verifier)
    assert (copies.folder / LATEST).read_text() == witnessed + extra
