"""Intake of a CSV file of filings against a bare `csv.reader`, in one interleaved run.

Every round reads one file of its own three ways, in turn: the bare reader; our reader and all the
rules; the job as a worker does it, in a process that reads, one that checks, and PostgreSQL. Ratios
are formed within a round, the first round is thrown away, the median is printed with its range.
Exit 2 when the bare reader against itself leaves 0.85 to 1.18: too noisy to say anything.

RATIO intake_check_vs_reader   rows checked a second over rows that the bare reader gives, by CPU (goal 1/15 = 0.067)
RATIO intake_stored_vs_reader  rows stored a second over the same, by the clock on the wall (goal 1/40 = 0.025)
RATIO intake_stored_cpu_vs_reader  the same by CPU of all three processes: what it costs where nothing is idle
"""

import argparse
import csv
import io
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from app.advance_data import service, tasks
from app.advance_data.checks import check_all
from app.advance_data.csv_export import EXAMPLE
from app.advance_data.csv_intake import read_blocks
from app.advance_data.models import Batch
from app.authz.actor import system_actor
from app.config import Settings
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import BoundSession, Principal, make_engine
from app.documents.files import equip_files
from app.jobs.queue import Bench, equip
from app.kernel.clock import SystemClock
from app.kernel.identifiers import Scheme, parse
from app.reactions import REACTIONS
from app.traders import sealing
from app.traders.models import Trader
from app.work import Work

SECRET = "a secret of the benchmark's own, long enough to sign with"  # noqa: S105
ROUNDS, ROWS, BAD = 7, 40_000, 0.06
TRADER = (
    (
        "INSERT INTO trader (id, name, entity_type, country, address_line, city, region, postal_code,"
        " created_at, version)"
        " VALUES (:id, 'Bench Imports', 'importer', 'US', '-', '-', 'CA', '1', :at, 1)"
    ),
    (
        "INSERT INTO trader_identifier (id, trader_id, scheme, value, lookup_key, shown, contested,"
        " state, claimed_at, verified_at)"
        " VALUES (:identifier, :id, 'ior', :value, :key, :value, false, 'verified', :at, :at)"
    ),
)
NOISE = (0.85, 1.18)
TICKS = os.sysconf("SC_CLK_TCK")
# A filer sends many rows of few parties and goods: their names and places come again.
PARTIES, GOODS = 400, 300


def file_of(round_number, rows):
    """A file as a filer's program makes it: numbers of their own, parties and goods that come again."""
    chance = random.Random(round_number)  # noqa: S311 - data, not secrets.
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXAMPLE)
    for number in range(rows):
        party, goods = chance.randrange(PARTIES), chance.randrange(GOODS)
        row = {
            **EXAMPLE,
            "filing_ref": f"R{round_number}-{number:07d}",
            "importer_number": "12-345678900",
            "bill_number": f"MAEU{round_number:02d}{number:09d}",
            "hts": f"85{goods:04d}0020",
            "mf_name": f"Cell Works {party}",
            "mf_address": f"{party} Industrial Road",
            "seller_name": f"Red River Trading {party % 90}",
            "etd": f"2026-{1 + number % 12:02d}-{1 + party % 28:02d}",
            "value_usd": f"{chance.randrange(1, 99_999)}.{chance.randrange(10, 99)}",
            "quantity": str(chance.randrange(1, 5_000)),
        }
        if chance.random() < BAD:
            row |= {"hts": "7701", "container_number": "CSQU3054384", "seller_name": ""}
        writer.writerow(row.values())
    return text.getvalue().encode()


def processes(roots):
    """CPU seconds of these processes, with the children that they have waited for."""
    total = 0
    for pid in roots:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, stat[11:15]))
    return total / TICKS


def backends(postmaster):
    """The processes of the server, found by their parent."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def bare(content):
    """CPU seconds in which the bare reader gives every row."""
    begun = time.process_time()
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    for _ in csv.reader(text):
        pass
    return time.process_time() - begun


def checked(content):
    """CPU seconds in which our reader and all the rules have looked at every row."""
    begun = time.process_time()
    for _ in check_all(read_blocks(io.BytesIO(content))):
        pass
    return time.process_time() - begun


class Intake:
    """A database with one trader, and the worker's task."""

    def __init__(self, folder, cluster):
        upgrade(cluster.owner_url())
        self.engine = make_engine(cluster.app_url())
        data = cluster.facts.data
        self.postmaster = int((data / "postmaster.pid").read_text().split()[0])
        settings = Settings(home=folder, keys_dir=folder / "keys", secret_key=SECRET)
        sealing.equip(SECRET)
        equip_files(settings)
        clock = SystemClock()
        equip(Bench(engine=self.engine, clock=clock, settings=settings, reactions=REACTIONS))
        number = parse(Scheme.IOR, "12-345678900")
        with self.work() as work:
            self.trader_id = work.new_id()
            facts = {
                "id": self.trader_id,
                "identifier": work.new_id(),
                "at": work.now,
                "value": number.value,
                "key": sealing.lookup_key(number),
            }
            for statement in TRADER:
                work.session.execute(text(statement), facts)

    @contextmanager
    def work(self):
        actor = system_actor("bench")
        with BoundSession(self.engine, Principal(actor.principal)) as session, session.begin():
            yield Work(session=session, actor=actor, now=SystemClock().now(), reactions=REACTIONS)

    def stored(self, content):
        """Seconds on the wall, and of CPU in all processes, until every row is filed or refused."""
        with self.work() as work:
            trader = work.session.get_one(Trader, self.trader_id)
            batch = service.receive_batch(
                work,
                trader,
                stream=io.BytesIO(content),
                filename="bench.csv",
                channel=service.Channel.FILE,
            )
        begun, spent = time.perf_counter(), self.cpu()
        tasks.check(batch_id=str(batch.id))
        wall, cpu = time.perf_counter() - begun, self.cpu() - spent
        with self.work() as work:
            found = work.session.get_one(Batch, batch.id)
            if found.state != "done" or not found.rejected or found.accepted < found.rejected:
                raise RuntimeError(f"{found.state}: {found.accepted} accepted")
        return wall, cpu

    def cpu(self):
        return processes([os.getpid(), *backends(self.postmaster)])


def told(name, found):
    """Print the median of a ratio with its range, and return it."""
    middle = statistics.median(found)
    print(f"{name}: {min(found):.4f} to {max(found):.4f}")
    print(f"RATIO {name} {middle:.4f} (1/{1 / middle:.1f})")
    return middle


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    control, check_ratio, wall_ratio, cpu_ratio = [], [], [], []
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name) / "postgres") as cluster:
        intake = Intake(Path(name), cluster)
        for number in range(given.rounds + 1):
            content = file_of(number, given.rows)
            # Twice, before and after, so that a machine that changes its pace is noticed.
            first = bare(content)
            check_time = checked(content)
            wall, cpu = intake.stored(content)
            second = bare(content)
            reader = (first + second) / 2
            print(
                f"round {number}: reader {given.rows / reader:,.0f} rows/s, checked"
                f" {given.rows / check_time:,.0f}, stored {given.rows / wall:,.0f}"
                f" ({cpu * 1e6 / given.rows:.0f} us of CPU a row)",
                flush=True,
            )
            if number:
                control.append(second / first)
                check_ratio.append(reader / check_time)
                wall_ratio.append(reader / wall)
                cpu_ratio.append(reader / cpu)
        intake.engine.dispose()
    told("intake_check_vs_reader", check_ratio)
    told("intake_stored_vs_reader", wall_ratio)
    told("intake_stored_cpu_vs_reader", cpu_ratio)
    noise = statistics.median(control)
    print(f"A/A {noise:.3f} ({min(control):.3f} to {max(control):.3f})")
    # A machine that is this much faster or slower at the same thing says nothing about another.
    return 0 if NOISE[0] <= noise <= NOISE[1] else 2


if __name__ == "__main__":
    sys.exit(main())
