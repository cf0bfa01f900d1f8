"""Numbers of changes are dense and in the order of commits; numbers of a plain sequence are not.

`CHANGES=100000 pytest tests/register/test_sequencer.py` runs as long as issue 6 asks for.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.db.session import BoundSession, Principal
from app.kernel.clock import SystemClock
from app.register.ledger import ChangeKind, next_change
from tests.factories.register import make_trader

CHANGES = int(os.environ.get("CHANGES", "1600"))
WRITERS = 8
NAIVE = """
CREATE TABLE naive_change (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
GRANT SELECT, INSERT ON naive_change TO fairway_app;
"""


@pytest.fixture
def naive(super_engine):
    """The table that a simple feed would have: numbered by a sequence."""
    with super_engine.begin() as connection:
        connection.execute(text(NAIVE))
    yield
    with super_engine.begin() as connection:
        connection.execute(text("DROP TABLE naive_change"))


def numbers(engine, write, table, changes):
    """Let eight write `changes` together, and give the numbers that a cursor saw while they did."""
    begin, ended = threading.Barrier(WRITERS + 1), threading.Event()
    who = Principal("system:test")

    def work(number):
        chance = random.Random(number)  # noqa: S311 - to spread the commits.
        begin.wait(30)
        for turn in range(changes // WRITERS):
            with BoundSession(engine, who) as session, session.begin():
                write(session)
                if turn % 16 == 0:
                    time.sleep(0.004 * chance.random())

    def follow():
        seen = []
        begin.wait(30)
        while True:
            last_look = ended.is_set()
            with BoundSession(engine, who, read_only=True) as session, session.begin():
                seen += session.execute(
                    text(f"SELECT seq FROM {table} WHERE seq > :last ORDER BY seq"),  # noqa: S608
                    {"last": seen[-1] if seen else 0},
                ).scalars()
            if last_look:
                return seen

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        cursor = pool.submit(follow)
        for one in [pool.submit(work, number) for number in range(WRITERS)]:
            one.result()
        ended.set()
        return cursor.result()


def test_eight_writers_leave_no_gap_and_a_cursor_misses_none(engine, work_as):
    trader_id = make_trader(work_as)

    def write(session):
        next_change(session, trader_id, ChangeKind.STANDING, SystemClock().now())

    seen = numbers(engine, write, "register_change", CHANGES)
    assert seen == list(range(1, CHANGES + 1))


def test_the_same_cursor_misses_changes_that_a_sequence_numbers(engine, naive):
    """The proof that the other test can fail."""

    def write(session):
        session.execute(text("INSERT INTO naive_change DEFAULT VALUES"))

    seen = numbers(engine, write, "naive_change", 1600)
    assert len(seen) < 1600
