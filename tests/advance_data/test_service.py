"""Batches on the real database: nothing lost, nothing doubled, nothing of anyone else's learnt."""

import csv
import io
import json
import logging
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.advance_data import service
from app.advance_data.csv_intake import FileRefusedError, read_csv
from app.advance_data.models import Batch
from app.advance_data.service.checking import CHUNK_ROWS
from app.advance_data.tasks import check
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.kernel.errors import ConflictError, NotReadyError
from app.kernel.ids import new_id
from tests.advance_data.conftest import NUMBER
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch, receive, rows
from tests.factories.documents import office

TEST = system_actor("test")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "isf"
SSN = "536-90-4399"


def sent(scene, work_as, content, **facts):
    with work_as(TEST) as work:
        return receive(work, scene.trader(work), content, **facts).id


def codes(scene):
    return [(fault.file_row, fault.field, fault.code) for fault in scene.faults()]


def events(scene):
    return [
        (event.tag, event.data)
        for event in scene.all(AuditEvent, AuditEvent.at, AuditEvent.id)
        if event.subject_kind == "batch"
    ]


# ---- Good rows and bad ones ----


def test_good_rows_become_filings_with_receipts_and_bad_ones_faults(scene, work_as, run_jobs):
    bad = good_row(filing_ref="PO-BAD", hts="7701", quantity="0")
    sent(scene, work_as, [*rows(2), bad, *rows(1, start=3, mf_country="CN")])
    run_jobs()
    [batch] = scene.batches()
    assert batch.state == "done"
    assert (batch.read, batch.accepted, batch.rejected, batch.warnings) == (4, 3, 1, 1)
    filings = scene.filings()
    assert [(one.filing_ref, one.file_row, one.line_no, one.number) for one in filings] == [
        ("PO-000001", 1, 2, 1),
        ("PO-000002", 2, 3, 1),
        ("PO-000003", 4, 5, 1),
    ]
    assert filings[0].receipt == f"{batch.reference}-0000001"
    assert filings[0].content["value_usd"] == "26453.09"
    assert filings[0].content["hts"] == "8507600020"
    assert {(3, "hts", "HTS"), (3, "quantity", "QTY")} <= set(codes(scene))
    assert [tag for tag, _ in events(scene)] == ["batch:received", "batch:started", "batch:checked"]
    told = events(scene)[-1][1]
    assert (told["read"], told["accepted"], told["rejected"], told["warnings"]) == (4, 3, 1, 1)


def test_a_receipt_carries_the_digest_of_what_is_stored(scene, work_as, run_jobs):
    import hashlib  # noqa: PLC0415 - what anyone who checks a receipt needs, and nothing else.

    sent(scene, work_as, rows(1))
    run_jobs()
    [filing] = scene.filings()
    plain = json.dumps(filing.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert filing.sha256 == hashlib.sha256(plain.encode()).hexdigest()


def test_a_filing_can_be_altered_by_nobody(scene, work_as, super_engine):
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), rows(1))
    for begin in (lambda: work_as(TEST), super_engine.begin):
        with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
            alter(begin)
    assert [one.action for one in scene.filings()] == ["A"]


def alter(begin):
    with begin() as opened:
        getattr(opened, "session", opened).execute(text("UPDATE filing SET action = 'D'"))


def test_the_shared_yardstick_gives_its_expected_errors(scene, work_as, run_jobs):
    if not SHARED.exists():
        return
    content = (SHARED / "isf_rows_200.csv").read_bytes()
    sent(scene, work_as, content)
    run_jobs()
    [batch] = scene.batches()
    assert (batch.state, batch.read) == ("done", 200)
    assert batch.accepted + batch.rejected == 200
    with (SHARED / "isf_rows_200.expected.csv").open(newline="") as file:
        expected = {(int(one["row"]), one["field"], one["code"]) for one in csv.DictReader(file)}
    given = list(csv.DictReader(io.StringIO(content.decode())))
    wrong = {place[0] for place in expected if place[1] == "importer_number"}
    expected |= {
        (number, "importer_number", "AUTHORITY")
        for number, row in enumerate(given, 1)
        if number not in wrong and row["importer_number"].strip() != NUMBER
    }
    found = {
        (one.file_row, one.field, one.code) for one in scene.faults() if one.severity == "error"
    }
    assert found == expected
    assert len(scene.filings()) == 200 - len({place[0] for place in expected})


def test_a_chunk_knows_what_the_chunks_before_it_filed(scene, work_as):
    many = rows(CHUNK_ROWS)
    again = [good_row(filing_ref="PO-000001"), good_row(filing_ref="PO-000002", action="R")]
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), [*many, *again])
    assert (batch.accepted, batch.rejected) == (CHUNK_ROWS + 1, 1)
    assert codes(scene) == [(CHUNK_ROWS + 1, "filing_ref", "REF")]


# ---- AUTHORITY and REF ----


def test_unknown_and_foreign_importer_numbers_get_one_answer(scene, scene_of, work_as, run_jobs):
    scene_of("20-390340200", name="Foreign Freight Inc")
    with work_as(TEST) as work:
        from tests.factories.traders import add_identifier  # noqa: PLC0415

        add_identifier(work, scene.trader(work), value="20-169452200")
    sent(
        scene,
        work_as,
        [
            good_row(filing_ref="FOREIGN", importer_number="20-390340200"),
            good_row(filing_ref="UNKNOWN", importer_number="20-772861300"),
            good_row(filing_ref="CLAIMED", importer_number="20-169452200"),
        ],
    )
    run_jobs()
    told = {
        (one.code, one.severity, one.message, one.fix, one.spec_ref, one.field)
        for one in scene.faults()
    }
    assert len(told) == 1
    assert {one.code for one in scene.faults()} == {"AUTHORITY"}
    assert len(scene.faults()) == 3
    assert scene.filings() == []


def test_a_row_that_is_refused_for_its_form_is_told_of_authority_and_reference_too(scene, work_as):
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), rows(1))
        bad = good_row(filing_ref="PO-000001", hts="7701", importer_number="20-772861300")
        make_batch(work, scene.trader(work), [bad])
    assert {code for _, _, code in codes(scene)} == {"HTS", "AUTHORITY", "REF"}


def test_a_reference_is_added_once_replaced_and_deleted_within_a_file(scene, work_as):
    actions = ["R", "A", "A", "R", "D", "D", "R", "A"]
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), [good_row(action=action) for action in actions])
    assert codes(scene) == [(row, "filing_ref", "REF") for row in (1, 3, 6, 7)]
    assert [(one.number, one.action, one.file_row) for one in scene.filings()] == [
        (1, "A", 2),
        (2, "R", 4),
        (3, "D", 5),
        (4, "A", 8),
    ]


def test_a_reference_is_added_once_replaced_and_deleted_across_files(scene, work_as):
    tallies = []
    for action in ("D", "A", "A", "R", "D", "R", "A"):
        with work_as(TEST) as work:
            tallies.append(make_batch(work, scene.trader(work), [good_row(action=action)]).accepted)
    assert tallies == [0, 1, 0, 1, 1, 0, 1]


def test_the_same_reference_of_two_traders_is_two_references(scene, scene_of, work_as):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), [good_row()])
        make_batch(work, other.trader(work), [good_row(importer_number="20-390340200")])
    assert [one.number for one in scene.filings()] == [1, 1]
    assert scene.faults() == []


def test_two_batches_of_one_trader_at_once_never_double_a_reference(scene, work_as):
    ids = [sent(scene, work_as, rows(300), idempotency_key=f"{n}") for n in range(3)]
    barrier = threading.Barrier(3)
    failed = []

    def run(batch_id):
        try:
            with work_as(TEST) as work:
                service.start_batch(work, work.session.get_one(Batch, batch_id))
            barrier.wait()
            with work_as(TEST) as work:
                batch = work.session.get_one(Batch, batch_id)
                service.check_batch(work, batch, read_csv(io.BytesIO(csv_bytes(rows(300)))))
        except Exception as error:  # noqa: BLE001 - a thread's error must reach the test.
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(one.accepted for one in scene.batches()) == [0, 0, 300]
    assert len(scene.filings()) == 300


# ---- Files that cannot be read, workers that die ----


def test_a_file_that_breaks_off_after_some_rows_keeps_none_of_them(scene, work_as, run_jobs):
    broken = csv_bytes(rows(CHUNK_ROWS + 5)) + b'PO-9,"A\n'
    sent(scene, work_as, broken)
    run_jobs()
    [batch] = scene.batches()
    assert (batch.state, batch.read, batch.accepted) == ("failed", 0, 0)
    assert scene.filings() == []
    [fault] = scene.faults()
    assert (fault.code, fault.line_no) == ("QUOTE", CHUNK_ROWS + 7)
    assert batch.refusal == fault.message
    assert events(scene)[-1][0] == "batch:failed"


def test_a_job_that_runs_twice_files_once(scene, work_as, run_jobs):
    batch_id = sent(scene, work_as, rows(3))
    run_jobs()
    before = events(scene)
    check(batch_id=str(batch_id))
    assert len(scene.filings()) == 3
    assert events(scene) == before


def check_with(work_as, batch_id, stream):
    with work_as(TEST) as work:
        service.check_batch(work, work.session.get_one(Batch, batch_id), read_csv(stream))


class Dying(io.BytesIO):
    """A file whose reader is killed in the middle of it."""

    def read(self, size=-1):
        found = super().read(size)
        if self.tell() > 200_000:
            raise KeyboardInterrupt
        return found


def test_a_worker_that_is_killed_half_way_leaves_nothing_and_the_next_one_files_once(
    scene, work_as, run_jobs
):
    many = rows(9000)
    batch_id = sent(scene, work_as, many)
    with work_as(TEST) as work:
        assert service.start_batch(work, work.session.get_one(Batch, batch_id))
    with pytest.raises(KeyboardInterrupt):
        check_with(work_as, batch_id, Dying(csv_bytes(many)))
    assert scene.filings() == []
    assert [one.state for one in scene.batches()] == ["running"]
    run_jobs()
    assert [(one.state, one.accepted) for one in scene.batches()] == [("done", 9000)]
    assert len(scene.filings()) == 9000
    assert [tag for tag, _ in events(scene)].count("batch:checked") == 1


def test_a_batch_that_another_worker_finished_meanwhile_is_left_alone(scene, work_as):
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), rows(2))
        service.check_batch(work, batch, read_csv(io.BytesIO(csv_bytes(rows(3)))))
        assert (batch.read, batch.accepted) == (2, 2)
        service.fail_batch(work, batch, refusal_of(b"\xff\xfe"))
    assert [one.state for one in scene.batches()] == ["done"]
    assert scene.faults() == []


def refusal_of(content):
    with pytest.raises(FileRefusedError) as refused:
        list(read_csv(io.BytesIO(content)))
    return refused.value


# ---- Sent twice ----


def test_a_form_that_is_sent_twice_makes_one_batch(scene, work_as):
    key = new_id()
    first = sent(scene, work_as, rows(1), key=key)
    second = sent(scene, work_as, rows(1), key=key)
    assert first == second == key
    assert len(scene.batches()) == 1
    assert [tag for tag, _ in events(scene)] == ["batch:received"]


def test_the_form_of_yesterday_with_the_corrected_file_is_a_new_batch(scene, work_as):
    key = new_id()
    first = sent(scene, work_as, rows(1), key=key)
    second = sent(scene, work_as, rows(2), key=key)
    assert first != second
    assert len(scene.batches()) == 2


def test_the_key_of_a_foreign_batch_tells_nothing_and_takes_nothing(scene, scene_of, work_as):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    key = new_id()
    foreign = sent(other, work_as, rows(1), key=key)
    own = sent(scene, work_as, rows(1), key=key)
    assert own != foreign
    assert {one.trader_id for one in scene.batches()} == {scene.trader_id, other.trader_id}


def test_an_idempotency_key_stands_for_one_content(scene, work_as):
    first = sent(scene, work_as, rows(1), idempotency_key="a")
    assert sent(scene, work_as, rows(1), idempotency_key="a") == first
    with pytest.raises(ConflictError):
        sent(scene, work_as, rows(2), idempotency_key="a")
    assert sent(scene, work_as, rows(1), idempotency_key="b") != first
    assert len(scene.batches()) == 2


def test_what_a_person_can_be_told_at_once_is_told_at_once(scene, work_as):
    for content, code in (
        (b"", "empty"),
        (office("xlsx"), "format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "encoding"),
        (b"one;two\n1;2\n", "separator"),
        (b"one,two\n1,2\n", "unknown_column"),
        (csv_bytes([]), "empty"),
    ):
        with pytest.raises(NotReadyError) as refusal:
            sent(scene, work_as, content, channel=service.Channel.FILE)
        [problem] = refusal.value.problems
        assert (problem.field, problem.code) == ("file", code)
    assert scene.batches() == []
    assert events(scene) == []


# ---- Numbers of social-security form ----


def test_a_personal_number_files_but_never_shows(scene_of, work_as, run_jobs, caplog):
    scene = scene_of(SSN)
    caplog.set_level(logging.DEBUG)
    ours = good_row(filing_ref="OWN", importer_number=SSN, consignee_number=SSN)
    foreign = good_row(filing_ref="NOT", importer_number="536-90-4398")
    malformed = good_row(filing_ref="BAD", importer_number="536904399", mid="no mid at all")
    batch_id = sent(scene, work_as, [ours, foreign, malformed])
    run_jobs()
    [filing] = scene.filings()
    assert filing.importer_shown == filing.content["importer_number"] == "***-**-4399"
    assert filing.content["consignee_number"] == "***-**-4399"
    assert {"AUTHORITY", "IOR_FORMAT"} <= {code for _, _, code in codes(scene)}
    with work_as(TEST) as work:
        stored = []
        for table in ("filing", "filing_fault", "batch", "audit_event"):
            stored += work.session.execute(text(f"SELECT t::text FROM {table} t")).scalars()  # noqa: S608
    assert str(batch_id) in "".join(stored)
    for secret in ("536-90", "53690", "904399", "904398"):
        assert secret not in "".join(stored)
        assert secret not in caplog.text
