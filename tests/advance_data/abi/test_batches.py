"""Batches of messages on the real database: numbers, answers, and nothing of anyone else's."""

from dataclasses import replace

import pytest

from app.advance_data.abi.records import record_of
from app.advance_data.models import FilingFault
from app.advance_data.service import Channel
from app.authz.actor import DelegationScope, system_actor
from app.kernel.identifiers import Scheme
from app.traders.models import Trader
from tests.advance_data.abi.messages import PARTIES, deletion, isf5, isf10, line, message
from tests.factories.advance_data import make_batch, receive
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.traders import add_identifier

TEST = system_actor("test")
ABI = "application/vnd.cbp.abi"
SSN = "536-90-4399"


@pytest.fixture
def program(program_of, scene):
    return program_of(scene)


@pytest.fixture
def send(program, run_jobs):
    """Send messages as a program, and get the checked batch and the answer's records."""

    def sent(*filings, key="key-1", content=None):
        answer = program.send(content or message(*filings), key=key, **{"Content-Type": ABI})
        assert answer.status_code == 202, answer.text
        run_jobs()
        address = answer.headers["Location"].partition("/trader/v1")[2]
        batch = program.get(address).get_json()
        found = program.get(f"{address}/errors", Accept=ABI)
        assert found.status_code == 200
        assert found.mimetype == ABI
        lines = found.text.split("\r\n")
        assert lines.pop() == ""
        assert {len(one) for one in lines} == {80}
        return batch, [record_of(one).decode(one) for one in lines]

    return sent


def outcomes(answer):
    return [
        (one.values["outcome"], one.values.get("code", ""), one.values["narrative"])
        for one in answer
        if one.record == "SF90"
    ]


def numbers(answer):
    return [one.values.get("transaction_number") for one in answer if one.record == "SF10"]


def test_each_good_message_is_filed_under_a_number_that_the_answer_brings(send, scene):
    batch, answer = send(isf10(), isf5())
    assert (batch["read"], batch["accepted"], batch["rejected"]) == (2, 2, 0)
    assert [one.record for one in answer[:2]] == ["A", "B"]
    assert answer[0].values == {
        "site": "5301",
        "filer": "ABC",
        "date": "112426",
        "application": "SN",
    }
    assert numbers(answer) == ["ABC-26000000001", "ABC-26000000002"]
    assert outcomes(answer) == [("02", "", "ISF ACCEPTED")] * 2
    assert [one.values["count"] for one in answer if one.record == "Y"] == ["00007"]
    first, second = scene.filings()
    assert [first.filing_ref, second.filing_ref] == numbers(answer)
    assert first.content["bills"] == [{"bill_type": "BM", "bill_number": "MAEU123456789012"}]
    maker = first.content["parties"][-1]
    assert [one["hts"] for one in maker["goods"]] == ["8507600020", "850650"]
    assert "SECRET" not in str(first.content)


def test_a_filing_is_replaced_and_deleted_under_its_number(send, scene):
    _, answer = send(isf10())
    [number] = numbers(answer)
    _, answer = send(isf10(action="R", transaction_number=number, action_reason="FR"), key="2")
    assert outcomes(answer) == [("02", "", "ISF ACCEPTED")]
    _, answer = send(deletion(number), key="3")
    assert outcomes(answer) == [("02", "", "ISF ACCEPTED")]
    batch, answer = send(deletion(number), key="4", content=message(deletion(number)) + b"\r\n")
    assert (batch["accepted"], batch["rejected"]) == (0, 1)
    assert outcomes(answer) == [
        ("11", "108", "L3 REF FILING REF"), ("01", "", "ISF REJECTED"),
    ]  # fmt: skip
    assert [(one.filing_ref, one.number, one.action) for one in scene.filings()] == [
        (number, 1, "A"), (number, 2, "R"), (number, 3, "D"),
    ]  # fmt: skip
    # Once it is deleted, its bill can be filed anew.
    _, answer = send(isf10(vessel_scac="CMDU"), key="5")
    assert outcomes(answer) == [("02", "", "ISF ACCEPTED")]


def test_a_bill_is_on_file_once_across_files_and_within_one(send, scene):
    send(isf10("MAEU1"))
    batch, answer = send(isf10("MAEU2"), isf10("MAEU1"), isf10("MAEU2"), key="2")
    assert (batch["read"], batch["accepted"], batch["rejected"]) == (3, 1, 2)
    refused = [one for one in outcomes(answer) if one[0] == "11"]
    assert [one[1:] for one in refused] == [
        ("119", f"L{3 + 1 + len(isf10())} REF BILL NUMBER"),
        ("119", f"L{3 + 1 + 2 * len(isf10())} REF BILL NUMBER"),
    ]
    assert {(one.record, one.field, one.code) for one in scene.faults()} == {
        ("SF15", "bill_number", "REF")
    }


def test_another_traders_filings_are_as_if_they_were_not_there(
    send, scene_of, program_of, run_jobs
):
    other = scene_of(number="20-390340200", name="Other Imports LLC", filer="XYZ")
    program = program_of(other)
    theirs = isf10(importer_number="20-390340200")
    assert program.send(message(theirs, filer="XYZ"), **{"Content-Type": ABI}).status_code == 202
    run_jobs()
    [number] = [one.filing_ref for one in other.filings() if one.trader_id == other.trader_id]
    # The same bill can be filed, and neither replacing nor deleting theirs is possible.
    _, answer = send(isf10())
    assert outcomes(answer) == [("02", "", "ISF ACCEPTED")]
    _, foreign = send(deletion(number), key="2")
    _, absent = send(deletion("ABC-99999999999"), key="3")
    assert outcomes(foreign) == outcomes(absent)
    _, answer = send(theirs, key="4")
    assert ("11", "", "L3 AUTHORITY IMPORTER NUMBER") in outcomes(answer)


def test_a_block_bears_the_senders_own_filer_code(send, scene_of, scene):
    scene_of(number="20-390340200", name="Other Imports LLC", filer="XYZ")
    answers = []
    # Somebody else's code and nobody's get the same answer.
    for key, filer in (("1", "XYZ"), ("2", "QQQ")):
        batch, answer = send(content=message(isf10(), filer=filer), key=key)
        assert (batch["accepted"], batch["rejected"]) == (0, 1)
        answers.append(outcomes(answer))
    assert answers[0] == answers[1] == [
        ("11", "", "L3 FILER FILER"), ("01", "", "ISF REJECTED"),
    ]  # fmt: skip
    assert {(one.code, one.field, one.record) for one in scene.faults()} == {
        ("FILER", "filer", "SF10")
    }
    _, answer = send(isf10(), key="3")
    assert numbers(answer) == ["ABC-26000000001"]
    [number] = numbers(answer)
    # What is filed is not deleted in another name either.
    batch, _ = send(content=message(deletion(number), filer="QQQ"), key="4")
    assert batch["rejected"] == 1


def test_a_brokers_block_bears_the_brokers_code_and_not_its_clients(work_as):
    with work_as(TEST) as work:
        pair = make_pair(work)
        delegate(work, pair, {DelegationScope.SUBMIT})
        client = work.session.get_one(Trader, pair.trader_id)
        broker = work.session.get_one(Trader, pair.broker_id)
        add_identifier(work, client, Scheme.FILER, "XYZ", verified=True)
        add_identifier(work, broker, Scheme.FILER, "ABC", verified=True)
        claimed = add_identifier(work, broker, Scheme.FILER, "DEF")
        own = replace(work, actor=broker_actor(work, pair.broker_officer))
        found = {}
        for filer in ("ABC", "XYZ", "DEF"):
            content = message(isf10(f"MAEU{filer}"), filer=filer)
            found[filer] = make_batch(own, client, content, media_type=ABI).accepted
        assert claimed.state == "claimed"
        assert found == {"ABC": 1, "XYZ": 0, "DEF": 0}
        # And an importer that the broker does not act for is not its client's.
        content = message(isf10("MAEU9", importer_number="20-390340200"))
        batch = make_batch(own, client, content, media_type=ABI)
        faults = work.session.query(FilingFault).where(FilingFault.batch_id == batch.id)
        assert "AUTHORITY" in [one.code for one in faults]


def test_every_fault_is_answered_at_its_record_and_kept_with_its_line(send, program, scene):
    bad = isf10()
    bad[1] = line("SF15", bill_type="BM", bill_number="MA-EU 123")
    bad[-1] = line("SF40", hts="770000", country_of_origin="XX")
    odd = isf10("MAEU9")
    odd[-1] = line("SF40", hts="980100", country_of_origin="VN")
    batch, answer = send(isf10(), bad, odd)
    assert (batch["read"], batch["accepted"], batch["rejected"], batch["warnings"]) == (3, 2, 1, 1)
    assert [one[:2] for one in outcomes(answer)] == [
        ("02", ""), ("11", ""), ("11", ""), ("11", ""), ("01", ""), ("13", ""), ("03", ""),
    ]  # fmt: skip
    found = program.get(f"/batches/{batch['id']}/errors").get_json()["errors"]
    at = 3 + len(isf10())
    end = at + len(bad) - 1
    assert [(one["file_row"], one["line_no"], one["record"], one["field"]) for one in found] == [
        (2, at + 1, "SF15", "bill_number"),
        (2, end, "SF40", "hts"),
        (2, end, "SF40", "country_of_origin"),
        (3, end + len(odd), "SF40", "hts"),
    ]
    assert all(one["spec_ref"] and one["fix"] for one in found)


def test_a_file_that_is_cut_off_files_nothing_and_is_answered_so(send, scene):
    batch, answer = send(content=message(isf10(), isf10("MAEU2"))[:2000])
    assert batch["state"] == "failed"
    assert scene.filings() == []
    assert [one.record for one in answer] == ["A", "B", "X0", "X1", "X1", "Y", "Z"]
    assert [one.values["code"] for one in answer if one.record == "X1"] == ["X05", "999"]
    assert "SECRET" not in str(answer)


def test_a_social_security_number_is_in_no_fault_answer_or_content(send, scene, program):
    mine = isf10("MAEU7", importer_qualifier="34", importer_number=SSN, bond_holder=SSN)
    mine[4] = line("SF30", entity="IM", id_qualifier="34", id=SSN)
    good = isf10("MAEU8")
    good[4] = line("SF30", entity="IM", id_qualifier="34", id=SSN)
    broken = isf10("MAEU9", importer_qualifier="34", importer_number="536904399")
    batch, answer = send(mine, good, broken)
    assert (batch["accepted"], batch["rejected"]) == (1, 2)
    kept = [str(one.content) for one in scene.filings()]
    told = program.get(f"/batches/{batch['id']}/errors").text
    for text in (str(answer), told, str(kept)):
        assert "536" not in text
        assert "4399" in text


def test_the_answer_waits_for_the_check_and_is_only_for_messages(program, run_jobs, scene, work_as):
    sent = program.send(message(isf10()), **{"Content-Type": ABI})
    address = sent.headers["Location"].partition("/trader/v1")[2]
    assert program.get(f"{address}/errors", Accept=ABI).status_code == 409
    with work_as(TEST) as work:
        other = receive(work, scene.trader(work), b"a,b\n").id
    assert program.get(f"/batches/{other}/errors", Accept=ABI).status_code == 404


def test_the_same_message_sent_twice_is_one_batch(program, run_jobs, scene):
    for _ in range(2):
        assert program.send(message(isf10()), **{"Content-Type": ABI}).status_code == 202
    run_jobs()
    assert len(scene.batches()) == len(scene.filings()) == 1


def test_a_person_uploads_messages_whatever_the_file_is_called(scene, work_as, run_jobs):
    with work_as(TEST) as work:
        batch = receive(
            work, scene.trader(work), message(isf10()), filename="m.csv", channel=Channel.FILE
        )
        assert batch.media_type == ABI
    run_jobs()
    assert len(scene.filings()) == 1


def test_parties_of_the_fixture_are_all_that_the_chapter_wants():
    assert set(PARTIES) == {"IM", "CN", "SE", "BY", "ST", "LG", "CS", "MF"}
