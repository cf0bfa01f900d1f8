"""The lane of bulk look-ups answers and records what the view does, and what single look-ups do."""

import json
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from werkzeug.test import EnvironBuilder

from app import create_app
from app.authz.actor import system_actor
from app.identity.models import ApiClient
from app.identity.service import set_quota
from app.jobs.queue import Bench, equip
from app.kernel.ids import new_id
from app.status_api import recording, tasks
from app.status_api.common_form import members_of_body, members_of_lines
from app.status_api.feeder import Feeder
from app.status_api.kept import lookup_record_of
from app.status_api.models import LookupBlock, LookupRow
from app.status_api.register_map import FRESH_NS
from tests.factories.register import decide, make_partner, suspend_urgently
from tests.status_api.conftest import SCOPES, Program
from tests.status_api.test_bulk_of_map import QUESTIONS
from tests.status_api.test_status import IOR, OTHER, problem

PATH = "/api/v1/statuses"
KNOWN = [*[(f"{one:02d}-1234567{one}") for one in range(10, 22)], IOR, OTHER, "77-777777700"]
COMPACT, SPACED = (",", ":"), (", ", ": ")
NDJSON = "application/x-ndjson"


@pytest.fixture
def fed(_app, engine, clock, tmp_path, settings, program_with, work_as, monkeypatch):
    """Partners of several kinds in a map, an application that reads it, and a program that its lane knows."""
    ends = clock.now() + timedelta(minutes=2)
    for place, value in enumerate(KNOWN):
        partner = make_partner(work_as, f"ior:{value}", tier=1 + place % 3)
        if place % 4 == 1:
            suspend_urgently(work_as, partner)
        if place % 5 == 2:
            decide(work_as, partner, "restrict", restrictions=("front-of-line",))
    later = make_partner(work_as, "ior:88-888888800")
    decide(work_as, later, "validate", tier=2, effective_from=ends)
    found = program_with(*SCOPES)
    app = create_app(
        "api", settings=settings, engine=engine, clock=clock, register_map=tmp_path / "map"
    )
    app.testing = True
    feeder = Feeder(engine, tmp_path / "map", clock=clock, record=lookup_record_of(settings))
    feeder.turn()
    made = Program(app.test_client(), found.token, found.client_id, found.secret)
    assert made.post("/statuses", asked([("ior", IOR)])).status_code == 200
    one_id, stopped = new_id(), time.monotonic_ns()
    monkeypatch.setattr("app.web.requests.new_id", lambda: one_id)
    monkeypatch.setattr(time, "monotonic_ns", lambda: stopped)
    recorder = app.extensions["fairway_lookups"]
    yield SimpleNamespace(app=app, feeder=feeder, program=made, recorder=recorder)
    feeder.close()


def asked(pairs, separators=SPACED):
    members = [{"scheme": scheme, "value": value} for scheme, value in pairs]
    return json.dumps({"identifiers": members}, separators=separators, ensure_ascii=False).encode()


def raw(wsgi, token, body, query="", **headers):
    """Status line, headers and body as they go to the server."""
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    sent = {name: value for name, value in sent.items() if value is not None}
    builder = EnvironBuilder(path=PATH, method="POST", headers=sent, query_string=query, data=body)
    seen = []
    told = b"".join(wsgi(builder.get_environ(), lambda *more: seen.append(more[:2])))
    [(line, heads)] = seen
    return line, list(heads), told


def both(fed, body, query="", **headers):
    """What the lane and the view answer alike to the same at the same instant."""
    quick = raw(fed.app, fed.program.token, body, query, **headers)
    plain = raw(fed.app.wsgi_app, fed.program.token, body, query, **headers)
    assert quick == plain
    return quick


def through_the_lane(fed, monkeypatch):
    """From here on a request that leaves the lane fails."""
    monkeypatch.setattr(fed.app.bulk_lane, "_ordinary", None)


def rows(work_as):
    names = ("at", "client_id", "subject", "answer", "trader_id", "seq")
    with work_as(system_actor("test")) as work:
        found = work.session.scalars(select(LookupRow).order_by(LookupRow.id)).all()
        return [tuple(getattr(one, name) for name in names) for one in found]


def test_many_are_the_single_answers_byte_for_byte(fed, clock, monkeypatch):
    values = [*KNOWN, "88-888888800", "11-111111100"]
    for _ in range(2):
        singles = [fed.program.get(f"/partners/ior/{one}/status").data for one in values]
        body = asked([("ior", one) for one in values])
        assert both(fed, body)[2] == b'{"statuses":[%b]}' % b",".join(singles)
        clock.advance(timedelta(minutes=3, microseconds=17))
        fed.feeder.turn()
    through_the_lane(fed, monkeypatch)
    assert raw(fed.app, fed.program.token, body)[0] == "200 OK"


def test_anything_is_answered_and_recorded_as_by_the_view(fed, work_as):
    values = st.one_of(
        st.sampled_from([*KNOWN, "88-888888800", "11-111111100", f" {IOR}", "", "x" * 101]),
        st.text(max_size=8),
        st.text('"\\{}[]:,/ \x01\x02\x04\x05\x06\x07\x7f\n\u00e9', max_size=6),
    )
    pairs = st.one_of(
        st.sampled_from(QUESTIONS),
        st.tuples(st.sampled_from(["ior", "ior", "lei", "", 'ior","value":"1']), values),
    )

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(pairs, max_size=20), st.sampled_from([COMPACT, SPACED]), st.integers(0, 3))
    @example([("ior", IOR)] * 3 + [("ior", "12-3")], COMPACT, 0)
    def ask(members, separators, cut):
        before = len(rows(work_as))
        body = asked(members, separators)
        both(fed, body[: len(body) - cut])
        kept = rows(work_as)[before:]
        assert kept[: len(kept) // 2] == kept[len(kept) // 2 :]

    ask()


@pytest.mark.parametrize("separators", [COMPACT, SPACED])
def test_the_common_form_is_read_as_json_is_or_not_at_all(separators):
    """Bytes are put in, taken out and doubled; what is recognised is what a strict reader reads."""
    whole = asked([("ior", IOR), ("lei", "a"), ("", "")], separators)

    @settings(max_examples=400)
    @given(
        st.integers(0, len(whole)),
        st.integers(0, 40),
        st.one_of(
            st.sampled_from([b'"', b'","value":"', b'"},{"scheme":"', b"\\", b"\1", b"\2", b"{}"]),
            st.sampled_from([whole[a : a + 24] for a in range(0, len(whole), 7)]),
            st.binary(max_size=3),
        ),
    )
    def read(place, left_out, put_in):
        body = whole[:place] + put_in + whole[place + left_out :]
        found = members_of_body(body)
        if found is not None:
            text_of = [tuple(one.split(b"\1")) for one in found.names]
            members = json.loads(body.decode(errors="replace"), object_pairs_hook=tuple)
            [(name, said)] = members
            assert name == "identifiers"
            assert [(one[0][0], one[1][0]) for one in said] == [("scheme", "value")] * len(said)
            assert [tuple(v.encode() for _, v in one) for one in said] == [
                tuple(v.decode(errors="replace").encode() for v in one) for one in text_of
            ]

    read()


def test_a_line_holds_one_member():
    one, two = '{"scheme":"ior","value":"1"}', '{"scheme":"ior","value":"2"}'
    found = members_of_lines([one.encode(), two.encode()])
    assert found.names == [b"ior\x011", b"ior\x012"]
    for lines in (
        [f"{one},{two}"],
        [f'{one},{{"scheme":"ior"', '"value":"2"}'],
        [f"{one}\r", two],
        [one, None],
    ):
        assert members_of_lines([None if x is None else x.encode() for x in lines]) is None


def test_lines_are_answered_and_recorded_as_the_list_is(fed, work_as, equipped):
    pairs = [("ior", KNOWN[place % len(KNOWN)]) for place in range(120)]
    lines = "\n".join(json.dumps({"scheme": one, "value": two}) for one, two in pairs)
    answer = fed.program.post("/statuses", f"{lines}\n".encode(), **{"Content-Type": NDJSON})
    whole = both(fed, asked(pairs))[2]
    assert b'{"statuses":[%b]}' % b",".join(answer.data.splitlines()) == whole
    tasks.unfold_all()
    kept = rows(work_as)[-360:]
    assert kept[:120] == kept[120:240] == kept[240:]


UNUSUAL = [
    {"Authorization": None},
    {"Authorization": "Bearer nonsense"},
    {"Cookie": "fairway=1"},
    {"Content-Type": "text/csv"},
    {"Content-Type": None},
    {"Content-Type": "application/json; charset=utf-8"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Accept": "text/html"},
    {"Accept": "application/jwt"},
    {"Host": "elsewhere.example"},
    {"query": "min_seq=1"},
    {"query": "min_seq=999999"},
    {"query": "programme=security"},
    {"query": "tier=3"},
    {"body": b""},
    {"body": b"{}"},
    {"body": asked([])},
    {"body": asked([("ior", IOR)] * 10_001)},
    {"body": asked([("ior", IOR)]) + b"\n"},
    {"body": b" " * (4 * 1024 * 1024 + 1)},
]


@pytest.mark.parametrize("unusual", UNUSUAL, ids=lambda one: str(one)[:60])
def test_the_uncommon_is_answered_alike_too(fed, unusual):
    more = dict(unusual)
    both(fed, more.pop("body", asked([("ior", IOR)])), more.pop("query", ""), **more)


@pytest.fixture
def equipped(engine, clock, settings):
    equip(Bench(engine, clock, settings))


def test_a_block_becomes_the_rows_that_the_view_writes(fed, work_as, equipped, engine, monkeypatch):
    pairs = [("ior", KNOWN[place % len(KNOWN)]) for place in range(40)]
    pairs += [*QUESTIONS, ("ior", "88-888888800")]
    pairs = [one for one in pairs if one not in [("ior", f" {IOR} "), ("mid", "auozr92mel")]]
    before = len(rows(work_as))
    view = fed.app.wsgi_app
    raw(view, fed.program.token, asked(pairs))
    usual = rows(work_as)[before:]
    assert len(usual) == len(pairs) >= recording.FEWEST_OF_BLOCK
    personal = [one for one in pairs if one[1].replace("-", "") == "219099998"]
    plain = [one for one in pairs if one not in personal]
    through_the_lane(fed, monkeypatch)
    raw(fed.app, fed.program.token, asked(plain))
    with work_as(system_actor("test")) as work:
        assert len(work.session.scalars(select(LookupBlock)).all()) == 1
    assert len(rows(work_as)) == before + len(pairs)
    failing = [True]

    def broken(*_):
        if failing:
            raise OSError

    event.listen(engine, "commit", broken)
    with pytest.raises(OSError):  # noqa: PT011 - whatever a broken connection raises.
        tasks.unfold_all()
    failing.clear()
    event.remove(engine, "commit", broken)
    assert len(rows(work_as)) == before + len(pairs)
    tasks.unfold_all()
    tasks.unfold_all()
    unfolded = rows(work_as)[before + len(pairs) :]
    assert unfolded == [row for one, row in zip(pairs, usual, strict=True) if one in plain]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM lookup_block")).scalar_one() == 0


def test_a_request_of_many_counts_once_and_a_quota_ends_the_lane(fed, work_as):
    with work_as(system_actor("test")) as work:
        set_quota(work, work.session.scalars(select(ApiClient)).one(), per_minute=8, per_day=None)
    fed.feeder.turn()
    codes = [raw(fed.app, fed.program.token, asked([("ior", IOR)] * 60))[0][:3] for _ in range(20)]
    assert codes[-1] == "429"
    assert 5 <= codes.index("429") <= 8


def test_what_is_stale_or_cannot_be_recorded_is_refused(fed, monkeypatch):
    many = asked([("ior", IOR)] * 60)
    real = time.monotonic_ns()
    monkeypatch.setattr(fed.recorder, "can_write", lambda: False)
    problem(fed.program.post("/statuses", many), 503, kind="urn:fairway:not-recorded")
    monkeypatch.undo()
    monkeypatch.setattr(time, "monotonic_ns", lambda: real + 3 * FRESH_NS)
    problem(fed.program.post("/statuses", many), 503, kind="urn:fairway:register-stale")
