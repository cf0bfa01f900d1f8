"""Probes: a word for strangers, details for this machine, figures for the monitoring."""

import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import create_app
from app.db.session import make_engine
from app.kernel.clock import SystemClock
from app.status_api import probes
from tests.factories.register import make_partner


@pytest.fixture
def live(engine, settings):
    """The API with the machine's own clock, which the database's is compared with."""
    app = create_app("api", settings=settings, engine=engine, clock=SystemClock())
    app.testing = True
    return app.test_client()


@pytest.fixture
def worker(super_engine, engine):
    with super_engine.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate.procrastinate_workers DEFAULT VALUES"))


def test_health_asks_nobody(live):
    found = live.get("/healthz")
    assert (found.status_code, found.get_json()) == (200, {"status": "ok"})


def test_ready_with_everything(live, worker):
    found = live.get("/readyz")
    assert found.status_code == 200
    body = found.get_json()
    assert body["status"] == "ok"
    assert set(body["checks"]) == {"database", "migrations", "register", "clock", "worker", "log"}
    assert all(one["ok"] for one in body["checks"].values())
    assert body["checks"]["migrations"]["at"] == body["checks"]["migrations"]["wanted"]


def test_without_a_worker_it_serves_and_says_so(live):
    body = live.get("/readyz").get_json()
    assert body["status"] == "degraded"
    assert body["checks"]["worker"] == {"ok": False, "heartbeat_age_seconds": None}


def test_a_worker_that_fell_silent(live, worker, super_engine):
    with super_engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE procrastinate.procrastinate_workers"
                " SET last_heartbeat = clock_timestamp() - interval '2 minutes'"
            )
        )
    body = live.get("/readyz").get_json()
    assert body["status"] == "degraded"
    assert 115 < body["checks"]["worker"]["heartbeat_age_seconds"] < 240


@pytest.fixture
def said_of_the_log(super_engine):
    """Puts what is wrong with a part of the log, for so many seconds, beside a checkpoint of it."""

    def put(part, trouble, seconds, origin="fairway.one", size=1):
        with super_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                text(
                    "INSERT INTO log_checkpoint VALUES (:size, clock_timestamp(), '',"
                    " 'fairway.one' || E'\\n1\\n') ON CONFLICT DO NOTHING"
                ),
                {"size": size},
            )
            connection.execute(
                text(
                    "INSERT INTO log_state VALUES (:origin, :part,"
                    " clock_timestamp() - make_interval(secs => :seconds), :trouble, 'Said.')"
                ),
                {"origin": origin, "part": part, "seconds": seconds, "trouble": trouble},
            )

    return put


@pytest.mark.parametrize(
    ("part", "trouble", "seconds", "told"),
    [
        ("seal", "stopped", 0, True),
        ("witness:w", "denied", 0, True),
        ("witness:w", "late", 30, False),
        ("witness:w", "late", 900, True),
        ("witness:w", None, 900, False),
    ],
)
def test_a_log_that_is_not_signed_or_cosigned(
    live, worker, said_of_the_log, part, trouble, seconds, told
):
    said_of_the_log(part, trouble, seconds)
    said_of_the_log("witness:old", "denied", 900, origin="fairway.before-the-restore")
    body = live.get("/readyz").get_json()
    assert body["status"] == ("degraded" if told else "ok")
    assert body["checks"]["log"]["trouble"] == ({part: "Said."} if told else {})
    assert f"fairway_log_trouble {int(told)}" in live.get("/metrics").text
    elsewhere = live.get("/readyz", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert elsewhere.get_json() == {"status": body["status"]}


@pytest.mark.parametrize(("seconds", "told"), [(2, False), (600, True)])
def test_an_event_that_waits_too_long_to_be_sealed(live, worker, super_engine, seconds, told):
    made = int((SystemClock().now().timestamp() - seconds) * 1000)
    old = uuid.UUID(int=made << 80 | 7 << 76 | 2 << 62)
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("INSERT INTO log_pending VALUES (:id, 'audit_event')"), {"id": old})
    body = live.get("/readyz").get_json()
    assert body["status"] == ("degraded" if told else "ok")
    assert seconds <= body["checks"]["log"]["unsealed_seconds"] < seconds + 100


def test_two_clocks_that_differ(client, clock):
    clock.at = SystemClock().now() + timedelta(seconds=5)
    found = client.get("/readyz")
    assert found.status_code == 503
    assert found.get_json()["status"] == "unavailable"
    assert 3 < found.get_json()["checks"]["clock"]["skew_seconds"] < 6


def test_another_migration_than_ours(live, super_engine):
    with super_engine.begin() as connection:
        wanted = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        found = live.get("/readyz")
        assert found.status_code == 503
        assert not found.get_json()["checks"]["migrations"]["ok"]
    finally:
        with super_engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :wanted"), {"wanted": wanted}
            )


def test_a_database_that_is_away(settings, tmp_path):
    engine = make_engine(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")
    app = create_app("api", settings=settings, engine=engine, clock=SystemClock())
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    found = client.get("/readyz")
    assert found.status_code == 503
    assert found.get_json()["checks"] == {"database": {"ok": False}}
    assert "fairway_ready 0" in client.get("/metrics").text
    engine.dispose()


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"X-Forwarded-For": "192.0.2.7"}},
        {"headers": {"Forwarded": "for=192.0.2.7"}},
        {"environ_base": {"REMOTE_ADDR": ""}},
    ],
)
def test_strangers_learn_a_word(live, elsewhere):
    assert live.get("/readyz", **elsewhere).get_json() == {"status": "degraded"}
    found = live.get("/metrics", **elsewhere)
    assert found.status_code == 404
    assert "fairway_" not in found.text


def test_the_figures(live, work_as, worker):
    make_partner(work_as, "ior:12-345678900", tier=2)
    found = live.get("/metrics")
    assert found.content_type.startswith("text/plain; version=0.0.4")
    figures = {}
    lines = found.text.splitlines()
    for one, two, three in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, value = re.fullmatch(r"(fairway_[a-z_]+) (\S+)", three).groups()
        assert one.startswith(f"# HELP {name} ")
        assert two == f"# TYPE {name} gauge"
        figures[name] = float(value)
    assert figures["fairway_ready"] == 1
    assert figures["fairway_register_seq"] >= 2
    assert figures["fairway_jobs_failed"] == 0
    assert figures["fairway_register_changed_timestamp_seconds"] > 1.7e9
    assert found.text.endswith("\n")


def test_what_is_unknown_is_left_out():
    found = probes.exposition(probes.Readiness(ready=False))
    assert found.splitlines()[-1] == "fairway_ready 0"
    assert len(found.splitlines()) == 3
