"""Files that are made whole before they are sent."""

import pytest

from app.web.attachments import written


def test_what_was_written_is_sent_whole_and_closed(app):
    kept = []

    def write(into):
        kept.append(into)
        into.write(b"a,b\r\n" * 2_000_000)

    with app.test_request_context():
        answer = written(write, content_type="text/csv", filename="rows.csv")
        assert answer.content_length == 10_000_000
        assert answer.get_data() == b"a,b\r\n" * 2_000_000
        answer.close()
    assert answer.headers["Content-Disposition"] == "attachment; filename=rows.csv"
    assert kept[0].closed


def test_a_writer_that_fails_leaves_no_file_behind(app):
    kept = []

    def write(into):
        kept.append(into)
        into.write(b"half")
        assert not into.closed
        raise LookupError

    with app.test_request_context(), pytest.raises(LookupError):
        written(write, content_type="text/csv", filename="rows.csv")
    assert kept[0].closed
