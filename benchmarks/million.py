"""A CSV of millions of rows through upload, worker and score, and how much memory each process takes.

The worker is a process of its own; with `--kills` it is killed so often with signal 9, at places of
chance, and started again. In the end every row must be filed or refused once, each fault must
have its position, and one event must tell of it. Takes about two minutes a million rows on an idle
machine, and 3 GB of disk, which it frees.
"""

import argparse
import csv
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import intake as bench
from sqlalchemy import text

from app.advance_data import service
from app.advance_data.models import Batch
from app.db.embedded import Cluster
from app.traders.models import Trader

ROWS, BAD, PART, MEGABYTE = 2_000_000, 0.02, 100_000, 1024
WORKER = """
import sys
from pathlib import Path
from app.advance_data import quality_tasks, tasks
from app.config import Settings
from app.db.session import make_engine
from app.jobs.queue import Bench, equip
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS
from app.traders import sealing
url, home, secret, batch, task = sys.argv[1:]
settings = Settings(home=Path(home), keys_dir=Path(home) / "keys", secret_key=secret)
sealing.equip(secret)
engine = make_engine(url)
equip(Bench(engine=engine, clock=SystemClock(), settings=settings, reactions=REACTIONS))
{"check": tasks.check, "measure": quality_tasks.measure}[task](batch_id=batch)
"""
COUNTS = (
    "SELECT count(*), count(DISTINCT file_row), count(DISTINCT receipt) FROM filing",
    "SELECT count(*), count(DISTINCT position), coalesce(max(position) + 1, 0) FROM filing_fault",
    "SELECT count(*) FROM audit_event WHERE tag = 'batch:checked'",
)


def peak(pid):
    """The most memory that the process has held, in MB; 0 when it has ended."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(one for one in lines if one.startswith("VmHWM")).split()[1]) / MEGABYTE
    return 0


def children(pid):
    """The children of all its threads."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += task.read_text().split()
    return found


def write_file(path, rows):
    """A file of so many rows, made a part at a time."""
    bench.BAD = BAD
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(bench.EXAMPLE)
        for part in range(-(-rows // PART)):
            content = bench.file_of(part, min(PART, rows - part * PART)).decode()
            file.write(content.partition("\n")[2])


class Run:
    """One file on its way; `peaks` are those of worker and reading child."""

    def __init__(self, intake, cluster, home):
        self.intake, self.home, self.url = intake, home, cluster.app_url()
        self.batch_id = None
        self.peaks = {}

    def receive(self, path):
        with self.intake.work() as work, path.open("rb") as stream:
            trader = work.session.get_one(Trader, self.intake.trader_id)
            self.batch_id = service.receive_batch(
                work, trader, stream=stream, filename=path.name, channel=service.Channel.FILE
            ).id

    def state(self):
        with self.intake.work() as work:
            found = work.session.get_one(Batch, self.batch_id)
            return found.state, found.read, found.accepted, found.rejected, found.faults

    def do(self, task, until=None):
        """Let a worker do it; kill it when so many rows are read. Whether it came to its end."""
        words = (self.url, str(self.home), bench.SECRET, str(self.batch_id), task)
        worker = subprocess.Popen([sys.executable, "-c", WORKER, *words])
        while worker.poll() is None:
            self._note("worker", worker.pid)
            for child in children(worker.pid):
                self._note("child", child)
            if until is not None and self.state()[1] >= until:
                worker.send_signal(signal.SIGKILL)
            time.sleep(0.1)
        if worker.returncode not in {0, -signal.SIGKILL}:
            raise RuntimeError(f"the worker ended with {worker.returncode}")

    def _note(self, name, pid):
        self.peaks[name] = max(self.peaks.get(name, 0), peak(pid))


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(3)  # noqa: S311 - places to kill at.
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name) / "postgres") as cluster:
        home = Path(name)
        run = Run(bench.Intake(home, cluster), cluster, home)
        path = home / "filings.csv"
        write_file(path, given.rows)
        before = peak(os.getpid())
        run.receive(path)
        grown = peak(os.getpid()) - before
        print(f"{path.stat().st_size / 1e6:.0f} MB received, which took {grown:.0f} MB more")
        begun, used = time.perf_counter(), spent()
        for kill in range(given.kills):
            run.do("check", int(given.rows * (kill + chance.random()) / (given.kills + 0.5)))
            print(f"killed at {run.state()}", flush=True)
        run.do("check")
        wall, used = time.perf_counter() - begun, spent() - used
        state, read, accepted, rejected, faults = run.state()
        print(f"{state}: {read} read, {accepted} filed, {rejected} refused, {faults} faults")
        print(f"{wall:.0f} s, {used * 1e6 / read:.0f} us of CPU a row in worker and child")
        print(f"peaks in MB: {run.peaks}")
        run.peaks = {}
        begun = time.perf_counter()
        run.do("measure")
        print(f"counted for its score in {time.perf_counter() - begun:.0f} s, peaks {run.peaks}")
        with run.intake.work() as work:
            found = [tuple(work.session.execute(text(one)).one()) for one in COUNTS]
        run.intake.engine.dispose()
    whole = [(accepted,) * 3, (faults,) * 3, (1,)]
    print("each row once" if found == whole else f"WRONG: {found}, not {whole}")
    return 0 if found == whole and state == "done" and read == given.rows else 1


if __name__ == "__main__":
    sys.exit(main())
