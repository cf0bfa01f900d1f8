"""Kill the worker ten times while it checks a batch, with signal 9 and from inside: no row is lost or doubled.

The worker's code is ours unchanged, but for smaller chunks. It kills itself when the database
driver is about to send the statement, or to commit, at which the power is to fail.
"""

import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from app.advance_data import receipts
from app.advance_data.models import Batch, Filing, FilingFault
from app.audit import merkle
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.documents.files import equip_files
from tests.advance_data.conftest import NUMBER
from tests.advance_data.sample_rows import good_row
from tests.factories import traders as trader_factory
from tests.factories.advance_data import receive
from tests.factories.identity import make_person

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 100
ROWS = 2_050
WORKER = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from sqlalchemy import Engine, event
from app.advance_data.service import checking
from app.advance_data.tasks import check
from app.config import Settings
from app.db.session import make_engine
from app.jobs.queue import Bench, equip
from app.kernel.clock import FixedClock
from app.reactions import REACTIONS
from app.traders import sealing

url, home, secret, now, batch, chunk, step, count = sys.argv[1:]
left = [int(count)]

def at(found):
    if left[0] and found.startswith(step):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "before_cursor_execute")
def statement(connection, cursor, said, parameters, context, many):
    at(said)

@event.listens_for(Engine, "commit")
def commit(connection):
    at("COMMIT")

@event.listens_for(Engine, "begin")
def begin(connection):
    at("BEGIN")
    cursor = connection.connection.cursor()
    cursor.execute("SELECT set_config('test.now', %s, true)", (now,))
    cursor.close()

checking.CHUNK_ROWS = int(chunk)
home = Path(home)
settings = Settings(home=home, keys_dir=home / "keys", files_url=f"file:{home / 'files'}", secret_key=secret, demo=True)
sealing.equip(secret)
clock = FixedClock(datetime.fromisoformat(now))
equip(Bench(engine=make_engine(url), clock=clock, settings=settings, reactions=REACTIONS))
check(batch_id=batch)
"""
KILLS = [
    # Before it has begun, before the count of rows is kept, and after.
    ("UPDATE batch", 1),
    ("COMMIT", 2),
    ("BEGIN", 3),
    # With the filings of the first chunk and not yet its cursor; with both and no commit.
    ("UPDATE batch", 2),
    ("COMMIT", 2),
    # After some chunks, before the next, within it, and before its commit.
    ("BEGIN", 6),
    ("SELECT DISTINCT ON (filing.filing_ref)", 3),
    ("COMMIT", 5),
    ("UPDATE batch", 5),
    # All rows are filed, and it is not yet said.
    ("INSERT INTO audit_event", 2),
]


def test_a_worker_killed_ten_times_files_each_row_once(app, app_url, settings, work_as):
    # Another test's application may have been made since, with a place of its own for files.
    equip_files(settings)
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader = trader_factory.make_trader(work, officer)
        trader_factory.add_identifier(work, trader, value=NUMBER, verified=True)
        given = [
            good_row(filing_ref=f"PO-{number:05d}", **({} if number % 7 else {"hts": "1"}))
            for number in range(1, ROWS + 1)
        ]
        # One chunk replaces what another one filed.
        given[ROWS - 50] = good_row(filing_ref="PO-00001", action="R", mf_country="CN")
        batch_id = receive(work, trader, given).id
        now = work.now.isoformat()

    def run(step: str, count: int) -> int:
        words = (app_url, settings.home, settings.secret_key, now, batch_id, CHUNK, step, count)
        command = [sys.executable, "-c", WORKER, *map(str, words)]
        return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode

    where = []
    for step, count in KILLS:
        assert run(step, count) == -signal.SIGKILL, (step, count)
        with work_as(system_actor("test")) as work:
            batch = work.session.get_one(Batch, batch_id)
            filed = work.session.scalar(select(func.count()).select_from(Filing))
            faults = work.session.scalar(select(func.count()).select_from(FilingFault))
            assert (batch.accepted, batch.faults) == (filed, faults)
            assert batch.read == batch.accepted + batch.rejected
            assert batch.read % CHUNK == 0 or batch.read == ROWS
            where.append(batch.read)
    assert where == sorted(where)
    assert len(set(where)) >= 5
    assert where[-1] == ROWS

    assert run("nothing", 1) == 0
    with work_as(system_actor("test")) as work:
        session = work.session
        batch = session.get_one(Batch, batch_id)
        assert (batch.state, batch.total, batch.read) == ("done", ROWS, ROWS)
        bad = [number for number in range(1, ROWS + 1) if number % 7 == 0 and number != ROWS - 49]
        assert (batch.accepted, batch.rejected) == (ROWS - len(bad), len(bad))
        filings = session.scalars(select(Filing).order_by(Filing.file_row)).all()
        assert [one.file_row for one in filings] == sorted(set(range(1, ROWS + 1)) - set(bad))
        assert {one.number for one in filings if one.filing_ref == "PO-00001"} == {1, 2}
        positions = session.scalars(select(FilingFault.position).order_by(FilingFault.position))
        assert list(positions) == list(range(batch.faults))
        assert sum(kind[5] for kind in batch.kinds) == batch.faults
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == "batch:checked")).all()
        assert len(told) == 1
        assert told[0].data["accepted"] == batch.accepted
        root = bytes.fromhex(told[0].data[receipts.ROOT])
        for filing in (filings[0], filings[CHUNK], filings[-1]):
            way = receipts.way_up(session, filing)
            assert merkle.verify_inclusion(
                merkle.leaf_hash(way["entry"].encode()),
                way["index"],
                batch.accepted,
                [bytes.fromhex(one) for one in way["path"]],
                root,
            )
