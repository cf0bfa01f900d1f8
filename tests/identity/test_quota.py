"""Quotas and idle clients: counted over all workers, warned of, and undone by an officer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import app.tasks
from app import create_app
from app.audit.models import AuditEvent
from app.db.session import make_engine
from app.identity import client_rules, service, tasks
from app.identity.client_rules import IdleStep, idle_step, read_rules, suspension_due
from app.identity.models import ApiClient, ClientCredential
from app.identity.scopes import Audience
from app.jobs.queue import Bench, equip
from app.kernel.errors import NotReadyError
from app.reactions import REACTIONS
from tests.conftest import NOON
from tests.factories.programs import ask, bearer, challenge, token_of
from tests.factories.register import statements
from tests.identity.conftest import SETTER

DAY = timedelta(days=1)
RULES = client_rules.RULES[Audience.INTERNAL]


@pytest.fixture
def limited(internal, work_as):
    """Give the client a quota, leaving out what the token itself has spent."""

    def limit(**figures):
        with work_as(SETTER) as work:
            client = work.session.get_one(ApiClient, internal[0].id)
            service.set_quota(work, client, **{"per_minute": None, "per_day": None, **figures})

    return limit


def call(api, token):
    return api.get("/api/v1/probe", headers=bearer(token))


def test_a_minute_has_a_quota_and_the_next_one_another(
    api, internal, of_trader, limited, clock, security_tags
):
    clock.advance(timedelta(seconds=20))
    token = token_of(api, internal)
    limited(per_minute=4)
    assert [call(api, token).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    answer = call(api, token)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == "urn:fairway:quota-reached"
    assert answer.json["status"] == 429
    assert "4 requests in a minute" in answer.json["detail"]
    assert answer.headers["Retry-After"] == "40"
    # Asking for a token is a request too; another client has its own quota.
    assert ask(api, *internal).status_code == 429
    other = token_of(api, of_trader)
    assert api.get("/trader/v1/probe", headers=bearer(other)).status_code == 200
    assert security_tags().count("quota:reached") == 1
    clock.advance(timedelta(seconds=39))
    assert call(api, token).status_code == 429
    clock.advance(timedelta(seconds=1))
    assert call(api, token).status_code == 200


def test_a_day_has_a_quota_that_ends_at_midnight(api, internal, limited, clock):
    limited(per_day=3)
    token = token_of(api, internal)
    assert [call(api, token).status_code for _ in range(3)] == [200, 200, 429]
    clock.advance(timedelta(minutes=5))
    answer = call(api, token)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(12 * 3600 - 300)
    limited()
    assert call(api, token).status_code == 200
    limited(per_day=3)
    clock.at = NOON.replace(hour=0) + DAY
    assert call(api, token_of(api, internal)).status_code == 200


@pytest.fixture
def worker(probe, settings, app_url, clock):
    """Another process of the same installation: an application with connections of its own."""
    engine = make_engine(app_url)
    found = create_app("all", settings=settings, engine=engine, clock=clock)
    found.testing = True
    found.add_url_rule("/api/v1/probe", "probe.api", probe.view_functions["probe.api"])
    yield found
    engine.dispose()


def test_the_quota_holds_over_all_workers(probe, worker, api, internal, limited):
    token = token_of(api, internal)
    limited(per_minute=8)
    apps = probe, worker

    def send(number):
        return call(apps[number % 2].test_client(), token).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(send, range(24))) == [200] * 7 + [429] * 17


def test_a_suspension_reaches_another_worker_with_the_next_request(
    worker, api, internal, clock, work_as
):
    token = token_of(api, internal)
    assert call(worker.test_client(), token).status_code == 200
    with work_as(SETTER) as work:
        client = work.session.get_one(ApiClient, internal[0].id)
        client.created_at = client.last_used_at = work.now - RULES.suspend_after
        client.warned_at = work.now - RULES.notice
        assert service.review_idle(work, client) is IdleStep.SUSPEND
    challenge(call(worker.test_client(), token))


@pytest.mark.parametrize("figures", [{"per_minute": 0}, {"per_day": -1}, {"per_day": 10**10}])
def test_a_quota_is_a_sensible_number(limited, figures):
    with pytest.raises(NotReadyError) as caught:
        limited(**figures)
    assert [one.field for one in caught.value.problems] == list(figures)


def test_use_is_noted_once_a_minute(api, internal, clock, engine, work_as):
    token = token_of(api, internal)

    def writes():
        with statements(engine) as seen:
            assert call(api, token).status_code == 200
        return [one for one in seen if one.startswith("UPDATE")]

    def noted():
        with work_as(SETTER) as work:
            client = work.session.get_one(ApiClient, internal[0].id)
            held = work.session.scalars(
                select(ClientCredential).where(ClientCredential.api_client_id == client.id)
            ).one()
            assert held.last_used_at == client.last_used_at
            return client.last_used_at

    assert noted() == clock.now()
    first = clock.now()
    clock.advance(timedelta(seconds=59))
    assert [len(writes()) for _ in range(3)] == [0, 0, 0]
    assert noted() == first
    clock.advance(timedelta(seconds=1))
    assert [len(writes()) for _ in range(3)] == [2, 0, 0]
    assert noted() == clock.now()


@pytest.fixture
def review(engine, clock, settings):
    """Run the daily job as the worker does."""
    equip(Bench(engine=engine, clock=clock, settings=settings, reactions=REACTIONS))
    return tasks.review_idle


def events(work_as, client):
    with work_as(SETTER) as work:
        return [
            (one.tag, one.at)
            for one in work.session.scalars(
                select(AuditEvent)
                .where(AuditEvent.subject_id == client.id)
                .order_by(AuditEvent.at, AuditEvent.id)
            )
        ][1:]


def test_an_idle_client_is_warned_then_suspended_and_can_be_woken(
    api, internal, review, clock, work_as
):
    token_of(api, internal)
    clock.advance(RULES.warn_after - timedelta(seconds=1))
    review()
    assert events(work_as, internal[0]) == []
    clock.advance(timedelta(seconds=1))
    review()
    review()
    warned = clock.now()
    assert events(work_as, internal[0]) == [("client:warned", warned)]
    clock.advance(RULES.notice - timedelta(seconds=1))
    review()
    assert events(work_as, internal[0]) == [("client:warned", warned)]
    clock.advance(timedelta(seconds=1))
    review()
    review()
    assert events(work_as, internal[0])[1:] == [("client:suspended", clock.now())]
    assert ask(api, *internal).status_code == 401
    clock.advance(DAY)
    with work_as(SETTER) as work:
        client = work.session.get_one(ApiClient, internal[0].id)
        service.wake_client(work, client)
        service.wake_client(work, client)
    assert [tag for tag, _ in events(work_as, internal[0])][2:] == ["client:woken"]
    review()
    assert call(api, token_of(api, internal)).status_code == 200


def test_a_use_after_the_warning_keeps_the_client(api, internal, review, clock, work_as):
    clock.advance(RULES.warn_after)
    review()
    clock.advance(DAY)
    token_of(api, internal)
    clock.advance(RULES.notice)
    review()
    assert [tag for tag, _ in events(work_as, internal[0])] == ["client:warned"]
    assert ask(api, *internal).status_code == 200


def test_where_the_job_slept_the_notice_is_still_whole(internal, review, clock, work_as):
    clock.advance(RULES.suspend_after * 2)
    review()
    assert [tag for tag, _ in events(work_as, internal[0])] == ["client:warned"]
    clock.advance(RULES.notice)
    review()
    assert [tag for tag, _ in events(work_as, internal[0])][1:] == ["client:suspended"]


def test_what_was_revoked_meanwhile_is_left_alone(internal, clock, work_as):
    with work_as(SETTER) as work:
        service.revoke_client(work, work.session.get_one(ApiClient, internal[0].id))
    for days in (RULES.warn_after, RULES.notice):
        clock.advance(days)
        with work_as(SETTER) as work:
            client = work.session.get_one(ApiClient, internal[0].id)
            assert service.review_idle(work, client) is IdleStep.NOTHING
    assert [tag for tag, _ in events(work_as, internal[0])] == ["client:revoked"]


@given(
    idle=st.integers(0, 400),
    warned=st.none() | st.integers(0, 400),
)
def test_nobody_is_suspended_unwarned_or_early(idle, warned):
    idle_since = NOON - idle * DAY
    warned_at = None if warned is None else NOON - warned * DAY
    step = idle_step(RULES, idle_since=idle_since, warned_at=warned_at, now=NOON)
    if step is IdleStep.SUSPEND:
        assert warned is not None
        assert idle_since <= warned_at <= NOON - RULES.notice
        assert idle >= RULES.suspend_after.days
    if (
        step is IdleStep.NOTHING
        and suspension_due(RULES, idle_since=idle_since, warned_at=warned_at) is None
    ):
        assert idle < RULES.warn_after.days


def test_the_rules_are_data_and_checked():
    text = client_rules.FILE.read_text()
    assert read_rules(text) == client_rules.RULES
    for broken in (
        text.replace("per_day =", "per_week =", 1),
        text.replace("per_minute = 600\n", "per_minute = 0\n"),
        text.replace("per_minute = 600\n", 'per_minute = "600"\n'),
        text.replace("warn_after_days = 76", "warn_after_days = 90", 1),
        text.replace('["fairway-trader"]', '["elsewhere"]'),
    ):
        assert broken != text
        with pytest.raises(ValueError, match=r"."):
            read_rules(broken)


def test_the_worker_knows_the_tasks_of_every_feature():
    folder = client_rules.FILE.parents[1]
    found = {
        one.parent.name if one.stem == "tasks" else one.stem for one in folder.glob("*/*tasks.py")
    }
    assert found == set(app.tasks.__all__)
