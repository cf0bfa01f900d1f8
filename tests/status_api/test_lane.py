"""The fast lane answers byte for byte as the ordinary view, and only what is the common case."""

import logging
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text, update
from werkzeug.test import EnvironBuilder

from app import create_app
from app.audit.access import Seen
from app.authz.actor import system_actor
from app.db.session import make_engine
from app.identity import rate_store
from app.identity.models import ApiClient, ClientCredential
from app.identity.service import set_quota
from app.kernel.ids import new_id
from app.status_api.feeder import Feeder
from app.status_api.kept import lookup_record_of
from app.status_api.models import LookupRow
from app.status_api.recording import EACH_SECONDS, LookupRecorder
from app.status_api.register_map import FRESH_NS
from app.work import move
from tests.factories.register import decide, make_partner, suspend_urgently
from tests.status_api.conftest import SCOPES, Program

IOR = "12-345678900"
OTHER = "98-765432100"
PERSONAL = "219-09-9998"
STATUS = f"/partners/ior/{IOR}/status"


@pytest.fixture
def fed(_app, engine, clock, tmp_path, settings):
    """An application that reads the map, and the feeder that a test turns by hand."""
    app = create_app(
        "api", settings=settings, engine=engine, clock=clock, register_map=tmp_path / "map"
    )
    app.testing = True
    record = lookup_record_of(settings)
    feeder = Feeder(engine, tmp_path / "map", clock=clock, record=record)
    yield SimpleNamespace(app=app, feeder=feeder, recorder=app.extensions["fairway_lookups"])
    feeder.close()


@pytest.fixture
def program(fed, program_with):
    """A program that the lane knows already."""
    found = program_with(*SCOPES)
    fed.feeder.turn()
    made = Program(fed.app.test_client(), found.token, found.client_id, found.secret)
    assert made.get(STATUS).status_code == 200
    assert made.get(STATUS).status_code == 200
    return made


def raw(wsgi, method, path, headers, query=""):
    """Status line, headers and body as they go to the server."""
    builder = EnvironBuilder(path=path, method=method, headers=headers, query_string=query)
    seen = []
    body = b"".join(wsgi(builder.get_environ(), lambda *more: seen.append(more[:2])))
    [(line, sent)] = seen
    return line, list(sent), body


@pytest.fixture
def both(fed, program, monkeypatch):
    """Ask the lane and the view the same at the same instant; give the one answer of both."""
    monkeypatch.setattr("app.web.requests.new_id", lambda: new_id_of_all)
    new_id_of_all = new_id()
    stopped = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: stopped)

    def ask(path=f"/api/v1{STATUS}", method="GET", query="", **headers):
        sent = {"Authorization": f"Bearer {program.token}", **headers}
        sent = {name: value for name, value in sent.items() if value is not None}
        quick = raw(fed.app, method, path, sent, query)
        plain = raw(fed.app.wsgi_app, method, path, sent, query)
        assert quick == plain
        return quick

    return ask


def through_the_lane(fed, monkeypatch):
    """From here on a request that leaves the lane fails."""

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(fed.app.lane, "_ordinary", refuse)


def test_the_lane_answers_as_the_view_byte_for_byte(fed, both, work_as, clock, monkeypatch):
    partner = make_partner(work_as, f"ior:{IOR}", tier=3)
    decide(work_as, partner, "restrict", restrictions=("front-of-line",))
    suspended = make_partner(work_as, f"ior:{OTHER}", "lei:213800KUD8LAJWSQ9D15")
    suspend_urgently(work_as, suspended)
    ends = clock.now() + timedelta(seconds=90)
    later = make_partner(work_as, "ior:77-777777700")
    decide(work_as, later, "validate", tier=2, effective_from=ends)
    fed.feeder.turn()
    for _ in range(3):
        for scheme, value in (
            ("ior", IOR),
            ("ior", OTHER),
            ("lei", "213800KUD8LAJWSQ9D15"),
            ("ior", "77-777777700"),
            ("ior", "11-111111100"),
            ("filer", "WKV"),
        ):
            line, headers, body = both(f"/api/v1/partners/{scheme}/{value}/status")
            assert line == "200 OK"
            assert dict(headers)["Cache-Control"] == "no-store"
            assert value.encode() in body
        clock.advance(timedelta(seconds=45, microseconds=17))
        fed.feeder.turn()


UNUSUAL = [
    {"method": "HEAD"},
    {"method": "POST"},
    {"method": "OPTIONS"},
    {"Authorization": None},
    {"Authorization": "Bearer nonsense"},
    {"Authorization": "Basic Zm9vOmJhcg=="},
    {"Accept": "text/html"},
    {"Accept": "application/jwt;q=0.1, application/json"},
    {"Accept": "*/*"},
    {"Accept": "application/json"},
    {"Cookie": "fairway=1"},
    {"Host": "elsewhere.example"},
    {"Host": "localhost:8000"},
    {"Content-Length": "3"},
    {"X-Forwarded-Host": "elsewhere.example"},
    {"X-Forwarded-Proto": "https"},
    {"query": "min_seq=1"},
    {"query": "min_seq=999999"},
    {"query": "min_seq=-1"},
    {"query": "min_seq=1&min_seq=1"},
    {"query": "min_seq=1.0"},
    {"query": "min_seq=%31"},
    {"query": "min_seq=٣"},
    {"query": "min_seq=99999999999999999999"},
    {"query": "programme=security"},
    {"query": "programme=loyalty"},
    {"query": "tier=3"},
    {"path": "/api/v1/partners/ior/12-3456789/status"},
    {"path": f"/api/v1/partners/IOR/{IOR}/status"},
    {"path": f"/api/v1/partners/ior/%20{IOR}/status"},
    {"path": f"/api/v1/partners/ior/{IOR}/status/"},
    {"path": f"/api/v1/partners/ior/{IOR}"},
    {"path": f"/api/v1/partners//{IOR}/status"},
    {"path": f"/api/v1/partners/ior/{PERSONAL}/status"},
    {"path": "/api/v1/partners/ior/219099998/status"},
    {"path": "/api/v1/partners/mid/auozr92mel/status"},
    {"path": "/api/v1/partners/vat/1/status"},
    {"path": "/api/v1/partners/ior/a/b/status"},
    {"path": "/api/v1/partners/status"},
    {"path": "/api/v1/partners/ior/%00/status"},
    {"path": "/api/v1/partners/ior/%FF%FE/status"},
]


@pytest.mark.parametrize("asked", UNUSUAL, ids=str)
def test_the_uncommon_is_answered_alike_too(fed, both, work_as, asked):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    fed.feeder.turn()
    both(**asked)


def test_anything_is_answered_alike(fed, both, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    fed.feeder.turn()
    part = st.one_of(
        st.sampled_from(["ior", "lei", "s", "", IOR, PERSONAL, "status", "..", "%2e%2e", "#"]),
        st.text(st.characters(codec="latin-1", exclude_characters="\n\r?"), max_size=12),
    )

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(part, max_size=4),
        st.sampled_from(["", "min_seq=0", "min_seq=", "min_seq=1x", "&", "min_seq=1&"]),
        st.sampled_from([None, "*/*", "application/json", "application/jwt", "x", ""]),
    )
    def ask(parts, query, accept):
        headers = {} if accept is None else {"Accept": accept}
        both("/api/v1/partners/" + "/".join([*parts, "status"]), query=query, **headers)

    ask()


def test_a_keyed_hash_opens_nothing(fed, both, program, work_as):
    """Whoever knows the key of a person's number in the map gets no answer about it."""
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    fed.feeder.turn()
    with work_as(system_actor("test")) as work:
        key = work.session.execute(text("SELECT lookup_key FROM trader_identifier")).scalar_one()
    for path in (f"ior/{key}", f"sior:{key}/x", f"ior/{key.upper()}"):
        assert both(f"/api/v1/partners/{path}/status")[0].startswith("4")


def test_a_stale_map_refuses_in_the_lane_as_in_the_view(fed, program, work_as, monkeypatch):
    make_partner(work_as, f"ior:{IOR}")
    fed.feeder.turn()
    assert program.get(STATUS).get_json()["answer"] == "active"
    real = time.monotonic_ns
    monkeypatch.setattr(time, "monotonic_ns", lambda: real() + FRESH_NS)
    answer = program.get(STATUS)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:fairway:register-stale")
    assert answer.headers["Retry-After"] == "1"
    assert program.get(STATUS, Accept="application/jwt").status_code == 503


def test_a_warm_request_signs_verifies_logs_and_asks_nothing(
    fed, program, work_as, engine, monkeypatch
):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    fed.feeder.turn()
    first = program.get(STATUS, Accept="application/jwt").text
    through_the_lane(fed, monkeypatch)

    def never(*_, **__):
        raise AssertionError

    for place in ("joserfc.jwt.encode", "joserfc.jwt.decode", "app.identity.tokens.Signer.read"):
        monkeypatch.setattr(place, never)
    monkeypatch.setattr(logging.Logger, "_log", never)
    monkeypatch.setattr("structlog.PrintLogger.msg", never)
    monkeypatch.setattr(fed.recorder, "write", never)
    event.listen(engine, "before_cursor_execute", never)
    try:
        assert program.get(STATUS).get_json()["answer"] == "active"
        assert program.get(f"{STATUS}?min_seq=1").status_code == 200
        assert program.get(f"/partners/ior/{OTHER}/status").get_json()["answer"] == "not_a_partner"
        assert program.get(STATUS, Accept="application/jwt").text == first
    finally:
        event.remove(engine, "before_cursor_execute", never)


def test_a_signed_answer_is_kept_half_its_life_and_no_change_longer(fed, program, work_as, clock):
    partner = make_partner(work_as, f"ior:{IOR}", tier=3)
    fed.feeder.turn()

    def signed():
        return program.get(STATUS, Accept="application/jwt").text

    first = signed()
    clock.advance(timedelta(seconds=29))
    assert signed() == first
    clock.advance(timedelta(seconds=1))
    assert signed() != first
    first = signed()
    suspend_urgently(work_as, partner)
    fed.feeder.turn()
    assert signed() != first


def end_client(work):
    move(work, work.session.scalars(select(ApiClient)).one(), "suspend")


def end_credential(work):
    work.session.execute(update(ClientCredential).values(revoked_at=work.now))


def let_credential_run_out(work):
    work.session.execute(update(ClientCredential).values(expires_at=work.now))


def take_scope(work):
    work.session.execute(update(ApiClient).values(scopes=["feed:read"]))


@pytest.mark.parametrize("end", [end_client, end_credential, let_credential_run_out, take_scope])
def test_what_ends_of_a_client_ends_in_the_lane(fed, program, work_as, end):
    with work_as(system_actor("test")) as work:
        end(work)
    fed.feeder.turn()
    assert program.get(STATUS).status_code in {401, 403}


def test_a_revoked_token_ends_in_the_lane(fed, program, monkeypatch):
    answer = program.client.post(
        "/oauth/revoke", data={"token": program.token}, auth=(program.client_id, program.secret)
    )
    assert answer.status_code == 200
    fed.feeder.turn()
    assert program.get(STATUS).status_code == 401


def test_a_token_ends_by_the_clock(fed, program, clock):
    clock.advance(timedelta(minutes=10))
    fed.feeder.turn()
    assert program.get(STATUS).status_code == 401


def test_the_lane_records_counts_and_notes_the_use_in_one_batch(
    fed, program, work_as, engine, clock, monkeypatch
):
    partner = make_partner(work_as, f"ior:{IOR}")
    fed.feeder.turn()
    fed.recorder.write()
    clock.advance(timedelta(minutes=2))
    fed.feeder.turn()
    through_the_lane(fed, monkeypatch)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT count(*) FROM lookup_record")).scalar_one()
    program.get(STATUS)
    program.get(f"/partners/ior/{OTHER}/status")
    fed.recorder.write()
    with work_as(system_actor("test")) as work:
        rows = work.session.scalars(select(LookupRow).order_by(LookupRow.id)).all()[before:]
        client = work.session.scalars(select(ApiClient)).one()
        credential = work.session.scalars(select(ClientCredential)).one()
    assert [(one.answer, one.trader_id) for one in rows] == [
        ("active", partner),
        ("not_a_partner", None),
    ]
    assert {(one.client_id, one.at) for one in rows} == {(client.id, clock.now())}
    assert client.last_used_at == credential.last_used_at == clock.now()
    minute = f"quota:{client.id}:minute:{clock.now().isoformat()}"
    assert rate_store.read_all(engine, [minute]) == {minute: 2}


@pytest.mark.parametrize("value", [IOR, OTHER], ids=["partner", "stranger"])
def test_the_lane_and_the_view_write_the_same_record(fed, program, work_as, monkeypatch, value):
    make_partner(work_as, f"ior:{IOR}")
    fed.feeder.turn()
    fed.app.lane, lane = None, fed.app.lane
    program.get(f"/partners/ior/{value}/status")
    fed.app.lane = lane
    through_the_lane(fed, monkeypatch)
    program.get(f"/partners/ior/{value}/status")
    fed.recorder.write()
    with work_as(system_actor("test")) as work:
        *_, view, quick = work.session.scalars(select(LookupRow).order_by(LookupRow.id)).all()
    names = ("at", "client_id", "subject", "answer", "trader_id", "seq")
    assert [getattr(view, one) for one in names] == [getattr(quick, one) for one in names]


def test_behind_two_proxies_the_lane_answers_as_the_view(
    engine, clock, settings, tmp_path, work_as, fed, program, monkeypatch
):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    fed.feeder.turn()
    behind = settings.model_copy(update={"trusted_proxies": 2})
    app = create_app(
        "api", settings=behind, engine=engine, clock=clock, register_map=tmp_path / "map"
    )
    stopped = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: stopped)
    asked = [
        {
            "Authorization": f"Bearer {program.token}",
            "X-Forwarded-For": "192.0.2.1, 198.51.100.1",
            "X-Forwarded-Proto": proto,
            "X-Forwarded-Host": "localhost, inner",
        }
        for proto in ("https, http", "http, https", "https", "http, http")
    ]
    plain = [raw(app, "GET", f"/api/v1{STATUS}", one) for one in asked]
    assert [raw(app.wsgi_app, "GET", f"/api/v1{STATUS}", one) for one in asked] == plain
    secured = ["Strict-Transport-Security" in dict(headers) for _, headers, _ in plain]
    assert secured == [True, False, False, False]
    monkeypatch.setattr(app.lane, "_ordinary", None)
    assert [raw(app, "GET", f"/api/v1{STATUS}", one) for one in asked] == plain


def test_a_client_over_its_quota_leaves_the_lane(fed, program, work_as):
    with work_as(system_actor("test")) as work:
        set_quota(work, work.session.scalars(select(ApiClient)).one(), per_minute=8, per_day=None)
    fed.feeder.turn()
    codes = []
    for _ in range(20):
        codes.append(program.get(STATUS).status_code)
        fed.recorder.write()
    assert codes[-1] == 429
    assert codes.index(429) <= 8


def test_what_cannot_be_recorded_is_not_answered(fed, program, monkeypatch):
    monkeypatch.setattr(fed.recorder, "can_write", lambda: False)
    answer = program.get(STATUS)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:fairway:not-recorded")


def test_a_batch_that_fails_waits_and_is_written_once(fed, program, engine, monkeypatch):
    program.get(STATUS)
    fails = [True]

    def broken(*_):
        if fails:
            raise OSError

    event.listen(engine, "commit", broken)
    try:
        with pytest.raises(OSError):  # noqa: PT011 - whatever a broken connection raises.
            fed.recorder.write()
        fails.clear()
        program.get(f"/partners/ior/{OTHER}/status")
        fed.recorder.write()
    finally:
        event.remove(engine, "commit", broken)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT subject FROM lookup_record ORDER BY id")).all()
    assert len(kept) == 4
    assert kept[-1] != kept[-2] == kept[0]


def test_the_switch_turns_the_lane_off(engine, clock, settings, tmp_path):
    off = settings.model_copy(update={"lane": "off"})
    app = create_app("api", settings=off, engine=engine, clock=clock, register_map=tmp_path)
    assert app.lane is None


def test_the_writer_outlives_an_error_of_the_driver(app_url, clock):
    """COPY speaks to the driver itself: an error that nobody wraps must not end the thread."""
    engine = make_engine(app_url)
    recorder = LookupRecorder(engine, clock)
    recorder.start()
    try:
        too_high = Seen("partner", subject="x", answer="active", seq=1 << 70)
        recorder.note(new_id(), [too_high], now=clock.now())
        time.sleep(EACH_SECONDS * 2)
        assert "lookups" in {one.name for one in threading.enumerate()}
    finally:
        recorder.stop()
        engine.dispose()
