"""The traders' API: one filing or many, the same rules, every fault with its place."""

import json
import threading

import pytest

from app.advance_data.csv_export import FAULT_COLUMNS
from app.kernel.ids import new_id
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import rows
from tests.factories.register import decide, make_partner

SSN = "536-90-4399"


@pytest.fixture
def program(program_of, scene):
    return program_of(scene)


def test_one_filing_gets_its_receipt_at_once(program, scene):
    answer = program.file(good_row(mf_country="CN"))
    assert answer.status_code == 201, answer.text
    body = answer.get_json()
    [filing], [batch] = scene.filings(), scene.batches()
    assert body["id"] == str(filing.id)
    assert body["receipt"] == f"{batch.reference}-0000001"
    assert (body["standing"], body["number"], body["sha256"]) == ("current", 1, filing.sha256)
    assert {one["severity"] for one in body["warnings"]} == {"warning"}
    assert answer.headers["Location"] == f"/trader/v1/filings/{filing.id}"
    assert (batch.state, batch.read, batch.accepted, batch.channel) == ("done", 1, 1, "api")
    assert program.get(f"/filings/{filing.id}").get_json() == body


def test_numbers_keep_the_digits_in_which_they_are_written(program, scene):
    row = good_row()
    del row["value_usd"], row["quantity"]
    body = b'{"value_usd":10.10,"quantity":712,' + json.dumps(row).encode()[1:]
    assert program.file(body).status_code == 201
    [filing] = scene.filings()
    assert (filing.content["value_usd"], filing.content["quantity"]) == ("10.10", "712")


def test_a_refused_filing_tells_every_fault_and_keeps_nothing(program, scene):
    answer = program.file(
        good_row(hts="7701", quantity="-1", etd="soon", importer_number="20-772861300", mid="")
    )
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    errors = answer.get_json()["errors"]
    assert {(one["pointer"], one["code"]) for one in errors if one["severity"] == "error"} == {
        ("/hts", "HTS"),
        ("/quantity", "QTY"),
        ("/etd", "DATE"),
        ("/importer_number", "AUTHORITY"),
    }
    assert all(one["fix"] for one in errors)
    assert scene.batches() == scene.filings() == scene.faults() == []
    assert program.file(good_row()).status_code == 201, "The key of a refusal is free again."


def test_the_same_call_is_answered_with_the_same_filing(program, scene):
    first, again = program.file(good_row()), program.file(dict(reversed(good_row().items())))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    other = program.file(good_row(quantity="713"))
    assert other.status_code == 409
    assert other.mimetype == "application/problem+json"
    taken = program.file(good_row(), key="key-2")
    assert (taken.status_code, taken.get_json()["errors"][0]["code"]) == (422, "REF")
    assert len(scene.filings()) == 1


def test_two_calls_at_once_with_one_key_file_once(app, program, scene):
    answers = []

    def call():
        answers.append(
            app.test_client()
            .post(
                "/trader/v1/filings",
                json=good_row(),
                headers=program.headers(**{"Idempotency-Key": "same"}),
            )
            .get_json()
        )

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one["receipt"] for one in answers}) == 1
    assert len(answers) == 4
    assert len(scene.filings()) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"filing_ref": NaN}', ""),
        (b'{"filing_ref": "\\ud800"}', ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
        (b'{"hts": "1", "hts": "2"}', "/hts"),
        (b'{"filing_ref": {"a": 1}}', "/filing_ref"),
        (b'{"action": true}', "/action"),
        (b'{"colour": "red"}', "/colour"),
        (b'{"a/b~c": 1}', "/a~1b~0c"),
    ],
)
def test_what_is_no_filing_is_refused_with_its_place(program, scene, body, pointer):
    answer = program.file(body)
    assert answer.status_code == 400, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["errors"][0]["pointer"] == pointer
    assert scene.batches() == []


def test_a_call_needs_its_key_and_its_media_type(program, scene):
    assert program.file(good_row(), key="").status_code == 400
    assert program.file(good_row(), key="two words").status_code == 400
    assert program.file(good_row(), **{"Content-Type": "text/plain"}).status_code == 415
    assert program.file(b"x" * 300_000).status_code == 413
    other = program.send(b"{}", **{"Content-Type": "application/json"})
    assert other.status_code == 415
    assert "application/x-ndjson or application/vnd.cbp.abi." in other.get_json()["detail"]
    assert program.send(b"").status_code == 422
    assert scene.batches() == []


def test_hidden_characters_are_refused_in_json_too(program):
    answer = program.file(good_row(mf_name="Hanoi \u202eslleC", seller_name="A\x00B"))
    assert answer.status_code == 422
    found = {(one["pointer"], one["code"]) for one in answer.get_json()["errors"]}
    assert {("/mf_name", "CHARACTER"), ("/seller_name", "CHARACTER")} <= found
    assert "\u202e" not in answer.get_data(as_text=True)


def test_nobody_files_for_another_without_a_delegation(program, scene, scene_of):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    for name in (str(other.trader_id), str(new_id()), "20-390340200"):
        one = program.file({**good_row(), "on_behalf_of": name})
        many = program.send(csv_bytes(rows(1)), query=f"?on_behalf_of={name}")
        for answer in (one, many):
            assert answer.status_code == 422
            [error] = answer.get_json()["errors"]
            assert (error["pointer"], error["code"]) == ("/on_behalf_of", "AUTHORITY")
    own = {**good_row(), "on_behalf_of": str(scene.trader_id)}
    assert program.file(own).status_code == 201


def test_a_batch_is_taken_in_checked_and_read(program, scene, run_jobs):
    bad = good_row(filing_ref="PO-BAD", hts="7701", quantity="0")
    sent = program.send(csv_bytes([*rows(2), bad]))
    assert sent.status_code == 202, sent.text
    place = sent.headers["Location"].removeprefix("/trader/v1")
    again = program.send(csv_bytes([*rows(2), bad]))
    assert (again.status_code, again.headers["Location"]) == (202, sent.headers["Location"])
    assert program.send(csv_bytes(rows(3))).status_code == 409
    waiting = program.get(place).get_json()
    assert (waiting["state"], waiting["read"]) == ("queued", 0)
    assert program.get(f"{place}/errors").get_json() == {"errors": [], "next": None}
    run_jobs()
    done = program.get(place).get_json()
    assert [done[name] for name in ("state", "read", "accepted", "rejected", "warnings")] == [
        "done",
        3,
        2,
        1,
        0,
    ]
    whole = program.get(f"{place}/errors").get_json()
    assert [one["code"] for one in whole["errors"]] == ["HTS", "QTY"]
    assert set(whole["errors"][0]) == set(FAULT_COLUMNS)
    part = program.get(f"{place}/errors?limit=1").get_json()
    rest = program.get(f"{place}/errors?limit=1&after={part['next']}").get_json()
    assert [*part["errors"], *rest["errors"]] == whole["errors"]
    assert rest["next"] is None
    assert program.get(f"{place}/errors?limit=0").status_code == 400
    assert program.get(f"{place}/errors?limit=1_0").status_code == 400
    assert program.get(f"{place}/errors?colour=red").status_code == 400
    table = program.get(f"{place}/errors", Accept="text/csv")
    assert table.mimetype == "text/csv"
    lines = table.get_data().decode("utf-8-sig").splitlines()
    assert lines[0].split(",") == list(FAULT_COLUMNS)
    assert len(lines) == 3


def test_a_file_that_cannot_be_read_is_taken_in_and_fails(program, scene, run_jobs):
    place = program.send(b"no,such,columns\n1,2,3\n").headers["Location"]
    run_jobs()
    answer = program.get(place.removeprefix("/trader/v1")).get_json()
    assert answer["state"] == "failed"
    assert answer["refusal"] == "There is no such column in a file of filings."


def test_what_is_foreign_is_absent(program, program_of, scene, scene_of, run_jobs):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    foreign = program_of(other)
    batch = foreign.send(csv_bytes([good_row(importer_number="20-390340200")])).get_json()["id"]
    run_jobs()
    [filing] = scene.filings()
    for path in (f"/batches/{batch}", f"/batches/{batch}/errors", f"/filings/{filing.id}"):
        assert foreign.get(path).status_code == 200
        absent = path.replace(str(batch), str(new_id())).replace(str(filing.id), str(new_id()))
        seen, unseen = program.get(path), program.get(absent)
        assert (seen.status_code, unseen.status_code) == (404, 404)
        assert seen.mimetype == "application/problem+json"
        left, right = seen.get_json(), unseen.get_json()
        assert {**left, "instance": ""} == {**right, "instance": ""}
        assert program.get(path[:-1] + "x").status_code in {400, 404}


def test_each_scope_opens_its_own_doors(program_of, scene, app):
    reader = program_of(scene, "filings:read")
    assert reader.file(good_row()).status_code == 403
    assert reader.get("/status").status_code == 403
    writer = program_of(scene, "filings:write")
    filed = writer.file(good_row())
    assert filed.status_code == 201
    assert writer.get(f"/filings/{filed.get_json()['id']}").status_code == 403
    assert app.test_client().get("/trader/v1/status").status_code == 401


def test_the_own_standing_is_what_release_systems_are_told(
    program, program_of, scene, work_as, app
):
    nobody = program.get("/status").get_json()
    assert (nobody["answer"], nobody["standings"]) == ("not_a_partner", [])
    scene.trader_id = make_partner(work_as, "ior:20-390340200", tier=2)
    partner = program_of(scene)
    body = partner.get("/status").get_json()
    assert (body["answer"], body["partner_id"]) == ("active", str(scene.trader_id))
    [standing] = body["standings"]
    assert (standing["programme"], standing["tier"], standing["status"]) == (
        "security",
        2,
        "validated",
    )
    assert standing["benefits"]
    decide(work_as, scene.trader_id, "suspend")
    body = partner.get("/status").get_json()
    assert (body["answer"], body["standings"][0]["tier"]) == ("not_active", None)
    assert body["standings"][0]["benefits"] == []


def test_a_personal_number_is_never_echoed(program_of, scene_of, caplog):
    program = program_of(scene_of(SSN))
    filed = program.file(good_row(importer_number=SSN))
    assert filed.get_json()["content"]["importer_number"] == "***-**-4399"
    refused = [
        program.file(good_row(importer_number="536-90-4398"), key="b"),
        program.file(good_row(importer_number="536904399"), key="c"),
        program.file({**good_row(), SSN: "x"}, key="d"),
        program.file({**good_row(), "on_behalf_of": SSN}, key="e"),
    ]
    assert [one.status_code for one in refused] == [422, 422, 400, 422]
    for answer in (filed, *refused):
        assert "536-90" not in answer.text
        assert "536904" not in answer.text
    assert "536-90" not in caplog.text


def test_more_faults_than_one_block_are_told_in_one_file(program, scene, run_jobs):
    bad = [good_row(filing_ref=f"PO-{number}", hts="x", quantity="0") for number in range(700)]
    sent = program.send(csv_bytes(bad))
    run_jobs()
    address = sent.headers["Location"].partition("/trader/v1")[2]
    told = program.get(f"{address}/errors", Accept="text/csv")
    assert told.status_code == 200
    assert len(told.text.splitlines()) == 1 + 1400
