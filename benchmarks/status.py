"""Partner status over HTTP, in one interleaved run; the gate is CPU per request, not requests/s.

Server pinned to core 0, the load to core 1, one worker, 32 connections, identifiers at random. The
load is wrk where it is installed, else `load.py` beside this file. A first round is thrown away,
ratios are formed within a round, the median is printed with its range. Exit 2 when the same server
against itself leaves 0.93 to 1.07: too noisy to say anything.

RATIO status_vs_noop          noop's CPU over ours: token checked, LMDB, recorded (goal 0.90)
RATIO status_vs_noop_headers  the same, noop sending the security headers that we send
RATIO status_vs_usual_view    how often our CPU fits into that of a usual Flask view (goal 7)
RATIO status_vs_usual_orm     the same for Flask, ORM and PostgreSQL, its backends counted (goal 30)
RATIO status_vs_nginx_file    nginx's CPU for a file over ours (goal 0.60)
RATIO signed_vs_unsigned      cached signed answers (goal 0.95)
RATIO record_share            CPU of the records in the worker, of all its CPU (goal at most 0.05)
RATIO record_share_with_database  the same with PostgreSQL's part of writing them
RATIO bulk_1000_vs_jsonify    CPU a status of POST /statuses against jsonify of a dictionary (goal 4)
RATIO bulk_10000_vs_jsonify   the same for ten thousand
RATIO p99_vs_nginx_file       99th percentile at 2,000/s and ten changes a second (goal at most 3)
"""

import argparse
import base64
import http.client  # house: one-door-out - a benchmark asks its own servers.
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request  # house: one-door-out - a benchmark asks its own servers.
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import select

from app.authz.actor import system_actor
from app.cli.handover import HANDOVER, written
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import PARTS, BoundSession, Principal, make_engine
from app.identity.service import create_client, set_quota
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS
from app.register.models import RegisterSequencer
from app.status_api.register_map import CURRENT, FOLDER, MapReader
from app.traders.sealing import equip
from app.work import Work

ROOT = Path(__file__).resolve().parents[1]
SECRET = "a secret of the benchmark's own, long enough to sign with"  # noqa: S105
ROUNDS, SECONDS, CONNECTIONS, RATE = 6, 2, 32, 2_000
KINDS_OF_BULK = 25
NOISE = (0.93, 1.07)
TICKS = os.sysconf("SC_CLK_TCK")
LUA = """
local n, token, accept = tonumber(os.getenv("BENCH_N")), os.getenv("BENCH_TOKEN"), os.getenv("BENCH_ACCEPT")
math.randomseed(7)
local headers = {["Authorization"] = "Bearer " .. token, ["Accept"] = accept}
request = function()
  local i = math.random(0, n - 1)
  local path = string.format("/api/v1/partners/ior/%02d-%07d00/status", 10 + i % 89, i)
  return wrk.format("GET", path, headers)
end
"""
FILL = """
SET session_replication_role = replica;
INSERT INTO trader (id, name, entity_type, country, address_line, city, region, postal_code,
                    created_at, version)
SELECT md5('t' || i)::uuid, 'Trader ' || i, 'importer', 'US', '-', '-', 'CA', '1', now(), 1
FROM generate_series(0, %(n)s - 1) i;
INSERT INTO trader_identifier (id, trader_id, scheme, value, lookup_key, shown, contested, state,
                               claimed_at, verified_at)
SELECT md5('i' || i)::uuid, md5('t' || i)::uuid, 'ior', v, v, v, false, 'verified', now(), now()
FROM generate_series(0, %(n)s - 1) i,
     LATERAL (SELECT lpad((10 + i %% 89)::text, 2, '0') || '-' || lpad(i::text, 7, '0') || '00') x(v);
INSERT INTO register_sequencer (id, last, at) VALUES (1, %(n)s, now());
INSERT INTO register_change (seq, trader_id, kind, at)
SELECT i + 1, md5('t' || i)::uuid, 'standing', now() FROM generate_series(0, %(n)s - 1) i;
INSERT INTO register_entry (id, trader_id, programme, status, tier, restrictions, reason_code,
                            reason_text, valid, recorded, determination_id, seq)
SELECT md5('e' || i)::uuid, md5('t' || i)::uuid, 'security', 'validated', 2 + i %% 2, '{}', 'met', '-',
       tstzrange(now() - interval '1 day', NULL, '[)'), tstzrange(now(), NULL, '[)'),
       md5('d' || i)::uuid, i + 1 FROM generate_series(0, %(n)s - 1) i;
ANALYZE;
"""


class Bench:
    """The database, the feeder and every server; each server has a port of its own."""

    def __init__(self, folder, partners, stack):
        self.folder, self.partners, self.stack = folder, partners, stack
        self.cluster = stack.enter_context(Cluster(folder / "postgres", fast=True))
        upgrade(self.cluster.owner_url())
        facts = self.cluster.facts
        self.postmaster = int((facts.data / "postmaster.pid").read_text().split()[0])
        where = {"host": str(facts.socket_dir), "dbname": "fairway", "user": "fairway_super"}
        # One transaction, so one instant: sequencer and newest change must agree.
        with psycopg.connect(**where) as database:
            for one in (FILL % {"n": partners}).split(";\n"):
                if one.strip():
                    database.execute(one)
        self.engine = make_engine(self.cluster.app_url())
        equip(SECRET)
        names = {k: v for k, v in os.environ.items() if not k.startswith("FAIRWAY_")}
        self.environment = {
            **names,
            HANDOVER: written({one: self.cluster.url_of(one) for one in PARTS}, fed=True),
            "FAIRWAY_HOME": str(folder),
            "FAIRWAY_SECRET_KEY": SECRET,
            "FAIRWAY_SURFACE": "api",
            "BENCH_BODY": str(folder / "body"),
            "BENCH_PARTNERS": str(partners),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}",
        }
        self.servers = {}
        self.feeder = None

    def feed(self):
        """Start the feeder; the seconds until its map is there, interpreter's start included."""
        began = time.monotonic()
        command = [sys.executable, "-m", "app.cli", "feeder"]
        self.feeder = self.start(command)
        reader = MapReader(self.folder / FOLDER)
        # An older feeder's confirmation is none of this one's.
        while (found := reader.meta()) is None or found.beat < 1e9 * began:
            time.sleep(0.01)
        return time.monotonic() - began

    def start(self, command):
        made = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        self.stack.callback(made.wait)
        self.stack.callback(made.terminate)
        return made

    def serve(self, name, factory, port):
        command = ["taskset", "-c", "0", sys.executable, "-m", "granian", "--interface", "wsgi"]
        command += ["--factory", "--workers", "1", "--blocking-threads", "1", "--no-ws"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        command += ["--workers-kill-timeout", "3"]
        self.servers[name] = (self.start([*command, f"status_apps:{factory}"]).pid, port)

    def serve_file(self, port):
        """Nginx with a file of the same bytes, one worker."""
        if shutil.which("nginx") is None:
            print("skipped: nginx is not installed")
            return
        body = self.folder / "body"
        conf = self.folder / "nginx.conf"
        conf.write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log stderr crit; worker_processes 1;"
            " events {worker_connections 256;} http {access_log off; keepalive_requests 100000000;"
            f" default_type application/json; server {{listen 127.0.0.1:{port};"
            f" root {body.parent}; location / {{try_files /body =404;}} }} }}"
        )
        self.folder.chmod(0o755)
        body.chmod(0o644)
        command = ["taskset", "-c", "0", "nginx", "-c", str(conf), "-p", str(self.folder)]
        self.servers["nginx_file"] = (self.start(command).pid, port)

    def token(self, port):
        actor = system_actor("bench")
        with BoundSession(self.engine, Principal(actor.principal)) as session, session.begin():
            work = Work(session, actor, SystemClock().now(), reactions=REACTIONS)
            row, secret = create_client(work, name="Bench", scopes=["status:read"])
            set_quota(work, row, per_minute=10**9, per_day=10**9)
            name = row.client_id
        basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/oauth/token",
            data=b"grant_type=client_credentials",
            headers={"Authorization": f"Basic {basic}"},
        )
        return json.loads(urllib.request.urlopen(asked).read())["access_token"]  # noqa: S310


def cpu_seconds(root):
    """User and system time of a process and all that descend from it."""
    pids, total = [root], 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(one) for one in fields[11:15])
            for task in Path(f"/proc/{pid}/task").iterdir():
                pids += [int(one) for one in (task / "children").read_text().split()]
        except OSError:
            continue
    return total / TICKS


def load(port, token, partners, accept, seconds, rate=None):
    """Requests answered, and their 99th percentile in microseconds; any refusal ends the run.

    As fast as they are answered, or by the clock at `rate` a second, which wrk cannot do.
    """
    names = {"BENCH_N": str(partners), "BENCH_TOKEN": token, "BENCH_ACCEPT": accept}
    if WRK and rate is None:
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
        command += ["-s", str(LOAD[0]), f"http://127.0.0.1:{port}"]
    else:
        command = [sys.executable, str(Path(__file__).with_name("load.py"))]
        command += [str(port), str(seconds), str(CONNECTIONS)]
        command += [] if rate is None else [str(rate)]
    told = subprocess.run(
        ["taskset", "-c", "1", *command],
        env={**os.environ, **names},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode or "Non-2xx" in told.stdout or "Socket errors" in told.stdout:
        raise SystemExit(told.stdout + told.stderr)
    if command[0] != "wrk":
        found = json.loads(told.stdout)
        return found["requests"], found["p99"]
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", told.stdout)
    unit = {"us": 1, "ms": 1000, "s": 10**6}
    return int(re.search(r"(\d+) requests in", told.stdout)[1]), float(tail[1]) * unit[tail[2]]


WRK = shutil.which("wrk") is not None
LOAD = []


def slot(bench, name, token, accept, seconds):
    """CPU of server and database in microseconds a request, requests a second, p99."""
    pid, port = bench.servers[name]
    before = cpu_seconds(pid), cpu_seconds(bench.postmaster)
    began = time.monotonic()
    count, tail = load(port, token, bench.partners, accept, seconds)
    wall = time.monotonic() - began
    # What waits to be recorded belongs to these requests.
    time.sleep(1.3)
    after = cpu_seconds(pid), cpu_seconds(bench.postmaster)
    server, database = (1e6 * (a - b) / count for a, b in zip(after, before, strict=True))
    return {"cpu": server, "db": database, "rate": count / wall, "p99": tail}


def bulk(bench, name, token, amount, seconds):
    """CPU of the server in microseconds a status, of POST /statuses with `amount` identifiers."""
    pid, port = bench.servers[name]
    # Other partners each time, so that nothing is answered from what was just read.
    chance = random.Random(7)  # noqa: S311 - a load, not a secret.
    bodies = []
    for _ in range(KINDS_OF_BULK):
        chosen = [chance.randrange(bench.partners) for _ in range(amount)]
        asked = [{"scheme": "ior", "value": f"{10 + i % 89:02d}-{i:07d}00"} for i in chosen]
        bodies.append(json.dumps({"identifiers": asked}).encode())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    line = http.client.HTTPConnection("127.0.0.1", port)
    before, count, ends = cpu_seconds(pid), 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        body = bodies[count // amount % KINDS_OF_BULK]
        line.request("POST", "/api/v1/statuses", body, headers)
        answer = line.getresponse()
        told = answer.read()
        if answer.status != 200:  # noqa: PLR2004 - anything else ends the run.
            raise SystemExit(told)
        count += amount
    line.close()
    time.sleep(1.3)
    if len(json.loads(told)["statuses"]) != amount:
        raise SystemExit("statuses are missing")
    return 1e6 * (cpu_seconds(pid) - before) / count


@contextmanager
def changing(bench, a_second):
    """Change the register so many times a second meanwhile."""
    stop = threading.Event()

    def change():
        actor = system_actor("bench")
        while not stop.wait(1 / a_second):
            with BoundSession(bench.engine, Principal(actor.principal)) as s, s.begin():
                step(s)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def visible(bench, token, changes):
    """Milliseconds from the return of COMMIT until a reader of this host knows, at 2,000/s."""
    busy = threading.Thread(
        target=load,
        args=(bench.servers["status"][1], token, bench.partners, "*/*", 8),
        kwargs={"rate": RATE},
    )
    busy.start()
    reader, found = MapReader(bench.folder / FOLDER), []
    actor = system_actor("bench")
    for _ in range(changes):
        with BoundSession(bench.engine, Principal(actor.principal)) as session:
            with session.begin():
                step(session)
            seq = session.scalars(select(RegisterSequencer.last)).one()
            began = time.perf_counter()
            while reader.meta().seq < seq:
                time.sleep(0.0001)
            found.append(1000 * (time.perf_counter() - began))
            session.rollback()
        time.sleep(0.02)
    busy.join()
    return sorted(found)


def step(session):
    """A change of the register as the ledger makes one."""
    from app.register.ledger import ChangeKind, next_change  # noqa: PLC0415
    from app.register.models import RegisterChange  # noqa: PLC0415

    trader = session.scalars(select(RegisterChange.trader_id).where(RegisterChange.seq == 1)).one()
    next_change(session, trader, ChangeKind.STANDING, SystemClock().now())


def ratio(name, values):
    print(f"RATIO {name} {statistics.median(values):.3f} [{min(values):.3f} to {max(values):.3f}]")


def main():
    reading = argparse.ArgumentParser()
    reading.add_argument("--partners", type=int, default=200_000)
    reading.add_argument("--rounds", type=int, default=ROUNDS)
    reading.add_argument("--only", choices=["map", "bulk"], help="one part of the run")
    reading.add_argument("--own-load", action="store_true", help="load.py even where wrk is")
    given = reading.parse_args()
    global WRK  # noqa: PLW0603 - a switch of this run.
    WRK = WRK and not given.own_load
    if (os.cpu_count() or 1) < 2:  # noqa: PLR2004 - one for the server, one for the load.
        print("Needs two cores.")
        return 2
    print(f"load: {'wrk' if WRK else 'load.py, since wrk is not installed'}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairway-bench-")))
        folder.chmod(0o755)
        return run(Bench(folder, given.partners, stack), given.rounds, given.only)


def open_up(bench):
    """Start the server under test; a token that it takes, and the answer that all are to give."""
    bench.serve("status", "fairway", 8211)
    for _ in range(900):
        try:
            token = bench.token(8211)
            break
        except OSError:
            time.sleep(0.1)
    asked = urllib.request.Request(
        "http://127.0.0.1:8211/api/v1/partners/ior/10-000000000/status",
        headers={"Authorization": f"Bearer {token}"},
    )
    body = urllib.request.urlopen(asked).read()  # noqa: S310 - our own server.
    if json.loads(body)["answer"] != "active":
        raise SystemExit(body)
    return token, body


def wait_for(port, token):
    """Wait for a real answer of a server: many begin at once on one core."""
    path = "/api/v1/partners/ior/10-000000000/status"
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    for _ in range(900):
        try:
            urllib.request.urlopen(asked).close()  # noqa: S310 - our own server.
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"nothing answers at {port}")


def tell(table):
    """The medians of every slot; the numbers of a busy machine, unlike the ratios."""
    for name, found in table.items():
        middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
        print(
            f"{name:<12} {middle['cpu']:7.1f} µs CPU  {middle['db']:7.1f} µs database"
            f"  {middle['rate']:9.0f}/s  p99 {middle['p99']:8.0f} µs"
        )


def in_bulk(bench, token, rounds):
    for amount in (1_000, 10_000):
        ours, theirs = [], []
        for turn in range(rounds + 1):
            one, other = (
                bulk(bench, name, token, amount, SECONDS) for name in ("status", "usual_bulk")
            )
            if turn:
                ours.append(one)
                theirs.append(other)
        print(
            f"bulk of {amount}: {statistics.median(ours):.2f} µs CPU a status,"
            f" {1e6 / statistics.median(ours):.0f} a second and core"
        )
        both = zip(theirs, ours, strict=True)
        ratio(f"bulk_{amount}_vs_jsonify", [b / a for b, a in both])


def at_a_rate(bench, token, rounds):
    if "nginx_file" not in bench.servers:
        return
    tails = []
    with changing(bench, 10):
        for _ in range(rounds):
            ours, theirs = (
                load(bench.servers[name][1], token, bench.partners, "*/*", SECONDS, RATE)[1]
                for name in ("status", "nginx_file")
            )
            tails.append(ours / theirs)
    ratio("p99_vs_nginx_file", tails)


def build_map(bench):
    """Build the map, say how large it is, and let another feeder go on with it."""
    print(f"map built from nothing in {bench.feed():.1f} s, interpreter's start included")
    file = bench.folder / FOLDER / (bench.folder / FOLDER / CURRENT).read_text() / "data.mdb"
    used = file.stat().st_blocks * 512
    print(f"map: {used / 2**20:.0f} MiB, {used / bench.partners:.0f} bytes a partner and key")
    bench.feeder.terminate()
    bench.feeder.wait()
    print(f"gone on with in {bench.feed():.1f} s, interpreter's start included")


def part(bench, rounds, only):
    """The map alone, which stands by now, or bulk look-ups."""
    if only == "bulk":
        token, body = open_up(bench)
        (bench.folder / "body").write_bytes(body)
        bench.serve("usual_bulk", "usual_bulk", 8212)
        wait_for(8212, token)
        in_bulk(bench, token, rounds)
    bench.engine.dispose()
    return 0


def run(bench, rounds, only=None):
    LOAD[:] = [bench.folder / "load.lua"]
    LOAD[0].write_text(LUA)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(
        f"{model[1] if model else 'unknown CPU'}; Python {sys.version.split()[0]}; {bench.partners} partners"
    )
    print("skipped: OPA server (no package index has its binary), OpenFGA, SpiceDB: not obtainable")
    build_map(bench)
    if only is not None:
        return part(bench, rounds, only)
    token, body = open_up(bench)
    (bench.folder / "body").write_bytes(body)
    others = {"again": "fairway", "noop": "noop", "unrecorded": "unrecorded"}
    others |= {"usual_view": "usual_view", "usual_orm": "usual_orm"}
    others |= {"noop_headers": "noop_headers", "usual_bulk": "usual_bulk"}
    for number, (name, factory) in enumerate(others.items()):
        bench.serve(name, factory, 8212 + number)
        # One after another: together on one core they would take each other's time.
        wait_for(8212 + number, token)
    bench.serve_file(8220)
    slots = [(name, name, "*/*") for name in bench.servers if name != "usual_bulk"]
    slots.append(("signed", "status", "application/jwt"))
    table = {name: [] for name, *_ in slots}
    for turn in range(rounds + 1):
        for name, server, accept in slots:
            # Few enough identifiers that all answers of the slot come from the cache, filled first.
            bench.partners, whole = (100 if name == "signed" else bench.partners), bench.partners
            if name == "signed":
                load(bench.servers[server][1], token, bench.partners, accept, 2 * SECONDS)
            found = slot(bench, server, token, accept, SECONDS)
            print(".", end="", flush=True, file=sys.stderr)
            bench.partners = whole
            if turn:
                table[name].append(found)
    tell(table)

    def pairs(over, under, *, database=False):
        def total(one):
            return one["cpu"] + (one["db"] if database else 0)

        both = zip(table[over], table[under], strict=True)
        return [total(above) / total(below) for above, below in both]

    same = pairs("again", "status")
    print(f"A/A {statistics.median(same):.3f} [{min(same):.3f} to {max(same):.3f}]")
    ratio("status_vs_noop", pairs("noop", "status"))
    ratio("status_vs_noop_headers", pairs("noop_headers", "status"))
    ratio("status_vs_usual_view", pairs("usual_view", "status"))
    ratio("status_vs_usual_orm", pairs("usual_orm", "status", database=True))
    if "nginx_file" in table:
        ratio("status_vs_nginx_file", pairs("nginx_file", "status"))
    ratio("signed_vs_unsigned", pairs("status", "signed"))
    ratio("record_share", [1 - one for one in pairs("unrecorded", "status")])
    ratio(
        "record_share_with_database", [1 - x for x in pairs("unrecorded", "status", database=True)]
    )
    in_bulk(bench, token, rounds)
    at_a_rate(bench, token, rounds)
    seen = visible(bench, token, 200)
    print(
        f"commit to visible, loaded: p50 {seen[100]:.1f} ms, p99 {seen[198]:.1f} ms, worst {seen[-1]:.1f} ms"
    )
    bench.engine.dispose()
    return 0 if NOISE[0] <= statistics.median(same) <= NOISE[1] else 2


if __name__ == "__main__":
    sys.exit(main())
