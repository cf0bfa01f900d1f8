"""Ids in the order of their making, whatever the clock does."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from app.kernel.ids import new_id


def test_what_is_made_later_sorts_later():
    made = [new_id() for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_that_is_set_back_changes_no_order(monkeypatch):
    before = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_id() > before


def test_eight_threads_share_one_order():
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert all(run == sorted(run) for run in runs)
    assert len({one for run in runs for one in run}) == 4_000


def test_it_is_a_version_7_uuid_of_this_instant():
    now = time.time_ns() // 1_000_000
    made = new_id()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) - now) < 5_000
