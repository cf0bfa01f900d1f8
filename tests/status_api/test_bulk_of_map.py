"""Many look-ups from the map are what the database answers, recorded alike, and refused alike."""

import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from app import create_app
from app.authz.actor import system_actor
from app.status_api import bulk
from app.status_api.feeder import Feeder
from app.status_api.kept import lookup_record_of
from app.status_api.models import LookupRow
from app.status_api.register_map import FRESH_NS
from tests.factories.register import decide, make_partner, suspend_urgently
from tests.status_api.conftest import Program
from tests.status_api.test_bulk import NDJSON, asked
from tests.status_api.test_status import IOR, OTHER, PERSONAL, problem

QUESTIONS = [
    ("ior", IOR),
    ("ior", OTHER),
    ("ior", PERSONAL),
    ("ior", PERSONAL.replace("-", "")),
    ("ior", IOR.replace("-", "")),
    ("ior", f" {IOR} "),
    ("ior", "11-111111100"),
    ("ior", "nonsense"),
    ("IOR", IOR),
    ("vat", "1"),
    ("", ""),
    ("ior/" + IOR, ""),
    ("", f"ior/{IOR}"),
    ("mid", "auozr92mel"),
    ("lei", "213800KUD8LAJWSQ9D15"),
    ("ior", "77-777777700"),
    ("ior", "x" * 100),
    ("ior", IOR),
]


@pytest.fixture
def feeder(engine, clock, tmp_path, settings):
    made = Feeder(engine, tmp_path / "map", clock=clock, record=lookup_record_of(settings))
    yield made
    made.close()


@pytest.fixture
def fed(program, feeder, engine, clock, tmp_path, settings):
    """The program that asks the database, once more at an application that reads the map."""
    app = create_app(
        "api", settings=settings, engine=engine, clock=clock, register_map=tmp_path / "map"
    )
    app.testing = True
    return Program(app.test_client(), program.token, program.client_id, program.secret)


@pytest.fixture
def register(work_as, clock, feeder):
    """Partners of every kind, in the map too."""
    partner = make_partner(work_as, f"ior:{IOR}", tier=3)
    decide(work_as, partner, "restrict", restrictions=("front-of-line",))
    suspended = make_partner(work_as, f"ior:{OTHER}", "lei:213800KUD8LAJWSQ9D15")
    suspend_urgently(work_as, suspended)
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    later = make_partner(work_as, "ior:77-777777700")
    decide(work_as, later, "validate", tier=2, effective_from=clock.now() + timedelta(minutes=2))
    feeder.turn()


def without_age(one):
    return {name: value for name, value in one.items() if name != "data_age_ms"}


def rows(work_as):
    names = ("at", "client_id", "subject", "answer", "trader_id", "seq")
    with work_as(system_actor("test")) as work:
        found = work.session.scalars(select(LookupRow).order_by(LookupRow.id)).all()
        return [[getattr(one, name) for name in names] for one in found]


def test_the_map_answers_many_as_the_database_does_and_records_it(
    fed, program, register, work_as, clock, feeder
):
    for _ in range(2):
        before = len(rows(work_as))
        theirs = program.post("/statuses", asked(*QUESTIONS)).get_json()["statuses"]
        ours = fed.post("/statuses", asked(*QUESTIONS))
        assert [*map(without_age, ours.get_json()["statuses"])] == [*map(without_age, theirs)]
        kept = rows(work_as)[before:]
        assert kept[: len(QUESTIONS)] == kept[len(QUESTIONS) :]
        clock.advance(timedelta(minutes=5, microseconds=17))
        feeder.turn()


def test_a_member_is_the_single_answer_byte_for_byte(fed, register, monkeypatch):
    stopped = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: stopped)
    for value in (IOR, OTHER, "11-111111100", "77-777777700"):
        single = fed.get(f"/partners/ior/{value}/status").data
        assert fed.post("/statuses", asked(("ior", value))).data == b'{"statuses":[%b]}' % single


def test_lines_are_what_the_list_is(fed, register):
    lines = "\n".join(json.dumps({"scheme": one, "value": two}) for one, two in QUESTIONS)
    answer = fed.post("/statuses", f"{lines}\n{{".encode(), **{"Content-Type": NDJSON})
    *found, last = [json.loads(line) for line in answer.text.splitlines()]
    whole = fed.post("/statuses", asked(*QUESTIONS)).get_json()["statuses"]
    assert [*map(without_age, found)] == [*map(without_age, whole)]
    assert last == {"identifier": None, "answer": "malformed"}


def test_a_change_between_two_readings_is_one_state(fed, register, work_as, feeder, monkeypatch):
    """What was found at first is read again with what had to be parsed."""
    real = bulk.identifier_of

    def changed(*pair):
        monkeypatch.setattr(bulk, "identifier_of", real)
        suspend_urgently(work_as, partner)
        feeder.turn()
        return real(*pair)

    partner = make_partner(work_as, "ior:66-666666600", tier=2)
    feeder.turn()
    monkeypatch.setattr(bulk, "identifier_of", changed)
    pairs = [("ior", "66-666666600"), ("ior", " 66-666666600"), ("ior", "11-111111100")]
    found = fed.post("/statuses", asked(*pairs)).get_json()["statuses"]
    assert [one["answer"] for one in found] == ["not_active", "not_active", "not_a_partner"]
    assert len({one["seq"] for one in found}) == 1


def test_what_the_map_cannot_say_is_refused(fed, register, monkeypatch):
    problem(fed.post("/statuses?min_seq=999", asked(("ior", IOR))), 503, kind="urn:fairway:not-yet")
    real = time.monotonic_ns
    monkeypatch.setattr(time, "monotonic_ns", lambda: real() + FRESH_NS)
    for pairs in ([], [("ior", IOR)], [("ior", "nonsense")]):
        problem(fed.post("/statuses", asked(*pairs)), 503, kind="urn:fairway:register-stale")


def test_nothing_of_the_register_is_asked_of_the_database(fed, register, engine):
    said = []

    def note(*details):
        said.append(details[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert fed.post("/statuses", asked(*QUESTIONS)).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [one for one in said if "register_" in one or "trader_identifier" in one]
