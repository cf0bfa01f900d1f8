"""The pages about advance data: who sees them, what they send, what they tell."""

import csv
import io
import re

import pytest
from sqlalchemy import event

from app.authz.actor import TraderRole, system_actor
from app.kernel.ids import new_id
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch, receive, rows
from tests.factories.documents import office
from tests.factories.identity import sign_in
from tests.guards.markup import checked

TEST = system_actor("test")
BAD = [
    good_row(filing_ref="BAD-1", container_number="CSQU3054384"),
    good_row(filing_ref="BAD-2", container_number="CSQU3054384", quantity="0"),
    good_row(filing_ref="BAD-3", mf_name="=HYPERLINK(1)", seller_name="", mf_country="CN"),
]


@pytest.fixture
def browser(app, scene):
    client = app.test_client()
    sign_in(client, scene.officer)
    return client


@pytest.fixture
def base(scene):
    return f"/traders/{scene.trader_id}/advance-data"


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def upload(browser, base, content, name="filings.csv", **fields):
    page = browser.get(f"{base}/upload").text
    data = {
        "csrf_token": re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1],
        "key": re.search(r'name="key"[^>]*value="([^"]+)"', page)[1],
        "file": (io.BytesIO(content), name),
        **fields,
    }
    return browser.post(f"{base}/upload", data=data, content_type="multipart/form-data")


def test_a_file_is_uploaded_checked_and_told_of(browser, base, scene, run_jobs):
    empty = browser.get(base)
    assert "Nothing has been sent yet" in words(empty)
    sent = upload(browser, base, csv_bytes([*rows(2), *BAD]))
    assert sent.status_code == 303
    place = sent.headers["Location"]
    waiting = browser.get(place)
    assert "Waiting to be checked" in words(waiting)
    assert "Reload to see how far it is" in words(waiting)
    assert 'hx-trigger="every 1s"' in waiting.text
    part = browser.get(place, headers={"HX-Request-Type": "partial"})
    assert part.text.lstrip().startswith('<div id="outcome"')
    assert part.text.strip() in waiting.text
    run_jobs()
    done = browser.get(place)
    told = words(done)
    assert "Some rows are not filed" in told
    assert "Whose turn Yours" in told
    assert "hx-trigger" not in done.text
    assert "2 rows: The last digit of the container number does not fit the rest of it." in told
    assert "Upload a corrected file" in told
    listed = words(browser.get(base))
    assert "40.0 % 2 of 5 rows" in listed
    assert "filings.csv" in listed


def test_a_failed_file_says_why_and_what_to_do(browser, base, run_jobs):
    sent = upload(browser, base, csv_bytes(rows(300)) + b'"open')
    run_jobs()
    told = words(browser.get(sent.headers["Location"]))
    assert "The file could not be read" in told
    assert "A quotation mark opens in this line and never closes." in told
    assert "Upload a corrected file" in told


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "empty.csv", "This file is empty."),
        (office("xlsx"), "data.csv", "This is not a workbook that can be read."),
        (b"a;b\n1;2\n", "data.csv", "The columns are not separated by commas."),
        (csv_bytes([]), "data.csv", "The file holds no rows."),
        (b"who,what\n1,2\n", "data.csv", "does not hold the columns of the template: who, what"),
    ],
)
def test_the_wrong_file_is_refused_beside_the_field(browser, base, scene, content, name, message):
    answer = upload(browser, base, content, name)
    assert answer.status_code == 422
    assert message in words(answer)
    assert 'id="file-error"' in answer.text
    assert "Error: Upload advance data" in words(answer)
    assert scene.batches() == []


def test_no_file_at_all_is_said_beside_the_field(browser, base):
    answer = upload(browser, base, b"", "", file="")
    assert answer.status_code == 422
    assert "Choose the file to upload." in words(answer)


def test_a_double_click_uploads_once(browser, base, scene):
    key = str(new_id())
    first = upload(browser, base, csv_bytes(rows(1)), key=key)
    second = upload(browser, base, csv_bytes(rows(1)), key=key)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(scene.batches()) == 1
    spoilt = upload(browser, base, csv_bytes(rows(1)), key="nonsense")
    assert spoilt.status_code == 303


def test_only_the_upload_takes_large_files(browser, base, scene):
    large = csv_bytes(rows(2)) + b"\n" * (28 * 1024 * 1024)
    page = browser.get(f"{base}/upload").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    body = (
        (
            f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--x\r\n'
            'Content-Disposition: form-data; name="file"; filename="large.csv"\r\n\r\n'
        ).encode()
        + large
        + b"\r\n--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x"
    assert browser.post(f"{base}/upload", data=body, content_type=kind).status_code == 303
    other = f"/traders/{scene.trader_id}/sites/new"
    assert browser.post(other, data=body, content_type=kind).status_code == 413


def test_a_viewer_sees_everything_and_why_there_is_no_upload(app, base, scene, person_at, work_as):
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), BAD).id
    client = app.test_client()
    sign_in(client, person_at(scene, TraderRole.VIEWER))
    for path in (base, f"{base}/upload"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Only officers and preparers of the company can upload" in words(page)
        assert 'type="file"' not in page.text
    assert client.get(f"{base}/batches/{batch}").status_code == 200
    assert "Upload a corrected file" not in words(client.get(f"{base}/batches/{batch}"))
    page = client.get(f"{base}/upload").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    answer = client.post(
        f"{base}/upload",
        data={"csrf_token": token, "file": (io.BytesIO(csv_bytes(rows(1))), "x.csv")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 403
    assert len(scene.batches()) == 1


def test_a_preparer_uploads(app, base, scene, person_at):
    client = app.test_client()
    sign_in(client, person_at(scene, TraderRole.PREPARER))
    assert upload(client, base, csv_bytes(rows(1))).status_code == 303
    [batch] = scene.batches()
    assert batch.received_by_name == "Vic preparer"


def test_what_is_foreign_looks_like_what_is_absent(app, base, scene, scene_of, work_as):
    other = scene_of("20-390340200", name="Foreign Freight Inc")
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), [*rows(1), *BAD]).id
    [filing] = scene.filings()
    client = app.test_client()
    sign_in(client, other.officer)
    own = base.replace(str(scene.trader_id), str(other.trader_id))
    paths = ["", "/upload", "/template.csv", "/filings"]
    for place in (base, own):
        for path in (
            *(paths if place == base else ()),
            f"/batches/{batch}",
            f"/batches/{batch}/faults.csv",
            f"/filings/{filing.id}",
            f"/filings/{filing.id}/receipt",
        ):
            foreign = client.get(place + path)
            absent = client.get(re.sub(str(batch), str(new_id()), place + path))
            assert foreign.status_code == absent.status_code == 404
            assert "Harbour Lane" not in foreign.text


def test_the_faults_can_be_filtered_and_downloaded_without_danger(browser, base, scene, work_as):
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), [*rows(1), *BAD]).id
    place = f"{base}/batches/{batch}"
    some = words(browser.get(f"{place}?code=CNTR_CHECK"))
    assert "2 faults, in the order of the file" in some
    assert "Show all" in some
    warnings = words(browser.get(f"{place}?severity=warning"))
    assert "faults, in the order" in warnings or "1 fault, in the order" in warnings
    assert "No fault is of this kind" in words(browser.get(f"{place}?code=NONE"))
    answer = browser.get(f"{place}/faults.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=BT-")
    table = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(table) == len(scene.faults())
    assert not [cell for row in table for cell in row.values() if cell[:1] in "=+-@" and cell]


def test_the_template_is_a_file_that_the_reader_takes(browser, base, scene):
    template = browser.get(f"{base}/template.csv")
    assert template.mimetype == "text/csv"
    sent = upload(browser, base, template.get_data())
    assert sent.status_code == 303


def test_the_example_row_is_good_but_for_the_number_that_is_nobody_s(scene, work_as, browser, base):
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), browser.get(f"{base}/template.csv").get_data())
    assert [one.code for one in scene.faults()] == ["AUTHORITY"]


def test_filings_are_found_and_show_their_history(browser, base, scene, work_as):
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), [*rows(2), good_row()])
        make_batch(work, scene.trader(work), [good_row(action="R", bill_number="COSU697732084371")])
    first, second = scene.filings()[2:]
    for search in ("po-2026", "PO-2026/0417", "COSU697732084371", second.receipt.lower()):
        found = words(browser.get(f"{base}/filings", query_string={"q": search}))
        assert "PO-2026/0417" in found
        assert "PO-000001" not in found
    assert "No filing matches" in words(browser.get(f"{base}/filings?q=%25"))
    older = words(browser.get(f"{base}/filings/{first.id}"))
    assert "A later filing under the same reference counts instead of this one." in older
    newer = words(browser.get(f"{base}/filings/{second.id}"))
    assert "This is what the agency goes by for this reference." in newer
    assert second.sha256 in newer
    assert second.receipt in newer
    receipt = words(browser.get(f"{base}/filings/{second.id}/receipt"))
    assert second.sha256 in receipt
    assert "COSU697732084371" in receipt
    with work_as(TEST) as work:
        make_batch(work, scene.trader(work), [good_row(action="D")])
    assert "Nothing is filed under this reference any more." in words(
        browser.get(f"{base}/filings/{second.id}")
    )


def test_lists_ask_the_database_as_often_for_many_rows_as_for_one(
    browser, base, scene, work_as, engine
):
    def queries(path):
        seen = []
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        assert browser.get(path).status_code == 200
        return len(seen)

    browser.get(base)  # The first request of a session is noted in it.
    counts = []
    for size in (1, 3):
        with work_as(TEST) as work:
            start = 10 * size
            batch = make_batch(work, scene.trader(work), [*rows(size, start=start), *BAD[:size]])
            place = f"{base}/batches/{batch.id}"
        filing = scene.filings()[-1].id
        paths = (base, f"{base}/filings", place, f"{base}/filings/{filing}")
        counts.append([queries(path) for path in paths])
    assert counts[0] == counts[1]


def test_every_page_is_valid_html(browser, base, scene, work_as):
    with work_as(TEST) as work:
        batch = make_batch(work, scene.trader(work), [*rows(30), *BAD * 12]).id
        waiting = receive(work, scene.trader(work), rows(1)).id
    filing = scene.filings()[0].id
    for path in (
        "",
        "/upload",
        f"/batches/{batch}",
        f"/batches/{batch}?code=CNTR_CHECK&page=2",
        f"/batches/{waiting}",
        "/filings",
        "/filings?q=none",
        f"/filings/{filing}",
        f"/filings/{filing}/receipt",
    ):
        checked(browser.get(base + path).text, whole=True)
