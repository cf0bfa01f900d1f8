"""The bytes of a batch on the disk: sealed, whole, and of no use under another name."""

import hashlib
import io
import json
import shutil
from pathlib import Path

import pytest

from app.advance_data import service
from app.advance_data.json_intake import read_filing
from app.advance_data.models import Batch
from app.advance_data.stored import SPOOL, Arriving, opened
from app.advance_data.tasks import check
from app.authz.actor import system_actor
from app.documents import service as documents
from app.documents.files import files, sealed_key_of
from app.kernel.errors import UnavailableError
from app.traders.sealing import equip
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import receive, rows

TEST = system_actor("test")
SSN = "536-90-4399"
SECRETS = (SSN.encode(), SSN.replace("-", "").encode(), b"importer_number", b"PO-000001")


@pytest.fixture
def folder(app, settings):
    """The real store's folder, empty at the beginning."""
    found = Path(settings.files_url.removeprefix("file:"))
    for one in found.iterdir():
        shutil.rmtree(one)
    return found


def on_disk(folder):
    return [one for one in folder.rglob("*") if one.is_file()]


def assert_nothing_to_read(folder):
    [file] = on_disk(folder)
    content = file.read_bytes()
    assert content
    for secret in SECRETS:
        assert secret not in content
        assert secret.decode() not in str(file)


def place_of(folder, batch):
    return folder / sealed_key_of(batch.trader_id, batch.sha256)


@pytest.mark.parametrize("channel", list(service.Channel))
def test_a_received_file_holds_no_number_that_can_be_read(
    scene_of, work_as, run_jobs, folder, channel
):
    scene = scene_of(SSN)
    content = csv_bytes(rows(20, importer_number=SSN, consignee_number=SSN))
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), content, channel=channel)
        assert batch.sha256 == hashlib.sha256(content).hexdigest()
        assert batch.size == len(content)
    assert_nothing_to_read(folder)
    with opened(batch) as stream:
        assert stream.read() == content
    run_jobs()
    assert [(one.state, one.accepted) for one in scene.batches()] == [("done", 20)]
    assert_nothing_to_read(folder)


def test_a_row_that_is_filed_at_once_holds_no_number_that_can_be_read(scene_of, work_as, folder):
    scene = scene_of(SSN)
    row = good_row(filing_ref="PO-000001", importer_number=SSN, consignee_number=SSN)
    with work_as(TEST) as work:
        given = read_filing(json.dumps(row).encode())
        filing = service.file_one(work, scene.trader(work), row=given.row, idempotency_key="a")
        batch = work.session.get_one(Batch, filing.batch_id)
    assert_nothing_to_read(folder)
    with opened(batch) as stream:
        content = stream.read()
    assert json.loads(content)["importer_number"] == SSN
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (batch.sha256, batch.size)


def test_what_is_spooled_while_a_large_file_arrives_is_sealed_already(scene, folder):
    with Arriving(scene.trader_id) as arriving:
        line = (SSN + ",importer_number\n").encode()
        digest = hashlib.sha256()
        for _ in range(8):
            piece = line * (SPOOL // len(line) // 4)
            digest.update(piece)
            arriving.write(piece)
        arriving.close(digest.hexdigest())
        spooled = arriving._spooled  # noqa: SLF001 - nobody else may look at it.
        assert isinstance(spooled.name, int), "It is on the disk by now."
        spooled.seek(0)
        assert SSN.encode() not in spooled.read()
        with arriving.opened() as stream:
            assert hashlib.file_digest(stream, "sha256").digest() == digest.digest()


def test_the_job_files_nothing_of_a_file_that_was_altered(scene, work_as, run_jobs, folder):
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), rows(5000))
    place = place_of(folder, batch)
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    assert len(content) > 1 << 20, "There is a sound chunk before the altered one."
    run_jobs()
    assert scene.filings() == []
    assert [(one.state, one.read) for one in scene.batches()] == [("running", 0)]
    with pytest.raises(UnavailableError) as refusal:
        check(batch_id=str(batch.id))
    assert refusal.value.code == "file-damaged"
    assert scene.filings() == []


def read(batch):
    with opened(batch) as stream:
        return stream.read()


def test_another_batchs_file_in_its_place_is_refused(scene, scene_of, work_as, folder):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    with work_as(TEST) as work:
        own = receive(work, scene.trader(work), rows(1))
        second = receive(work, scene.trader(work), rows(2))
        foreign = receive(work, other.trader(work), rows(1))
    assert own.sha256 == foreign.sha256
    for stranger in (second, foreign):
        shutil.copyfile(place_of(folder, stranger), place_of(folder, own))
        with pytest.raises(UnavailableError) as refusal:
            read(own)
        assert refusal.value.code == "file-damaged"
    place_of(folder, own).unlink()
    with pytest.raises(UnavailableError) as refusal:
        read(own)
    assert refusal.value.code == "file-missing"


def test_another_secret_opens_no_batch(scene, work_as, settings, folder):
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), rows(1))
    try:
        equip("another secret, also long enough to sign with")
        with pytest.raises(UnavailableError):
            read(batch)
    finally:
        equip(settings.secret_key)
    assert read(batch) == csv_bytes(rows(1))


def test_the_same_file_as_a_document_and_as_a_batch_is_two_objects(scene, work_as, folder):
    content = csv_bytes(rows(1))
    with work_as(TEST) as work:
        trader = scene.trader(work)
        before = document(work, trader, content)
        batch = receive(work, trader, content)
        again = receive(work, trader, content)
        assert before.sha256 == batch.sha256 == again.sha256
    assert len(on_disk(folder)) == 2
    assert b"".join(files().read(scene.trader_id, before.sha256)) == content
    assert read(batch) == read(again) == content


def document(work, trader, content):
    return documents.store(
        work,
        trader.id,
        owner_kind="trader",
        owner_id=trader.id,
        filename="filings.csv",
        stream=io.BytesIO(content),
    )
