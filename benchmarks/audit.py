"""What the audit log costs: writing against none, verifying against bare hashing.

RATIO audit_write_vs_none    transactions a second with an event each, over the same without (exit 2: too noisy)
RATIO audit_verify_vs_sha256 time of the bare hashing, over the time of the whole verification
"""

import hashlib
import importlib.util
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, text

from app.audit import merkle
from app.audit.notes import LOG, Checkpoint, Signer
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.kernel.ids import new_id

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 7
TRANSACTIONS = 400
LEAVES = 1_000_000
LARGEST_NOISE = 0.05
KEPT = 0.95
"""The slowest transactions are left out, of each kind alike: a checkpoint of PostgreSQL hit them."""

PERSON = text(
    "INSERT INTO person (id, email, name, created_at) VALUES (:id, :mail, 'Bench', now())"
)
EVENT = text(
    "INSERT INTO audit_event (id, at, tag, actor_kind, actor_name, subject_kind, subject_id,"
    " request_id, data) VALUES (:event, now(), 'person:signed-up', 'system', 'bench', 'person',"
    ' :id, \'bench\', \'{"before": "a", "after": "b"}\')'
)
BIND = text("SELECT set_config('app.principal', 'system:bench', true)")


def transact(engine, *, with_event):
    """Seconds of one transaction: three rows of business, and the event if asked."""
    begun = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(BIND)
        for _ in range(3):
            one = new_id()
            connection.execute(PERSON, {"id": one, "mail": f"{one.hex}@bench.example"})
        if with_event:
            connection.execute(EVENT, {"event": new_id(), "id": one})
    return time.perf_counter() - begun


def write(engine):
    """Throughput with an event, and without once more, each over that without.

    In turn, one transaction each: what else the machine does meets all three alike.
    """
    spent = [[], [], []]
    for _ in range(TRANSACTIONS):
        for kind in random.sample(range(3), 3):
            spent[kind].append(transact(engine, with_event=kind == 1))
    none, event, again = (sum(sorted(one)[: int(TRANSACTIONS * KEPT)]) for one in spent)
    return none / event, none / again


def writing():
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "postgres") as cluster:
        upgrade(cluster.owner_url())
        engine = create_engine(cluster.app_url())
        write(engine)
        found, control = zip(*(write(engine) for _ in range(ROUNDS)), strict=True)
        engine.dispose()
    print(f"A/A {statistics.median(control):.3f} ({min(control):.3f} to {max(control):.3f})")
    print(f"with an event {min(found):.3f} to {max(found):.3f}")
    print(f"RATIO audit_write_vs_none {statistics.median(found):.3f}")
    # Two runs of the same thing that differ this much say nothing about a third.
    return 0 if abs(statistics.median(control) - 1) <= LARGEST_NOISE else 2


def exported(path, signer):
    """An export of a million leaves with a checkpoint each thousand; returns the bodies' bytes."""
    tree, bodies = merkle.Frontier(), []
    with path.open("w", encoding="utf-8") as into:
        into.write(
            json.dumps({"format": "fairway-audit-export/1", "key": str(signer.verifier)}) + "\n"
        )
        for index in range(LEAVES):
            body = rfc8785.dumps(
                {"kind": "audit_event", "event": {"id": f"{index:032x}", "tag": "case:criterion-judged",
                 "data": {"before": "open", "after": "judged", "criterion": "1.1"}, "at": "2026-11-24"}}
            )  # fmt: skip
            leaf = merkle.leaf_hash(body)
            tree.add(leaf)
            bodies.append(body)
            into.write(
                json.dumps({"index": index, "leaf": leaf.hex(), "body": body.decode()}) + "\n"
            )
            if tree.size % 1_000 == 0:
                claim = Checkpoint(signer.name, tree.size, tree.root())
                note = f"{claim.text}\n{signer.sign(claim.text)}"
                into.write(json.dumps({"checkpoint": note}) + "\n")
        into.write(json.dumps({"end": LEAVES}) + "\n")
    return bodies


def verifying():
    made = importlib.util.spec_from_file_location("verify_audit", ROOT / "clients/verify_audit.py")
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    signer = Signer("fairway.bench", LOG, Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        bodies = exported(path, signer)
        begun = time.perf_counter()
        for body in bodies:
            hashlib.sha256(body).digest()
        bare = time.perf_counter() - begun
        del bodies
        begun = time.perf_counter()
        fault = module.verify(str(path), str(signer.verifier))
        whole = time.perf_counter() - begun
    if fault:
        print(fault)
        return 1
    print(f"{LEAVES:,} leaves verified in {whole:.1f} s; their bodies hashed alone in {bare:.2f} s")
    print(f"RATIO audit_verify_vs_sha256 {bare / whole:.3f}")
    return 0


if __name__ == "__main__":
    inconclusive = writing()
    sys.exit(verifying() or inconclusive)
