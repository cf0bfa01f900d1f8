"""A log to seal, events to put into it, and somebody with all rights over the database."""

import io

import pytest
from sqlalchemy import text

from app.audit import sealing, verifying
from app.audit.access import Circumstances, Seen, record_access, record_security_event
from app.audit.asking import post
from app.audit.copies import Copies
from app.audit.notes import LOG, WITNESS, Signer, Verifier
from app.audit.tags import SecurityTag
from app.audit.witnessing import ask
from app.authz.actor import system_actor
from app.db.session import Principal, transaction
from app.identity.keys import load_or_create
from tests.audit.witnesses import Running, command
from tests.factories.identity import make_person
from tests.factories.traders import make_trader

SYSTEM = system_actor("test")
READER = Principal("system:test")


@pytest.fixture
def signer(tmp_path):
    key = load_or_create(tmp_path / "keys", "audit").keys[0]
    return Signer("fairway.test", LOG, key.private_key)


@pytest.fixture
def copies(tmp_path):
    return Copies(tmp_path / "checkpoints")


@pytest.fixture
def log(engine, signer, copies, clock):
    """Seals at a call, and tells what is wrong."""

    class Log:
        def __init__(self):
            self.signer = signer

        def seal(self):
            return sealing.seal(engine, signer, copies, now=clock.now())

        def faults(self):
            with transaction(engine, READER, read_only=True) as session:
                return list(verifying.faults(session, signer.verifier, copies))

        def export(self):
            with transaction(engine, READER, read_only=True) as session:
                into = io.StringIO()
                verifying.export(session, signer.verifier, into)
                return into.getvalue()

    return Log()


@pytest.fixture
def happened(work_as, engine, clock):
    """Some traders register, somebody is refused, somebody looks: events of every kind."""

    def happen(count=3):
        for _ in range(count):
            with work_as(SYSTEM) as work:
                make_trader(work, make_person(work))
        at = Circumstances(at=clock.now(), address="192.0.2.7", request_id="r")
        record_security_event(engine, SecurityTag.ACCESS_DENIED, at)
        record_access(engine, SYSTEM, [Seen("page", "/x"), Seen("page", "/y")], at)

    return happen


@pytest.fixture
def tamper(super_engine):
    """What somebody with all rights over the database could do, triggers switched off."""

    def statement(sql, **values):
        with super_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            return connection.execute(text(sql), values).rowcount

    return statement


@pytest.fixture
def folder(tmp_path, signer):
    place = tmp_path / "witness"
    made = command("init", place, "witness.example/one")
    assert Verifier.parse(made).kind == WITNESS
    (place / "logs").write_text(f"# Fairway\n\n{signer.verifier}\n")
    return place


@pytest.fixture
def running(folder):
    started = []

    def start(*before, place=folder):
        started.append(Running(place, *before))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def asked(engine, signer, copies, clock):
    """Ask a running witness for its cosignature, over the wire that is used in production."""

    def to(one):
        found = one.witness if hasattr(one, "witness") else one
        return ask(engine, signer.verifier, copies, found, post, now=clock.now())

    return to
