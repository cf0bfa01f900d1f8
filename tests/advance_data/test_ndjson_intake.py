"""NDJSON: the rows of the same CSV file, and a bad line refuses itself alone."""

import io
import json

import pytest

from app.advance_data.csv_intake import FileRefusedError, Limits
from app.advance_data.ndjson_intake import LINE, read_ndjson
from app.advance_data.rules import check_row
from tests.advance_data.sample_rows import good_row


def read(content: bytes, limits: Limits | None = None):
    return list(read_ndjson(io.BytesIO(content), limits))


def lines(*rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_each_line_is_a_row_with_its_line():
    rows = [good_row(), good_row(filing_ref="2") | {"quantity": 712, "mid": None}]
    found = read(b"\xef\xbb\xbf" + lines(rows[0]) + b"\r\n \n" + lines(rows[1]).rstrip())
    assert [(one.file_row, one.line_no) for one in found] == [(1, 1), (2, 4)]
    assert all(check_row(one).faults == () for one in found)
    assert found[1].values["quantity"] == "712"


BAD = [
    b"{", b"[]", b'"x"', b"null", b"{}}", b'{"hts": "1", "hts": "2"}', b'{"unknown": 1}',
    b'{"hts": {}}', b'{"hts": NaN}', b'{"hts": "\xff"}', b'{"on_behalf_of": "x"}', b"x" * 500,
    b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_line_refuses_itself_alone(bad):
    before, row, after = map(check_row, read(lines(good_row()) + bad + b"\n" + lines(good_row())))
    assert before.faults == after.faults == ()
    assert row.filing is None
    assert [(one.line_no, one.field, one.code) for one in row.faults] == [(2, "", "JSON")]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "EMPTY"), (b" \n\n", "EMPTY"), (b"[\n{}\n]", "FORMAT"), (b"a,b\n", "FORMAT"),
     (b"{" + b" " * LINE + b"}", "RECORD_LENGTH")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(content, code):
    with pytest.raises(FileRefusedError) as refusal:
        read(content)
    assert refusal.value.faults[0].code == code


def test_limits():
    content = lines(good_row(), good_row())
    assert len(read(content, Limits(file_bytes=len(content), rows=2))) == 2
    for limits in (Limits(file_bytes=len(content) - 1), Limits(rows=1)):
        with pytest.raises(FileRefusedError):
            read(content, limits)
