"""The queue: nothing before the commit, nothing lost after it, a killed worker's job again."""

import pytest
from sqlalchemy import text

from app.authz.actor import system_actor
from app.jobs.queue import STALLED_AFTER, conninfo, defer, queue

SYSTEM = system_actor("test")


def jobs(super_engine):
    with super_engine.connect() as connection:
        return connection.execute(
            text(
                "SELECT task_name, status::text FROM procrastinate.procrastinate_jobs"
                " WHERE task_name <> 'jobs.rescue' ORDER BY id"
            )
        ).all()


def test_a_job_is_committed_with_its_reason(work_as, super_engine):
    with work_as(SYSTEM) as work:
        defer(work, "notifications.deliver", message_id="00000000-0000-0000-0000-000000000001")
        assert jobs(super_engine) == []
    assert jobs(super_engine) == [("notifications.deliver", "todo")]


def test_a_job_is_rolled_back_with_its_reason(work_as, super_engine):
    def undone():
        with work_as(SYSTEM) as work:
            defer(work, "notifications.deliver", message_id="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert jobs(super_engine) == []


def test_a_task_that_nobody_knows_fails_and_the_next_one_runs(work_as, run_jobs, super_engine):
    with work_as(SYSTEM) as work:
        defer(work, "no.such.task")
        defer(work, "notifications.deliver", message_id="00000000-0000-0000-0000-000000000001")
    run_jobs()
    assert jobs(super_engine) == [
        ("no.such.task", "failed"),
        ("notifications.deliver", "succeeded"),
    ]


def test_the_job_of_a_killed_worker_is_run_again(work_as, super_engine, run_jobs):
    with work_as(SYSTEM) as work:
        defer(work, "notifications.deliver", message_id="00000000-0000-0000-0000-000000000001")
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = procrastinate"))
        # A worker that took the job and was never heard of again.
        connection.execute(
            text(
                "WITH dead AS (INSERT INTO procrastinate.procrastinate_workers (last_heartbeat)"
                " VALUES (now() - make_interval(secs => :age)) RETURNING id)"
                " UPDATE procrastinate.procrastinate_jobs"
                " SET status = 'doing', worker_id = (SELECT id FROM dead)"
            ),
            {"age": STALLED_AFTER * 10},
        )
    assert jobs(super_engine) == [("notifications.deliver", "doing")]
    with work_as(SYSTEM) as work:
        defer(work, "jobs.rescue", timestamp=0)
    run_jobs()
    run_jobs()
    assert jobs(super_engine) == [("notifications.deliver", "succeeded")]


def test_every_task_has_a_name_of_its_own_room():
    names = [name for name in queue.tasks if not name.startswith("builtin")]
    assert len(names) >= 4
    assert all("." in name for name in names)


def test_the_address_keeps_its_socket_and_finds_the_queue():
    made = conninfo("postgresql+psycopg://fairway_app@/fairway?host=/run/a b&port=5432")
    assert "user=fairway_app" in made
    assert "host='/run/a b'" in made
    assert "search_path=procrastinate,public" in made
