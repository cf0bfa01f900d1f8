"""The scan: its verdicts, its absence, and a scanner that is away. The scanner is a real socket."""

import socket
import struct
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app.authz.actor import system_actor
from app.documents import tasks
from app.documents.models import DocumentRevision
from app.documents.scanner import ScannerError, scan
from app.jobs.queue import Bench, equip
from app.reactions import REACTIONS
from tests.factories.documents import EICAR, make_document
from tests.factories.identity import make_person
from tests.factories.traders import make_trader


class Clamd:
    """Speaks INSTREAM as clamd does: finds EICAR, refuses streams over `limit` bytes."""

    def __init__(self, server: socket.socket, limit: int = 30_000_000) -> None:
        self.server = server
        self.limit = limit
        self.seen: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                body = b""
                while length := struct.unpack("!L", stream.read(4))[0]:
                    body += stream.read(length)
                self.seen.append(body)
                connection.sendall(self.verdict(body) + b"\0")

    def verdict(self, body: bytes) -> bytes:
        if len(body) > self.limit:
            return b"INSTREAM size limit exceeded. ERROR"
        if EICAR in body:
            return b"stream: Eicar-Test-Signature FOUND"
        return b"stream: OK"


@contextmanager
def clamd(path, **options):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()
    running = Clamd(server, **options)
    try:
        yield running
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        running.thread.join(5)


@pytest.fixture
def stored(app, work_as):
    """Keep a text file and return its revision's id."""

    def keep(content: bytes = b"Gate log\n"):
        with work_as(system_actor("test")) as work:
            trader = make_trader(work, make_person(work))
            return make_document(work, trader.id, filename="log.txt", content=content).id

    return keep


@pytest.fixture
def equipped(engine, clock, settings):
    def with_scanner(address):
        scanning = settings.model_copy(update={"clamd": address})
        equip(Bench(engine=engine, clock=clock, settings=scanning, reactions=REACTIONS))

    return with_scanner


def read(work_as, revision_id):
    with work_as(system_actor("test")) as work:
        found = work.session.get(DocumentRevision, revision_id)
        return found.scan_state, found.scan_finding, found.scanned_at


def test_without_a_scanner_a_file_is_noted_as_unscanned(stored, run_jobs, work_as):
    revision_id = stored()
    run_jobs()
    assert read(work_as, revision_id) == ("unscanned", None, None)


@pytest.mark.parametrize(
    ("content", "state", "finding"),
    [
        (b"Gate log\n" * 100_000, "clean", None),
        (EICAR, "infected", "Eicar-Test-Signature"),
    ],
)
def test_the_scanner_reads_every_byte_and_its_verdict_is_kept(
    stored, equipped, work_as, clock, tmp_path, content, state, finding
):
    revision_id = stored(content)
    with clamd(tmp_path / "clamd") as scanner:
        equipped(f"unix:{tmp_path / 'clamd'}")
        tasks.scan_revision(str(revision_id))
        tasks.scan_revision(str(revision_id))
    assert scanner.seen == [content]
    assert read(work_as, revision_id) == (state, finding, clock.now())


def test_while_the_scanner_is_away_the_file_stays_pending(stored, equipped, work_as, tmp_path):
    revision_id = stored()
    equipped(f"unix:{tmp_path / 'nobody'}")
    with pytest.raises(ScannerError):
        tasks.scan_revision(str(revision_id))
    assert read(work_as, revision_id)[0] == "pending"


def test_an_answer_that_is_no_verdict_is_not_taken_for_one(tmp_path):
    with clamd(tmp_path / "clamd", limit=10), pytest.raises(ScannerError, match="size limit"):
        scan(f"unix:{tmp_path / 'clamd'}", [b"more than ten bytes"])


def test_a_scanner_over_the_network_is_asked_by_host_and_port():
    server = socket.create_server(("127.0.0.1", 0))
    running = Clamd(server)
    port = server.getsockname()[1]
    assert scan(f"127.0.0.1:{port}", [EICAR[:20], EICAR[20:]]) == "Eicar-Test-Signature"
    assert scan(f"tcp://127.0.0.1:{port}", [b"fine"]) is None
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    running.thread.join(5)


def test_what_was_left_pending_is_tried_again(stored, run_jobs, clock, work_as, super_engine):
    revision_id = stored()
    with super_engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path TO procrastinate, public")
        connection.exec_driver_sql("DELETE FROM procrastinate.procrastinate_events")
        connection.exec_driver_sql("DELETE FROM procrastinate.procrastinate_jobs")
    tasks.scan_left_behind(0)
    run_jobs()
    assert read(work_as, revision_id)[0] == "pending"
    clock.advance(timedelta(hours=3))
    tasks.scan_left_behind(0)
    run_jobs()
    assert read(work_as, revision_id)[0] == "unscanned"
