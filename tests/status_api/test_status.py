"""Look-ups as the contract promises them: the frozen JSON, doubt, freshness, and the record."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.authz.actor import system_actor
from app.identity.models import ApiClient
from app.status_api.models import LookupRow
from app.work import move
from tests.facilitation.scenes import SECURITY
from tests.factories.register import decide, make_partner, make_trader, suspend_urgently

IOR = "12-345678900"
OTHER = "98-765432100"
PERSONAL = "219-09-9998"
STATUS = f"/partners/ior/{IOR}/status"


def problem(response, status, *, kind="about:blank", pointer=None):
    """Assert a refusal and return its body."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    body = response.get_json()
    assert body["status"] == status
    assert body["type"] == kind
    assert body["instance"].startswith("urn:request:")
    if pointer is not None:
        assert pointer in [one["pointer"] for one in body["errors"]]
    return body


def test_an_active_partner_as_the_contract_writes_it(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=3)
    body = program.get(STATUS).get_json()
    assert re.fullmatch(r"2026-11-24T12:00:00(\.\d+)?Z", body.pop("known_at"))
    effective = body["standings"][0].pop("effective_from")
    assert re.fullmatch(r"2026-11-24T12:00:00(\.\d+)?Z", effective)
    seq = body.pop("seq")
    assert seq > 0
    assert body == {
        "identifier": {"scheme": "ior", "value": IOR},
        "answer": "active",
        "partner_id": str(partner_id),
        "as_of": "2026-11-24T12:00:00Z",
        "data_age_ms": 0,
        "next_change_at": None,
        "standings": [
            {
                "programme": "security",
                "tier": 3,
                "status": "validated",
                "restrictions": [],
                "benefits": list(SECURITY.benefits_of(3)),
                "effective_until": None,
            }
        ],
    }


def test_the_members_stand_in_the_contracts_order(program, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=1)
    answer = program.get(STATUS)
    assert answer.mimetype == "application/json"
    assert list(json.loads(answer.text)) == [
        *("identifier", "answer", "partner_id", "seq", "as_of", "known_at"),
        *("data_age_ms", "next_change_at", "standings"),
    ]


def test_nobodys_identifier_is_answered_not_refused(program):
    body = program.get(STATUS).get_json()
    assert body["answer"] == "not_a_partner"
    assert body["partner_id"] is None
    assert body["standings"] == []


def test_a_suffix_does_not_match(program, work_as):
    make_partner(work_as, f"ior:{IOR}")
    assert program.get("/partners/ior/12-345678901/status").get_json()["answer"] == "not_a_partner"


def test_suspension_is_seen_at_once_and_min_seq_waits_for_it(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    before = program.get(STATUS).get_json()
    later = program.get(f"{STATUS}?min_seq={before['seq'] + 1}")
    body = problem(later, 503, kind="urn:fairway:not-yet")
    assert int(later.headers["Retry-After"]) >= 1
    assert str(before["seq"] + 1) in body["detail"]
    suspend_urgently(work_as, partner_id)
    after = program.get(f"{STATUS}?min_seq={before['seq'] + 1}").get_json()
    assert after["answer"] == "not_active"
    assert after["seq"] == before["seq"] + 1
    assert after["standings"][0]["status"] == "suspended"
    assert after["standings"][0]["tier"] is None
    assert after["standings"][0]["benefits"] == []


def test_a_past_answer_comes_back(program, work_as, clock):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    before = program.get(STATUS).get_json()
    clock.advance(timedelta(days=3))
    suspend_urgently(work_as, partner_id)
    again = program.get(f"{STATUS}?valid_at={before['as_of']}&known_at={before['known_at']}")
    # The token of three days ago has ended.
    problem(again, 401)
    program.token = program.client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(program.client_id, program.secret),
    ).get_json()["access_token"]
    again = program.get(
        f"{STATUS}?valid_at={before['as_of']}&known_at={before['known_at']}"
    ).get_json()
    assert again["answer"] == "active"
    assert again["standings"] == before["standings"]
    assert program.get(STATUS).get_json()["answer"] == "not_active"


def test_a_restriction_takes_one_benefit(program, work_as):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=1)
    decide(work_as, partner_id, "restrict", restrictions=("front-of-line",))
    [standing] = program.get(STATUS).get_json()["standings"]
    assert standing["restrictions"] == ["front-of-line"]
    assert "front-of-line" not in standing["benefits"]
    assert "fewer-exams" in standing["benefits"]


def test_a_claimed_identifier_is_nobodys(program, work_as):
    make_trader(work_as)
    assert program.get(STATUS).get_json()["answer"] == "not_a_partner"


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/partners/ior/12-3456789/status", "/value"),
        ("/partners/lei/5493001KJTIIGC8Y1R13/status", "/value"),
        ("/partners/vat/123/status", "/scheme"),
        (f"{STATUS}?programme=loyalty", "/programme"),
        (f"{STATUS}?min_seq=-1", "/min_seq"),
        (f"{STATUS}?min_seq=1_0", "/min_seq"),
        (f"{STATUS}?min_seq=99999999999999999999", "/min_seq"),
        (f"{STATUS}?valid_at=yesterday", "/valid_at"),
        (f"{STATUS}?valid_at=2026-11-24T12:00:00", "/valid_at"),
        (f"{STATUS}?known_at=1700000000", "/known_at"),
        (f"{STATUS}?tier=3", "/tier"),
    ],
)
def test_a_wrong_question_is_told_where(program, path, pointer):
    problem(program.get(path), 400, pointer=pointer)


@pytest.mark.parametrize(
    "value", [PERSONAL, "219-09-9999", "219099998", "666-00-0000", "219 09 9998"]
)
def test_a_persons_number_in_the_address_is_refused_unread(program, value, caplog):
    answer = program.get(f"/partners/ior/{value}/status")
    body = problem(answer, 400, kind="urn:fairway:identifier-in-address", pointer="/value")
    assert "POST /api/v1/statuses" in body["detail"]
    assert value not in answer.text
    assert value[-4:] not in answer.text
    assert value not in caplog.text


def test_a_persons_number_is_asked_for_by_post_and_shown_masked(program, work_as, super_engine):
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    answer = program.post("/statuses", {"identifiers": [{"scheme": "ior", "value": PERSONAL}]})
    [found] = answer.get_json()["statuses"]
    assert found["answer"] == "active"
    assert found["identifier"] == {"scheme": "ior", "value": "***-**-9998"}
    assert PERSONAL not in answer.text
    with super_engine.connect() as connection:
        kept = connection.scalars(text("SELECT r::text FROM lookup_record r")).all()
    assert len(kept) == 1
    assert PERSONAL not in kept[0]


def test_the_signature_is_only_given_when_it_is_asked_for(program):
    for accept in ("*/*", "application/json", "application/json, application/jwt;q=0.5"):
        assert program.get(STATUS, Accept=accept).mimetype == "application/json"


def test_no_token_no_answer(program):
    found = program.client.get(f"/api/v1{STATUS}")
    problem(found, 401, kind=found.get_json()["type"])
    assert found.headers["WWW-Authenticate"].lower().startswith("bearer")


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("status:read", {"status", "statuses"}),
        ("feed:read", {"changes"}),
        ("decisions:write", {"decide"}),
        ("decisions:read", {"decision", "replay"}),
    ],
)
def test_a_scope_opens_its_own_calls_and_no_others(program_with, scope, allowed):
    program = program_with(scope)
    nothing = "00000000-0000-7000-8000-000000000000"
    answers = {
        "status": program.get(STATUS),
        "statuses": program.post("/statuses", {"identifiers": []}),
        "changes": program.get("/changes"),
        "decide": program.post("/decisions", {"transactions": []}),
        "decision": program.get(f"/decisions/{nothing}"),
        "replay": program.post(f"/decisions/{nothing}/replay"),
    }
    refused = {name for name, found in answers.items() if found.status_code == 403}
    assert refused == set(answers) - allowed
    for name in refused:
        assert answers[name].mimetype == "application/problem+json"


def test_a_suspended_program_is_out_at_once(program, work_as):
    assert program.get(STATUS).status_code == 200
    with work_as(system_actor("test")) as work:
        move(work, work.session.scalars(select(ApiClient)).one(), "suspend")
    assert program.get(STATUS).status_code == 401


def test_who_asked_about_whom_is_kept(program, work_as, engine):
    partner_id = make_partner(work_as, f"ior:{IOR}")
    program.get(STATUS)
    program.get(STATUS)
    program.get(f"/partners/ior/{OTHER}/status")
    with work_as(system_actor("test")) as work:
        kept = work.session.scalars(select(LookupRow).order_by(LookupRow.id)).all()
        client = work.session.scalars(select(ApiClient)).one()
    assert [one.answer for one in kept] == ["active", "active", "not_a_partner"]
    assert [one.trader_id for one in kept] == [partner_id, partner_id, None]
    assert {one.client_id for one in kept} == {client.id}
    assert kept[0].subject == kept[1].subject != kept[2].subject
    assert kept[0].seq > 0
    for one in kept:
        assert re.fullmatch(r"[0-9a-f]{64}", one.subject)
        assert IOR not in one.subject


def test_a_refused_question_about_a_stranger_is_answered_alike(program, work_as):
    """An identifier that two hold, and one of a suspended partner, both grant nothing."""
    partner_id = make_partner(work_as, f"ior:{IOR}")
    suspend_urgently(work_as, partner_id)
    body = program.get(STATUS).get_json()
    assert body["answer"] == "not_active"
    assert all(one["benefits"] == [] for one in body["standings"])


def test_wrong_methods_and_addresses_are_problems_too(program):
    found = program.post(STATUS, {})
    problem(found, 405)
    assert "GET" in found.headers["Allow"]
    problem(program.get("/partners"), 404)
