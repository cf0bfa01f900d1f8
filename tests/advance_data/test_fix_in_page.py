"""A bad file is corrected in the page: nothing typed is lost, nothing is filed twice, no byte is altered."""

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.advance_data import corrections, measured, service
from app.advance_data.models import Batch, FilingFault
from app.advance_data.stored import opened
from app.audit.models import AuditEvent
from app.authz.actor import TraderRole, system_actor
from app.kernel.ids import new_id
from tests.advance_data.abi.messages import isf10, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch, receive, rows
from tests.factories.identity import sign_in
from tests.guards.markup import checked

TEST = system_actor("test")
SSN = "536-90-4399"
WRONG_DIGIT = "CSQU3054384"
RIGHT_DIGIT = "CSQU3054383"
BAD = [
    good_row(filing_ref="BAD-1", container_number=WRONG_DIGIT),
    good_row(filing_ref="BAD-2", container_number=WRONG_DIGIT, quantity="0"),
    good_row(filing_ref="BAD-3", seller_name="", mf_country="CN"),
]


@pytest.fixture
def browser(app, scene):
    client = app.test_client()
    sign_in(client, scene.officer)
    return client


@pytest.fixture
def base(scene):
    return f"/traders/{scene.trader_id}/advance-data"


@pytest.fixture
def bad_file(scene, work_as, run_jobs):
    """Two good rows, three bad ones; rows 3, 4 and 5."""
    with work_as(TEST) as work:
        batch_id = receive(work, scene.trader(work), [*rows(2), *BAD]).id
    run_jobs()
    return batch_id


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def hidden(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)[1]


def post_row(browser, place, values, *, do="file"):
    page = browser.get(place)
    assert page.status_code == 200, page.text[:300]
    data = {
        "csrf_token": hidden(page.text, "csrf_token"),
        "key": hidden(page.text, "key"),
        "do": do,
        **values,
    }
    return browser.post(place, data=data)


def test_the_files_own_rows_are_shown_with_their_cells_marked(browser, base, bad_file):
    page = browser.get(f"{base}/batches/{bad_file}/rows")
    checked(page.text, whole=True)
    told = words(page)
    assert "3 rows are not filed" in told
    assert "2 rows: The last digit of the container number does not fit the rest of it." in told
    assert page.text.count('class="sheet__cell--error"') == 4
    # All errors of a row beside it, not the first.
    assert "This is not a quantity." in told
    only = browser.get(f"{base}/batches/{bad_file}/rows?code=QTY&field=quantity&severity=error")
    assert "1 row is not filed" in words(only)
    assert "BAD-2" in only.text
    assert "BAD-1" not in only.text


def test_a_row_is_corrected_and_filed_and_the_file_stays_as_it_was(
    browser, base, bad_file, scene, work_as, run_jobs
):
    place = f"{base}/batches/{bad_file}/rows/3"
    form = browser.get(place)
    checked(form.text, whole=True)
    assert "does not fit the rest of it" in words(form)
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, bad_file)
        with opened(batch) as stream:
            sent = stream.read()
        before = measured.file_score(work, batch)
    values = {**BAD[0], "container_number": RIGHT_DIGIT}
    done = post_row(browser, place, values)
    assert done.status_code == 303
    assert done.headers["Location"].endswith("/rows/4")
    run_jobs()
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, bad_file)
        with opened(batch) as stream:
            assert stream.read() == sent
        assert (batch.read, batch.accepted, batch.rejected) == (5, 2, 3)
        assert corrections.open_rows(work, batch) == [4, 5]
        [correction] = service.corrections_of(work, bad_file)
        assert (correction.corrects_row, correction.read, correction.accepted) == (3, 1, 1)
        after = measured.file_score(work, batch)
        assert after.now.lowest > before.now.lowest
        assert after.as_sent.lowest == before.now.lowest
        assert (after.figures.rows, after.figures.open) == (5, 2)
    [filing] = [one for one in scene.filings() if one.filing_ref == "BAD-1"]
    assert filing.receipt == f"{correction.reference}-0000001"
    assert filing.content["container_number"] == RIGHT_DIGIT
    events = [one for one in scene.all(AuditEvent) if one.subject_id == correction.id]
    assert sorted(one.tag for one in events) == ["batch:checked", "batch:received", "batch:started"]
    told = next(one.data for one in events if one.tag == "batch:received")
    assert (told["corrects"], told["corrects_row"]) == (str(bad_file), 3)
    # The corrected row is gone from the list, and cannot be opened again.
    assert "BAD-1" not in browser.get(f"{base}/batches/{bad_file}/rows").text
    assert browser.get(place).status_code == 404


def test_a_row_that_is_still_wrong_keeps_what_was_typed_and_files_nothing(
    browser, base, bad_file, scene
):
    place = f"{base}/batches/{bad_file}/rows/4"
    values = {**BAD[1], "container_number": RIGHT_DIGIT, "quantity": "many", "mf_city": "Da Nang"}
    refused = post_row(browser, place, values)
    assert refused.status_code == 422
    checked(refused.text, whole=True)
    for text in (RIGHT_DIGIT, "many", "Da Nang"):
        assert f'value="{text}"' in refused.text
    assert "This is not a quantity." in words(refused)
    assert "does not fit the rest of it" not in words(refused)
    assert len(scene.filings()) == 2
    assert len(scene.batches()) == 1


def test_only_checking_files_nothing(browser, base, bad_file, scene):
    before = len(scene.all(FilingFault))
    values = {**BAD[0], "container_number": RIGHT_DIGIT}
    passed = post_row(browser, f"{base}/batches/{bad_file}/rows/3", values, do="check")
    assert passed.status_code == 200
    assert "The row has no error now. It is not filed yet." in words(passed)
    assert f'value="{RIGHT_DIGIT}"' in passed.text
    assert len(scene.filings()) == 2
    assert len(scene.batches()) == 1
    assert len(scene.all(FilingFault)) == before


def test_the_rules_of_the_register_hold_for_a_corrected_row(browser, base, bad_file, scene):
    place = f"{base}/batches/{bad_file}/rows/3"
    foreign = {**BAD[0], "container_number": RIGHT_DIGIT, "importer_number": "20-390340200"}
    assert "You may not file for this importer number." in words(post_row(browser, place, foreign))
    taken = {**BAD[0], "container_number": RIGHT_DIGIT, "filing_ref": "PO-000001"}
    assert "already a filing with this reference" in words(post_row(browser, place, taken))
    assert len(scene.filings()) == 2


def test_a_form_that_is_sent_twice_files_once(browser, base, bad_file, scene):
    place = f"{base}/batches/{bad_file}/rows/3"
    page = browser.get(place)
    data = {
        "csrf_token": hidden(page.text, "csrf_token"),
        "key": hidden(page.text, "key"),
        "do": "file",
        **BAD[0],
        "container_number": RIGHT_DIGIT,
    }
    assert [browser.post(place, data=data).status_code for _ in range(2)] == [303, 303]
    # Another form, of another tab, is told of the same filing.
    assert browser.post(place, data={**data, "key": str(new_id())}).status_code == 303
    assert len([one for one in scene.filings() if one.filing_ref == "BAD-1"]) == 1
    assert len(scene.batches()) == 2


def test_two_people_who_correct_a_row_at_once_file_it_once(bad_file, scene, work_as):
    def correct(number):
        with work_as(TEST) as work:
            return service.correct_row(
                work,
                scene.trader(work),
                file=work.session.get_one(Batch, bad_file),
                file_row=3,
                line_no=4,
                values={**BAD[0], "container_number": RIGHT_DIGIT, "filing_ref": f"MINE-{number}"},
                key=new_id(),
            ).filing.id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(correct, range(8)))) == 1
    assert len(scene.filings()) == 3


def test_a_personal_number_is_masked_kept_when_left_alone_and_never_shown(
    browser, base, scene_of, app, work_as, run_jobs
):
    scene = scene_of(SSN, "Sole Trader")
    owner = app.test_client()
    sign_in(owner, scene.officer)
    row = good_row(importer_number=SSN, consignee_number=SSN, quantity="0")
    with work_as(TEST) as work:
        batch_id = receive(work, scene.trader(work), [row]).id
    run_jobs()
    where = f"/traders/{scene.trader_id}/advance-data/batches/{batch_id}/rows"
    assert SSN not in owner.get(where).text
    form = owner.get(f"{where}/1")
    assert SSN not in form.text
    masked = hidden(form.text, "importer_number")
    assert masked == "***-**-4399"
    left = {**row, "importer_number": masked, "consignee_number": masked}
    typed = post_row(owner, f"{where}/1", {**left, "consignee_number": "219-09-9998"})
    assert typed.status_code == 422
    assert "219-09-9998" not in typed.text
    assert "Type it again" in words(typed)
    done = post_row(owner, f"{where}/1", {**left, "quantity": "7"})
    assert done.status_code == 303
    [filing] = scene.filings()
    assert filing.importer_shown == "***-**-4399"


def test_a_corrected_workbook_closes_the_rows_that_it_brings(
    browser, base, bad_file, scene, work_as, run_jobs
):
    fixed = [
        good_row(filing_ref="BAD-1"),
        good_row(filing_ref="BAD-2", quantity="0"),
    ]
    page = browser.get(f"{base}/upload?corrects={bad_file}").text
    assert "stand for those of" in page
    sent = browser.post(
        f"{base}/upload",
        data={
            "csrf_token": hidden(page, "csrf_token"),
            "key": hidden(page, "key"),
            "corrects": hidden(page, "corrects"),
            "file": (io.BytesIO(csv_bytes(fixed)), "corrected.csv"),
        },
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303
    run_jobs()
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, bad_file)
        assert corrections.open_rows(work, batch) == [4, 5]
        figures = measured.file_score(work, batch).figures
        assert (figures.rows, figures.open) == (5, 2)
    # A row is brought again by its reference alone, and each filing closes one row at most.
    told = words(browser.get(f"{base}/batches/{bad_file}"))
    assert "2 rows are still to be corrected" in told


def test_when_all_is_corrected_it_is_nobodys_turn(browser, base, bad_file, run_jobs):
    where = f"{base}/batches/{bad_file}"
    assert "Whose turn Yours" in words(browser.get(where))
    for number, row in ((3, BAD[0]), (4, BAD[1]), (5, BAD[2])):
        values = {**row, "container_number": RIGHT_DIGIT, "quantity": "3", "seller_name": "Acme",
                  "mf_country": "VN"}  # fmt: skip
        done = post_row(browser, f"{where}/rows/{number}", values)
        assert done.status_code == 303, words(done)
    assert done.headers["Location"].endswith(str(bad_file))
    run_jobs()
    told = words(browser.get(where))
    assert "Every row is filed" in told
    assert "Whose turn Nobody" in told
    assert "Nothing of this file is left to correct." in words(browser.get(f"{where}/rows"))
    assert browser.get(base).text.count("filings.csv") == 1


def test_messages_and_files_that_were_refused_are_not_corrected_here(browser, base, scene, work_as):
    with work_as(TEST) as work:
        abi = make_batch(
            work,
            scene.trader(work),
            message(isf10(importer_number="20-390340200")),
            media_type="application/vnd.cbp.abi",
        ).id
        good = make_batch(work, scene.trader(work), rows(1)).id
    told = words(browser.get(f"{base}/batches/{abi}"))
    assert "Messages are corrected in the program that made them" in told
    assert "Messages are corrected" not in words(browser.get(f"{base}/batches/{good}"))
    for batch in (abi, good, new_id()):
        assert browser.get(f"{base}/batches/{batch}/rows").status_code == 404
        assert browser.get(f"{base}/batches/{batch}/rows/1").status_code == 404


def test_a_file_that_is_too_large_for_the_page_says_what_to_do_instead(
    browser, base, bad_file, monkeypatch
):
    where = f"{base}/batches/{bad_file}"
    assert "too large" not in words(browser.get(where))
    monkeypatch.setattr("app.advance_data.corrections.MOST_READ", 1)
    told = words(browser.get(where))
    assert "upload a file of these rows alone" in told
    assert "Correct the rows here" not in told
    assert browser.get(f"{where}/rows").status_code == 404


def test_a_good_row_and_one_beyond_the_file_cannot_be_corrected(browser, base, bad_file):
    for number in (0, 1, 6, 99999999):
        assert browser.get(f"{base}/batches/{bad_file}/rows/{number}").status_code == 404


def test_a_viewer_sees_the_rows_and_corrects_none(app, base, bad_file, scene, person_at):
    viewer = app.test_client()
    sign_in(viewer, person_at(scene, TraderRole.VIEWER))
    seen = viewer.get(f"{base}/batches/{bad_file}/rows")
    assert "BAD-1" in seen.text
    assert "Correct row" not in seen.text
    assert viewer.get(f"{base}/batches/{bad_file}/rows/3").status_code in {403, 404}


def test_another_trader_corrects_nothing(app, base, bad_file, scene_of):
    other = scene_of("20-390340200", "Competing Imports LLC")
    stranger = app.test_client()
    sign_in(stranger, other.officer)
    own = f"/traders/{other.trader_id}/advance-data"
    for place in (f"{base}/batches/{bad_file}/rows/3", f"{own}/batches/{bad_file}/rows/3"):
        assert stranger.get(place).status_code == 404
        assert stranger.get(place.removesuffix("/3")).status_code == 404
    assert stranger.get(f"{own}/upload?corrects={bad_file}").status_code == 404


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_accepted_and_rejected_are_the_records_of_the_file_whatever_is_corrected(
    data, scene, work_as
):
    kinds = data.draw(st.lists(st.sampled_from(["good", "bad", "twice"]), min_size=1, max_size=6))
    broken = [number for number, kind in enumerate(kinds, 1) if kind == "bad"]
    mended = data.draw(st.lists(st.sampled_from(broken), max_size=4)) if broken else []
    mark = new_id().hex
    content = [
        good_row(
            filing_ref=f"{mark}-SAME" if kind == "twice" else f"{mark}-{number}",
            container_number=WRONG_DIGIT if kind == "bad" else RIGHT_DIGIT,
        )
        for number, kind in enumerate(kinds)
    ]
    with work_as(TEST) as work:
        batch_id = make_batch(work, scene.trader(work), content).id
    for number in mended:
        with work_as(TEST) as work:
            service.correct_row(
                work,
                scene.trader(work),
                file=work.session.get_one(Batch, batch_id),
                file_row=number,
                line_no=number + 1,
                values={**content[number - 1], "container_number": RIGHT_DIGIT},
                key=new_id(),
            )
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, batch_id)
        left = corrections.open_rows(work, batch)
        figures = service.measure_batch(work, batch)
        family = [batch, *service.corrections_of(work, batch_id)]
        assert all(one.accepted + one.rejected == one.read for one in family)
        assert (batch.read, len(family)) == (len(kinds), 1 + len(set(mended)))
        assert sum(one.accepted for one in family) + len(left) == len(kinds)
        assert (figures.rows, figures.open) == (len(kinds), len(left))
