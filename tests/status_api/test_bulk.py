"""Ten thousand at once, as JSON and as lines; bodies that have two meanings or none."""

import json

import pytest
from sqlalchemy import event, func, select

from app.authz.actor import system_actor
from app.status_api.models import LookupRow
from tests.factories.register import make_partner, suspend_urgently
from tests.status_api.test_status import IOR, OTHER, PERSONAL, problem

NDJSON = "application/x-ndjson"


def asked(*pairs):
    return {"identifiers": [{"scheme": scheme, "value": value} for scheme, value in pairs]}


def test_answers_come_in_the_order_of_the_question(program, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=1)
    suspended = make_partner(work_as, f"ior:{OTHER}", tier=1)
    suspend_urgently(work_as, suspended)
    found = program.post(
        "/statuses",
        asked(("ior", OTHER), ("ior", "nonsense"), ("ior", IOR), ("vat", "1"), ("ior", OTHER)),
    ).get_json()["statuses"]
    assert [one["answer"] for one in found] == [
        *("not_active", "malformed", "active", "malformed", "not_active")
    ]
    assert found[1] == {
        "identifier": {"scheme": "ior", "value": "nonsense"},
        "answer": "malformed",
    }
    assert found[0] == found[4]


def test_a_member_equals_the_single_answer(program, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=2)
    [one] = program.post("/statuses", asked(("ior", IOR))).get_json()["statuses"]
    assert one == program.get(f"/partners/ior/{IOR}/status").get_json()


def test_lines_in_lines_out(program, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=1)
    lines = [
        json.dumps({"scheme": "ior", "value": IOR}),
        "",
        "{",
        json.dumps({"scheme": "ior", "value": OTHER}),
        json.dumps({"scheme": "ior", "value": IOR, "more": 1}),
        '{"scheme": "ior", "scheme": "ior", "value": "' + IOR + '"}',
        "[]",
    ]
    answer = program.post("/statuses", "\r\n".join(lines).encode(), **{"Content-Type": NDJSON})
    assert answer.mimetype == NDJSON
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["answer"] for one in found] == [
        *("active", "malformed", "not_a_partner", "malformed", "malformed", "malformed")
    ]
    assert found[1]["identifier"] is None
    assert answer.text.endswith("\n")


def test_malformed_values_are_not_thrown_back(program):
    values = [PERSONAL + "0", "219099998", "219\u201309\u20139998", "\u0000<script>", "x" * 100]
    answer = program.post("/statuses", asked(*(("ior", value) for value in values)))
    found = [one["identifier"]["value"] for one in answer.get_json()["statuses"]]
    assert found[1] == "***-**-9998"
    assert not any("219" in value for value in found)
    assert found[3] == "?<script>"


def test_ten_thousand_in_a_constant_number_of_statements(program, work_as, engine):
    make_partner(work_as, f"ior:{IOR}", tier=1)

    def ask(count):
        seen = []

        def note(*details):
            seen.append(details[2])

        event.listen(engine, "before_cursor_execute", note)
        pairs = [("ior", f"12-{number:07}00") for number in range(count)]
        found = program.post("/statuses", asked(*pairs)).get_json()["statuses"]
        event.remove(engine, "before_cursor_execute", note)
        assert [one["identifier"]["value"] for one in found] == [value for _, value in pairs]
        # The record of who asked is written in blocks, as the driver sees fit.
        return len([one for one in seen if "lookup_record" not in one])

    assert ask(1) == ask(10_000)
    with work_as(system_actor("test")) as work:
        kept = work.session.scalar(select(func.count()).select_from(LookupRow))
    assert kept == 10_001


def test_one_more_is_refused(program):
    pairs = [("ior", IOR)] * 10_001
    problem(program.post("/statuses", asked(*pairs)), 400, pointer="/identifiers")


def test_an_empty_question_has_an_empty_answer(program):
    assert program.post("/statuses", asked()).get_json() == {"statuses": []}
    found = program.post("/statuses", b"", **{"Content-Type": NDJSON})
    assert (found.status_code, found.text) == (200, "")


def test_min_seq_holds_for_many_and_for_none(program):
    for pairs in ([("ior", IOR)], [("ior", "nonsense")], []):
        found = program.post("/statuses?min_seq=7", asked(*pairs))
        problem(found, 503, kind="urn:fairway:not-yet")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b'{"identifiers": [], "identifiers": []}', ""),
        (b'{"identifiers": [{"scheme": "ior", "value": "1", "value": "2"}]}', ""),
        (b'{"identifiers": NaN}', ""),
        (b'{"identifiers": [{"scheme": "ior", "value": "\\ud800"}]}', ""),
        (b"[" * 100_000, ""),
        (b"1" * 5_000, ""),
        (b"[]", ""),
        (b'"{}"', ""),
        (b"null", ""),
        (b"{}", "/identifiers"),
        (b'{"identifiers": {}}', "/identifiers"),
        (b'{"identifiers": [], "a/b~c": 1}', "/a~1b~0c"),
        (b'{"identifiers": [{"scheme": "ior"}]}', "/identifiers/0/value"),
        (b'{"identifiers": [{"scheme": "ior", "value": 1}]}', "/identifiers/0/value"),
        (b'{"identifiers": [{"scheme": "ior", "value": "1", "x": 1}]}', "/identifiers/0/x"),
    ],
)
def test_a_body_that_is_not_the_contracts_is_told_where(program, body, pointer):
    problem(program.post("/statuses", body), 400, pointer=pointer)


def test_a_members_name_is_not_thrown_back_either(program):
    found = program.post("/statuses", {"identifiers": [], PERSONAL: 1})
    problem(found, 400, pointer="/***-**-9998")
    assert "219" not in found.text


def test_a_thousand_faults_are_not_all_told(program):
    body = {"identifiers": [{"scheme": "ior", "value": 1}] * 1_000}
    assert len(problem(program.post("/statuses", body), 400)["errors"]) == 100


@pytest.mark.parametrize("media", ["text/csv", "application/xml", "multipart/form-data", ""])
def test_another_media_type_is_415(program, media):
    problem(program.post("/statuses", b"{}", **{"Content-Type": media}), 415)
    problem(program.post("/decisions", b"{}", **{"Content-Type": media}), 415)


def test_decisions_are_not_taken_as_lines(program):
    problem(program.post("/decisions", b"{}", **{"Content-Type": NDJSON}), 415)


def test_too_much_is_413(program):
    found = program.post("/statuses", b" " * (5 * 1024 * 1024))
    problem(found, 413)
