"""The corpus of hostile files, through the API, the job and the pages: no 5xx, no lost row, no leak."""

import csv
import io
import re
from collections import Counter

import pytest
from werkzeug.test import stream_encode_multipart

from app.advance_data.formats import ABI, CSV, FORMATS, XLSX
from tests.advance_data.hostile import SSN, corpus
from tests.factories.identity import sign_in

CANARY = "Canary Orchard Holdings"
PARTS = 8
FILES = list(corpus())


def test_the_corpus_is_large_and_of_every_format():
    counts = Counter(media_type for _, media_type, _ in FILES)
    assert len({name for name, _, _ in FILES}) == len(FILES) >= 150
    assert set(counts) == set(FORMATS)
    assert min(counts.values()) >= 40


@pytest.fixture
def program(program_of, scene, scene_of, run_jobs):
    """A program of the scene's trader, in a house where another trader's rows carry the canary."""
    other = scene_of(number="20-390340200", name=CANARY)
    theirs = program_of(other)
    row = b",".join([b"C-1", CANARY.encode()])
    assert theirs.send(b"filing_ref,mf_name\n" + row).status_code == 202
    run_jobs()
    return program_of(scene)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_file_does_harm(program, scene, run_jobs, part):
    sent = {}
    for number, (name, media_type, content) in enumerate(FILES):
        if number % PARTS != part:
            continue
        answer = program.send(content, key=f"key-{number}", **{"Content-Type": media_type})
        assert answer.status_code in {202, 422}, name
        assert CANARY not in answer.text
        if answer.status_code == 202:
            sent[answer.get_json()["id"]] = (name, media_type, content)
    run_jobs()
    rows_of = {key: set() for key in sent}
    for kept in (*scene.filings(), *scene.faults()):
        if str(kept.batch_id) in sent and getattr(kept, "severity", "error") == "error":
            rows_of[str(kept.batch_id)].add(kept.file_row)
    for key, (name, media_type, content) in sent.items():
        batch = program.get(f"/batches/{key}").get_json()
        assert batch["state"] in {"done", "failed"}, name
        assert batch["accepted"] + batch["rejected"] == batch["read"], name
        if batch["state"] == "done":
            # Every physical record is a filing or has an error, and none is either twice.
            assert rows_of[key] == set(range(1, batch["read"] + 1)), name
            assert batch["read"] == records_in(media_type, content, batch["read"]), name
        else:
            assert rows_of[key] == {0} or rows_of[key] == {min(rows_of[key])}, name
            assert batch["read"] == 0
        for wanted in ("application/json", CSV, XLSX, ABI):
            told = program.get(f"/batches/{key}/errors", Accept=wanted)
            assert told.status_code in {200, 404}, (name, wanted)
            for secret in (CANARY, "SECRET", SSN, "root:x:0", "postgresql"):
                assert secret.encode() not in told.data, (name, wanted)


def records_in(media_type: str, content: bytes, read: int) -> int:
    """What another reader counts, where there is one."""
    if media_type == CSV:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        csv.field_size_limit(10_000_000)
        return sum(bool(cells) for cells in csv.reader(text, strict=True)) - 1
    if media_type == ABI:
        lines = content.split(b"\n")
        first = next(at for at, one in enumerate(lines) if one.startswith(b"B")) + 1
        headers = sum(one.startswith(b"SF10") for one in lines)
        return headers + (not lines[first].startswith(b"SF10"))
    if media_type != XLSX:
        return sum(bool(one.strip(b" \t\r\n")) for one in content.split(b"\n"))
    return read


def test_a_person_who_uploads_one_is_told_beside_the_field(app, scene):
    browser = app.test_client()
    sign_in(browser, scene.officer)
    address = f"/traders/{scene.trader_id}/advance-data/upload"
    for name, _, content in FILES[:: len(FILES) // 24]:
        page = browser.get(address).text
        data = {
            "csrf_token": re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1],
            "key": re.search(r'name="key"[^>]*value="([^"]+)"', page)[1],
            "file": (io.BytesIO(content), "x.csv"),
        }
        body, _, boundary = stream_encode_multipart(data, use_tempfile=False)
        kind = f'multipart/form-data; boundary="{boundary}"'
        answer = browser.post(address, data=body.read(), content_type=kind)
        assert answer.status_code in {303, 422}, name
        assert CANARY not in answer.text
