"""Files are read in a process apart: bounded, without secrets, and no row gets lost on the way."""

import io
import json
import os
import random
import subprocess
import sys
import threading

import pytest

from app.advance_data import reading
from app.advance_data.abi.model import RawMessage
from app.advance_data.csv_intake import FileRefusedError
from app.advance_data.formats import ABI, CSV, FORMATS, NDJSON, XLSX, media_type_of
from app.advance_data.reading import read_apart
from app.advance_data.rows import Block
from app.documents.apart import ROOT, ReadingFailedError
from app.kernel.errors import UnavailableError
from tests.advance_data.abi.messages import isf5, isf10, line, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.advance_data.workbooks import workbook
from tests.factories.advance_data import rows

BAD = [good_row(mf_name="a\u202eb", hts="1"), *rows(350)]
FILES = {
    CSV: csv_bytes(BAD),
    XLSX: workbook(BAD),
    NDJSON: b"".join(json.dumps(row).encode() + b"\n" for row in BAD) + b"{\n",
    ABI: message(isf10(), isf5(), [line("SF15", bill_type="BM", bill_number="X"), "SFXX"]),
}


def apart(content: bytes, media_type: str = CSV):
    return read_apart(io.BytesIO(content), media_type, len(content))


def each(given):
    """The rows of what a reader gives, each by itself."""
    for one in given:
        yield from one.rows() if isinstance(one, Block) else (one,)


@pytest.mark.parametrize("media_type", FORMATS)
def test_the_process_apart_gives_what_the_reader_gives(media_type):
    content = FILES[media_type]
    assert media_type_of(content[:4096]) == media_type
    here = list(each(FORMATS[media_type].read(io.BytesIO(content))))
    there = list(apart(content, media_type))
    assert there == here
    assert len(here) == {ABI: 2, NDJSON: 352}.get(media_type, 351)
    assert any(one.faults for one in here)
    assert all(isinstance(one, RawMessage) for one in there) is (media_type == ABI)


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_refusal_comes_across_whole(media_type):
    with pytest.raises(FileRefusedError) as there:
        list(apart(b"no such file", media_type))
    with pytest.raises(FileRefusedError) as here:
        list(FORMATS[media_type].read(io.BytesIO(b"no such file")))
    assert there.value.faults == here.value.faults


def test_the_rows_before_a_broken_place_are_given():
    content = csv_bytes(rows(3)) + b'"open "cell\n'
    there, here = apart(content), each(FORMATS[CSV].read(io.BytesIO(content)))
    assert [next(there) for _ in range(3)] == [next(here) for _ in range(3)]
    with pytest.raises(FileRefusedError):
        next(there)


def child(program: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", f"from app.advance_data.reading import limit\n{program}", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )  # fmt: skip


def test_memory_and_time_are_bounded_in_the_child():
    hungry = child(f"limit(20, {512 << 20})\nx = bytearray({600 << 20})")
    hungry.communicate()
    assert hungry.returncode == 1
    busy = child(f"limit(1, {512 << 20})\nwhile True: pass")
    busy.communicate()
    assert busy.returncode == -24


def test_a_file_that_takes_too_much_memory_is_refused_and_says_so(monkeypatch):
    small = workbook(rows(3))
    noise = random.Random(5)  # noqa: S311
    big = workbook(good_row(mf_address=noise.randbytes(16_000).hex()) for _ in range(1000))
    monkeypatch.setattr(reading, "MEMORY", 128 << 20)
    assert len(list(apart(small, XLSX))) == 3
    with pytest.raises(FileRefusedError) as refusal:
        list(apart(big, XLSX))
    assert refusal.value.faults[0].code == "TOO_MUCH"
    assert "split it" in refusal.value.faults[0].fix


def test_a_file_that_takes_too_much_time_is_refused_and_says_so(monkeypatch):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from app.advance_data.reading import limit; "
        "limit(int(sys.argv[3]), int(sys.argv[4]))\nwhile True: pass"
    )
    monkeypatch.setattr(reading, "_PROGRAM", program)
    monkeypatch.setattr(reading, "SECONDS", 1)
    with pytest.raises(FileRefusedError) as refusal:
        list(apart(csv_bytes(rows(1))))
    assert refusal.value.faults[0].code == "TOO_MUCH"


def test_long_rows_come_through_whatever_letters_they_are_of():
    # A hundred of these in one line, spelt out, would be six times as long as a line may be.
    many = [good_row(mf_address="\u0416" * 32_000, mf_city="\u0416" * 32_000) for _ in range(300)]
    found = list(apart(csv_bytes(many)))
    assert [one.values["mf_city"][-1] for one in found] == ["\u0416"] * 300


def test_all_rows_are_counted_and_the_first_ones_left_out():
    for media_type, content in FILES.items():
        every = list(apart(content, media_type))
        assert reading.count_apart(io.BytesIO(content), media_type, len(content)) == len(every)
        rest = read_apart(io.BytesIO(content), media_type, len(content), after=len(every) - 1)
        assert list(rest) == every[-1:]


def test_a_reader_that_is_stuck_is_stopped_however_large_the_file_is(monkeypatch):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from app.advance_data import reading; "
        "reading.SECONDS = 1; reading.limit(int(sys.argv[3]), int(sys.argv[4])); "
        "reading.Paced(sys.stdin.buffer).readinto(bytearray(10))\nwhile True: pass"
    )
    monkeypatch.setattr(reading, "_PROGRAM", program)
    content = csv_bytes(rows(1))
    with pytest.raises(FileRefusedError) as refusal:
        list(read_apart(io.BytesIO(content), CSV, 900_000_000))
    assert refusal.value.faults[0].code == "TOO_MUCH"


def test_who_reads_on_may_use_more_time():
    program = (
        "import resource, sys; from app.advance_data import reading; "
        "reading.limit(1000, int(sys.argv[1])); paced = reading.Paced(sys.stdin.buffer)\n"
        "while paced.readinto(bytearray(1 << 16)): pass\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    told, _ = child(program, str(512 << 20)).communicate(bytes(5_500_000))
    assert int(told) == reading.SECONDS + 5


def test_the_child_knows_no_secret_and_no_open_file(monkeypatch):
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "postgresql://user:secret@host/db")
    monkeypatch.setenv("FAIRWAY_SECRET_KEY", "secret")
    kept = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(kept, True)
    program = (
        "import json, os, sys; print(json.dumps(['refused', [[0, 0, json.dumps(dict(os.environ)), '', "
        "'', 'error', json.dumps([one for one in os.listdir('/proc/self/fd')]), os.getcwd(), '', '']]]))"
    )
    monkeypatch.setattr(reading, "_PROGRAM", program)
    with pytest.raises(FileRefusedError) as told:
        list(apart(b""))
    os.close(kept)
    fault = told.value.faults[0]
    assert not {name for name in json.loads(fault.record) if name != "LC_CTYPE"}
    assert len(json.loads(fault.value)) <= 4
    assert fault.message == "/"


def test_a_child_says_no_more_at_once_than_it_may(monkeypatch):
    monkeypatch.setattr(reading, "LINE", 100_000)
    said = "import json; print(json.dumps(['skipped', 0, 'x' * {}])); print('[\"done\"]')"
    monkeypatch.setattr(reading, "_PROGRAM", said.format(90_000))
    assert list(apart(b"")) == []
    monkeypatch.setattr(reading, "_PROGRAM", said.format(110_000))
    with pytest.raises(ReadingFailedError, match="more at once"):
        list(apart(b""))


def test_a_line_that_breaks_off_is_not_taken_for_one(monkeypatch):
    program = "import os, sys; sys.stdout.write('[\"rows\", '); sys.stdout.flush(); {}"
    monkeypatch.setattr(reading, "_PROGRAM", program.format("os._exit(3)"))
    with pytest.raises(FileRefusedError) as refusal:
        list(apart(b""))
    assert refusal.value.faults[0].code == "TOO_MUCH"
    monkeypatch.setattr(reading, "_PROGRAM", program.format("os._exit(1)"))
    with pytest.raises(ReadingFailedError):
        list(apart(b""))


def test_the_child_gains_no_rights_and_lets_nobody_look_into_it():
    told = child(
        "import os\nlimit(20, 512 << 20)\nfrom pathlib import Path\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print([line.split() for line in status.splitlines() if 'NoNewPrivs' in line])\n"
        "import ctypes, resource\nprint(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
        "print(resource.getrlimit(resource.RLIMIT_NPROC), resource.getrlimit(resource.RLIMIT_FSIZE))"
    ).communicate()[0]
    assert told.decode().splitlines() == ["[['NoNewPrivs:', '1']]", "0", "(0, 0) (0, 0)"]


def test_a_child_that_dies_for_a_reason_of_ours_is_no_fault_of_the_file(monkeypatch):
    for program in ("import os; os.kill(os.getpid(), 9)", "raise SystemExit(1)", "pass"):
        monkeypatch.setattr(reading, "_PROGRAM", program)
        with pytest.raises(ReadingFailedError):
            list(apart(csv_bytes(rows(1))))


@pytest.mark.parametrize("trouble", [UnavailableError("Gone.", code="x"), TimeoutError()])
def test_a_file_that_breaks_off_is_not_taken_for_a_shorter_one(trouble):
    class Broken(io.RawIOBase):
        def __init__(self):
            self.parts = [csv_bytes(rows(2))]

        def read(self, _size=-1):
            if self.parts:
                return self.parts.pop()
            raise trouble

    with pytest.raises(type(trouble)):
        list(read_apart(Broken(), CSV, 1))


def test_the_child_ends_with_the_generator():
    before = threading.active_count()
    found = apart(csv_bytes(rows(5000)))
    next(found)
    found.close()
    assert threading.active_count() == before
