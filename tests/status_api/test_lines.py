"""Lines are answered while they come in: in order, in place, in flat memory, over a real socket."""

import json
import socket
import threading
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from werkzeug.serving import make_server

from app.authz.actor import system_actor
from app.identity.models import ApiClient
from app.status_api import streaming
from app.status_api.models import LookupRow
from app.status_api.streaming import LONGEST_LINE, MOST_LINES, READ_AHEAD, READ_AT_ONCE, blocks
from tests.factories.register import make_partner, suspend_urgently

IOR = "12-345678900"
NDJSON = "application/x-ndjson"
WIDE = 4_000
"""Bytes of a padded line, so that few look-ups make a long body."""


def line(number: int, width: int = 0) -> bytes:
    said = json.dumps({"scheme": "ior", "value": f"12-{number:07}00"})
    return (said[:-1].ljust(width - 2) + "}\n").encode()


class Body:
    """A body that is made as it is read, and tells how far it was."""

    def __init__(self, lines) -> None:
        self._lines = iter(lines)
        self._rest = b""
        self.read_so_far = 0

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (more := next(self._lines, b"")):
            self._rest += more
        found, self._rest = self._rest[:size], self._rest[size:]
        self.read_so_far += len(found)
        return found


def test_a_long_body_is_never_held():
    """200 MB in blocks: what is held at any time stays below a few of the two read ahead."""
    body = Body(line(number, WIDE) for number in range(50_000))
    tracemalloc.start()
    seen = 0
    for block in blocks(body):
        seen += len(block)
        assert len(block) <= MOST_LINES
        # Nothing is read before it is asked for, but for what is read ahead.
        assert body.read_so_far <= max(READ_AHEAD, seen * WIDE + 2 * READ_AT_ONCE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 50_000
    assert peak < 6 * READ_AHEAD


@pytest.mark.parametrize("cut", [1, 7, 100, 64 * 1024])
def test_lines_are_the_same_however_they_arrive(monkeypatch, cut):
    lines = [b"a" * 50, b"", b" \r", b"b" * LONGEST_LINE, b"c" * (LONGEST_LINE + 1), b"d"]
    lines += [b"e" * 3 * LONGEST_LINE, b"f"]
    monkeypatch.setattr(streaming, "READ_AHEAD", cut)
    monkeypatch.setattr(streaming, "READ_AT_ONCE", cut)
    for end, last in ((b"", b"f"), (b"\n", b"f"), (b"\n" + b"g" * 2 * LONGEST_LINE, None)):
        whole = Body([b"\n".join(lines) + end])
        found = [one for block in blocks(whole) for one in block]
        wanted = [lines[0], lines[3], None, b"d", None, b"f"]
        assert found == wanted + ([None] if last is None else [])


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ("127.0.0.1", server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def unrecorded(*_seen) -> None:
    """In the place of the record, whose writing is not what these are about."""


def asking(address, program, length):
    connection = socket.create_connection(address, timeout=60)
    connection.sendall(
        f"POST /api/v1/statuses HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON}\r\n"
        f"Authorization: Bearer {program.token}\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return connection


def body_of(reader):
    """The lines of an answer: werkzeug's server ends it by closing, others by chunks."""
    return (one for one in reader if one.startswith(b"{"))


def test_the_first_answers_come_while_the_rest_is_still_to_be_sent(address, program, work_as):
    """Over a real socket, with most of the body never sent before its beginning is answered."""
    count = 2_500
    with asking(address, program, count * WIDE) as connection:
        early = READ_AHEAD // WIDE + 50
        connection.sendall(b"".join(line(number, WIDE) for number in range(early)))
        with connection.makefile("rb") as reader:
            answers = body_of(reader)
            found = [json.loads(next(answers)) for _ in range(READ_AHEAD // WIDE - 1)]
            for at in range(early, count, 100):
                upto = min(at + 100, count)
                connection.sendall(b"".join(line(number, WIDE) for number in range(at, upto)))
                found += [json.loads(next(answers)) for _ in range(50)]
            found += [json.loads(one) for one in answers]
    assert [one["identifier"]["value"] for one in found] == [
        f"12-{number:07}00" for number in range(count)
    ]
    with work_as(system_actor("test")) as work:
        kept = work.session.scalar(select(func.count()).select_from(LookupRow))
    assert kept == count


def test_ten_thousand_may_all_be_sent_before_anything_is_read(address, program, monkeypatch):
    """What a simple program does: such a body is below what is read ahead, whatever it says."""
    monkeypatch.setattr("app.status_api.api.note_lookups", unrecorded)
    body = b"".join(line(number, 130) for number in range(10_000))
    assert len(body) < READ_AHEAD
    with asking(address, program, len(body)) as connection:
        connection.sendall(body)
        with connection.makefile("rb") as reader:
            assert sum(1 for _ in body_of(reader)) == 10_000


def streamed(program, lines, query=""):
    answer = program.post(f"/statuses{query}", b"".join(lines), **{"Content-Type": NDJSON})
    assert answer.status_code == 200, answer.text
    return [json.loads(one) for one in answer.text.splitlines()]


def long_body(before_the_second_block, lines=None):
    """A body of two blocks, and what happens while the second is read."""

    class Happening(Body):
        def read(self, size):
            if self.read_so_far:
                before_the_second_block()
            return super().read(size)

    return Happening(lines or [line(number, WIDE) for number in range(READ_AHEAD // WIDE + 500)])


def post_happening(program, body):
    return program.client.post(
        "/api/v1/statuses",
        headers=program.headers(**{"Content-Type": NDJSON}),
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
    )


def test_a_suspension_in_the_middle_is_in_the_next_block(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IOR}")
    at = READ_AHEAD // WIDE + 300
    once = iter([1])

    def suspend():
        if next(once, None):
            suspend_urgently(work_as, partner_id)

    lines = [line(number, WIDE) for number in range(READ_AHEAD // WIDE + 500)]
    lines[0] = lines[at] = line(3456789, WIDE)
    answer = post_happening(program, long_body(suspend, lines))
    found = [json.loads(one) for one in answer.text.splitlines()]
    assert (found[0]["answer"], found[at]["answer"]) == ("active", "not_active")
    seqs = [one["seq"] for one in found]
    assert seqs == sorted(seqs)


def revoke(work_as):
    with work_as(system_actor("test")) as work:
        work.session.execute(text("UPDATE api_client SET state = 'revoked'"))


@pytest.mark.parametrize("how", ["revoked", "over"])
def test_a_token_that_ends_ends_the_stream(program, work_as, clock, how):
    ends = {
        "revoked": lambda: revoke(work_as),
        "over": lambda: clock.advance(timedelta(minutes=11)),
    }
    answer = post_happening(program, long_body(ends[how]))
    *found, last = [json.loads(one) for one in answer.text.splitlines()]
    assert len(found) == READ_AHEAD // WIDE
    assert (last["status"], "answer" in last) == (401, False)


def test_a_blocks_lines_count_as_a_request_of_the_quota(program, work_as):
    with work_as(system_actor("test")) as work:
        [client] = work.session.scalars(select(ApiClient))
        client.per_minute = 3
    body = Body(line(number, WIDE) for number in range(READ_AHEAD // WIDE + 200))
    *found, last = [json.loads(one) for one in post_happening(program, body).text.splitlines()]
    assert last["type"] == "urn:fairway:quota-reached"
    assert READ_AHEAD // WIDE <= len(found) < READ_AHEAD // WIDE + 200


def test_the_first_block_is_refused_by_a_status_code(program):
    answer = program.post("/statuses?min_seq=7", line(1), **{"Content-Type": NDJSON})
    assert answer.status_code == 503


def test_more_than_ten_thousand_lines_are_answered(program, monkeypatch):
    monkeypatch.setattr("app.status_api.api.note_lookups", unrecorded)
    found = streamed(program, [b"{\n"] * 10_001)
    assert len(found) == 10_001
    assert {one["answer"] for one in found} == {"malformed"}
