"""Decisions over HTTP: the frozen JSON, once each, all or none, and the change feed beside them."""

import re
import threading

import pytest
from sqlalchemy import func, select

from app.authz.actor import system_actor
from app.facilitation.models import Decision
from tests.facilitation.scenes import IMPORTER, transaction
from tests.factories.register import make_partner, suspend_urgently
from tests.status_api.test_status import PERSONAL, problem

NOTHING = "00000000-0000-7000-8000-000000000000"


def decide(program, *transactions):
    found = program.post("/decisions", {"transactions": list(transactions)})
    assert found.status_code == 200, found.text
    return found.get_json()["decisions"]


def count(work_as):
    with work_as(system_actor("test")) as work:
        return work.session.scalar(select(func.count()).select_from(Decision))


def test_a_decision_as_the_contract_writes_it(program):
    """An importer that is no partner, so that no draw can change what comes out."""
    [found] = decide(program, transaction())
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", found.pop("decision_id"))
    assert found == {
        "transaction_id": "TX-000001",
        "exam": {"mode": "nii", "random_sample": False},
        "queue": "standard",
        "place": "port",
        "benefits": [],
        "reasons": [
            {
                "code": "importer-not-a-partner",
                "text": "The importer is not a partner in any programme.",
                "source": "6 USC 961",
            }
        ],
        "policy_version": "default-2026.1",
        "seq": 0,
        "decided_at": "2026-11-24T12:00:00Z",
    }


def test_suspended_between_two_questions(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    # One in a hundred is drawn for the random sample, so several are asked about.
    ports = [f"{number:04}" for number in range(2700, 2720)]
    before = decide(program, *(transaction(n, port=p) for n, p in enumerate(ports)))
    assert sum(one["exam"]["mode"] == "none" for one in before) >= 10
    assert all(one["queue"] == "front" for one in before)
    suspend_urgently(work_as, partner_id)
    seq = program.get(f"/partners/ior/{IMPORTER}/status?min_seq={before[0]['seq'] + 1}").get_json()[
        "seq"
    ]
    after = decide(program, *(transaction(100 + n, port=p) for n, p in enumerate(ports)))
    assert {one["seq"] for one in after} == {seq}
    assert {one["exam"]["mode"] for one in after} == {"nii"}
    assert all(one["benefits"] == [] for one in after)
    assert {one["reasons"][0]["code"] for one in after} == {"importer-not-active"}


def test_asked_twice_answered_alike(program, work_as):
    first = decide(program, transaction(1), transaction(2))
    assert decide(program, transaction(2), transaction(1)) == first[::-1]
    assert count(work_as) == 2


def test_eight_identical_posts_make_one_row(program, work_as, app):
    start = threading.Barrier(8)
    found = []

    def post():
        client = app.test_client()
        start.wait()
        answer = client.post(
            "/api/v1/decisions",
            json={"transactions": [transaction()]},
            headers=program.headers(),
        )
        found.append((answer.status_code, answer.get_json()))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [status for status, _ in found] == [200] * 8
    assert all(body == found[0][1] for _, body in found)
    assert count(work_as) == 1


def test_other_content_is_a_conflict_that_names_its_place(program, work_as):
    decide(program, transaction(1))
    found = program.post(
        "/decisions", {"transactions": [transaction(7), transaction(1, risk_score=121)]}
    )
    body = problem(found, 409, pointer="/transactions/1/transaction_id")
    assert "Transaction 1" in body["detail"]
    assert count(work_as) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mode": "boat"}, "mode"),
        ({"entry_type": "1"}, "entry_type"),
        ({"port": "USLAX"}, "port"),
        ({"arrival_at": "2026-11-26"}, "arrival_at"),
        ({"arrival_at": 1_800_000_000}, "arrival_at"),
        ({"arrival_at": "2026-11-26T08:00:00"}, "arrival_at"),
        ({"arrival_at": "2026-02-30T08:00:00Z"}, "arrival_at"),
        ({"risk_score": 1001}, "risk_score"),
        ({"risk_score": "100"}, "risk_score"),
        ({"risk_score": True}, "risk_score"),
        ({"holds": ["customs"]}, "holds/0"),
        ({"holds": None}, "holds"),
        ({"transaction_id": ""}, "transaction_id"),
        ({"transaction_id": PERSONAL}, "transaction_id"),
        ({"transaction_id": "TX 1"}, "transaction_id"),
        ({"random_sample": False}, "random_sample"),
        ({"tier": 3}, "tier"),
        ({"parties": [{"role": "agent", "scheme": "ior", "value": "1"}]}, "parties/0/role"),
        ({"parties": [{"role": "importer", "scheme": "vat", "value": "1"}]}, "parties/0/scheme"),
        ({"parties": [{"role": "importer", "scheme": "ior"}]}, "parties/0/value"),
        ({"lines": [{**transaction()["lines"][0], "value_usd": 125000.0}]}, "lines/0/value_usd"),
        ({"lines": [{**transaction()["lines"][0], "value_usd": "1e5"}]}, "lines/0/value_usd"),
        ({"lines": [{**transaction()["lines"][0], "quantity": "-1"}]}, "lines/0/quantity"),
        ({"lines": [{**transaction()["lines"][0], "hts": "85"}]}, "lines/0/hts"),
    ],
)
def test_one_wrong_member_stops_the_whole_call(program, work_as, change, pointer):
    found = program.post("/decisions", {"transactions": [transaction(1), transaction(2, **change)]})
    problem(found, 400, pointer=f"/transactions/1/{pointer}")
    assert count(work_as) == 0


def test_without_a_risk_score_nothing_is_given(program, work_as):
    make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    unknown = transaction()
    del unknown["risk_score"]
    [found] = decide(program, unknown)
    assert found["reasons"][0]["code"] == "refer"
    assert found["benefits"] == []


def test_the_sizes_that_are_taken(program):
    problem(program.post("/decisions", {"transactions": []}), 400, pointer="/transactions")
    many = [transaction(number) for number in range(1_001)]
    problem(program.post("/decisions", {"transactions": many}), 400, pointer="/transactions")
    assert len(decide(program, *many[:1_000])) == 1_000


def test_the_stored_decision_tells_everything(program, work_as):
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    party = {"role": "importer", "scheme": "ior", "value": PERSONAL}
    [made] = decide(program, transaction(parties=[party], holds=["pga", "pga"]))
    answer = program.get(f"/decisions/{made['decision_id']}")
    found = answer.get_json()
    assert {name: found[name] for name in made} == made
    assert found["trace"]["row"] == "hold-pga"
    assert found["trace"]["cells"]["holds"] == 'contains($, "pga")'
    assert found["trace"]["read"]["tier"] == 2
    assert found["input"]["facts"]["holds"] == ["pga"]
    assert found["input"]["standings"][0]["answer"] == "active"
    [kept] = found["input"]["transaction"]["parties"]
    assert kept["shown"] == "***-**-9998"
    assert PERSONAL not in answer.text


def test_a_decision_is_run_again(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IMPORTER}", tier=2)
    [made] = decide(program, transaction())
    suspend_urgently(work_as, partner_id)
    found = program.post(f"/decisions/{made['decision_id']}/replay").get_json()
    assert found == {
        "decision_id": made["decision_id"],
        "equal": True,
        "explanation": [],
        "policy_version": "default-2026.1",
        "outcome": {name: made[name] for name in ("exam", "queue", "place", "benefits", "reasons")},
    }


def test_what_is_not_there_is_404_and_what_is_no_id_400(program):
    problem(program.get(f"/decisions/{NOTHING}"), 404)
    problem(program.post(f"/decisions/{NOTHING}/replay"), 404)
    problem(program.get("/decisions/7"), 400, pointer="/decision_id")


def test_the_feed_is_dense_and_goes_on_where_it_was_left(program, work_as):
    empty = program.get("/changes").get_json()
    assert empty == {"changes": [], "next": 0, "head": 0, "at": "2026-11-24T12:00:00Z"}
    first = make_partner(work_as, f"ior:{IMPORTER}", tier=1)
    suspend_urgently(work_as, first)
    whole = program.get("/changes").get_json()
    numbers = [one["seq"] for one in whole["changes"]]
    assert numbers == list(range(1, whole["head"] + 1))
    assert {one["partner_id"] for one in whole["changes"]} == {str(first)}
    assert set(whole["changes"][0]) == {"seq", "partner_id", "kind", "at"}
    pieces, after = [], 0
    while (part := program.get(f"/changes?after={after}&limit=1").get_json())["changes"]:
        pieces += part["changes"]
        after = part["next"]
    assert pieces == whole["changes"]
    assert part["next"] == part["head"] == whole["head"]


def test_whoever_has_seen_more_than_we_is_not_answered(program):
    found = program.get("/changes?after=5")
    problem(found, 503, kind="urn:fairway:not-yet")
    assert found.headers["Retry-After"]


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=1001", "after=x", "since=1"])
def test_a_wrong_question_to_the_feed(program, query):
    problem(program.get(f"/changes?{query}"), 400, pointer=f"/{query.split('=')[0]}")
