"""A batch is checked chunk by chunk: what happens between two of them, and who waits for whom."""

import io
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data import service
from app.advance_data.checks import check
from app.advance_data.csv_intake import read_csv
from app.advance_data.faults import Place, Severity, fault_of
from app.advance_data.kinds import kinds_of, with_faults
from app.advance_data.models import Batch
from app.advance_data.service.checking import CHUNK_ROWS
from app.authz.actor import DelegationScope, system_actor
from app.delegations.models import Delegation
from app.delegations.service import revoke
from app.jobs.queue import run_worker
from app.kernel.codes import CodeProblem
from app.traders.models import Trader
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import receive, rows
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.identity import sign_in
from tests.factories.traders import acting

TEST = system_actor("test")


def checked(given_rows):
    return [check(one) for one in read_csv(io.BytesIO(csv_bytes(given_rows)))]


@pytest.fixture
def begun(scene, work_as):
    """A batch of thirty rows that was begun and counted."""
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), rows(30))
        service.start_batch(work, batch)
        service.expect_rows(work, batch, 30)
        return batch.id


def go_on(work_as, batch_id, chunk, after):
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, batch_id)
        return service.check_chunk(work, batch, chunk, after=after)


def finish(work_as, batch_id):
    with work_as(TEST) as work:
        service.finish_batch(work, work.session.get_one(Batch, batch_id))


def test_a_worker_that_was_overtaken_files_nothing(scene, work_as, begun):
    all_rows = checked(rows(30))
    assert go_on(work_as, begun, all_rows[:10], after=0)
    assert not go_on(work_as, begun, all_rows[:10], after=0)
    assert not go_on(work_as, begun, all_rows[20:], after=20)
    assert len(scene.filings()) == 10
    assert go_on(work_as, begun, all_rows[10:], after=10)
    finish(work_as, begun)
    assert not go_on(work_as, begun, all_rows[:1], after=30)
    [batch] = scene.batches()
    assert (batch.state, batch.read, len(scene.filings())) == ("done", 30, 30)


def test_a_batch_is_not_done_before_every_row_of_the_file_is(scene, work_as, begun):
    assert go_on(work_as, begun, checked(rows(29)), after=0)
    with pytest.raises(service.ShortFileError):
        finish(work_as, begun)
    assert [one.state for one in scene.batches()] == ["running"]


def test_a_delegation_revoked_midway_stops_the_rest_and_says_so(work_as):
    with work_as(TEST) as work:
        pair = make_pair(work)
        delegate(work, pair, {DelegationScope.SUBMIT})
        own = replace(work, actor=broker_actor(work, pair.broker_officer))
        trader = work.session.get_one(Trader, pair.trader_id)
        many = rows(30, importer_number="12-345678900")
        batch = receive(own, trader, many)
        service.start_batch(work, batch)
        service.expect_rows(work, batch, 30)
        batch_id = batch.id
    assert go_on(work_as, batch_id, checked(many)[:20], after=0)
    with work_as(TEST) as work:
        found = work.session.query(Delegation).one()
        revoke(acting(work, pair.officer), found, by=work.session.get_one(Trader, pair.trader_id))
    assert go_on(work_as, batch_id, checked(many)[20:], after=20)
    finish(work_as, batch_id)
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, batch_id)
        assert (batch.state, batch.accepted, batch.rejected) == ("done", 20, 10)
        [kind] = kinds_of(batch.kinds)
        assert (kind.code, kind.rows) == ("AUTHORITY", 10)
        assert "ended before this row" in kind.message


def test_files_of_one_trader_are_checked_in_the_order_in_which_they_came(
    scene, work_as, run_jobs, app_url
):
    many = CHUNK_ROWS + 200
    with work_as(TEST) as work:
        receive(work, scene.trader(work), rows(many))
        # Small, so that it would be through long before the first one is.
        receive(work, scene.trader(work), rows(3, start=many - 2, action="R"))
    with ThreadPoolExecutor(max_workers=1) as aside:
        aside.submit(run_worker, app_url, wait=False, concurrency=4).result()
    run_jobs()
    assert [(one.state, one.accepted, one.rejected) for one in scene.batches()] == [
        ("done", many, 0),
        ("done", 3, 0),
    ]


def test_page_and_api_say_how_far_it_is(app, scene, work_as, begun, program_of):
    client = app.test_client()
    sign_in(client, scene.officer)
    place = f"/traders/{scene.trader_id}/advance-data/batches/{begun}"
    bad = [good_row(filing_ref="BAD", hts="1")]
    assert go_on(work_as, begun, checked([*rows(9), *bad]), after=0)
    page = client.get(place).text
    bar = re.search(r"<progress[^>]*>", page)[0]
    assert 'max="30"' in bar
    assert 'value="10"' in bar
    told = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "10 of 30 rows checked" in told
    assert "So far 9 are filed and 1 are not." in told
    assert 'hx-trigger="every 1s"' in page
    given_batch = program_of(scene).get(f"/batches/{begun}").get_json()
    assert {
        name: given_batch[name] for name in ("state", "total", "read", "accepted", "rejected")
    } == {"state": "running", "total": 30, "read": 10, "accepted": 9, "rejected": 1}


def test_before_the_rows_are_counted_the_page_says_why_none_is_filed(app, scene, work_as):
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), rows(3))
        service.start_batch(work, batch)
        place = f"/traders/{scene.trader_id}/advance-data/batches/{batch.id}"
    client = app.test_client()
    sign_in(client, scene.officer)
    assert "read to its end" in client.get(place).text


FAULTS = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from("AB"), st.sampled_from(["hts", ""]), st.booleans()
    ).map(
        lambda one: fault_of(
            CodeProblem(one[1], "m", "f"),
            Place(one[0], one[0]),
            field=one[2],
            severity=Severity.ERROR if one[3] else Severity.WARNING,
        )
    ),
    max_size=20,
).map(lambda found: sorted(found, key=lambda one: one.file_row))


@given(FAULTS, st.integers(0, 5))
def test_faults_are_counted_by_kind_however_they_are_cut_into_chunks(faults, cut):
    kept = with_faults([], [one for one in faults if one.file_row <= cut])
    kept = with_faults(kept, [one for one in faults if one.file_row > cut])
    number = Counter((one.code, one.field, one.severity.value) for one in faults)
    found = kinds_of(kept)
    assert {(one.code, one.field, one.severity): one.faults for one in found} == number
    for one in found:
        kind = (one.code, one.field, one.severity)
        assert one.rows == len(
            {
                fault.file_row
                for fault in faults
                if (fault.code, fault.field, fault.severity.value) == kind
            }
        )
    assert found == sorted(found, key=lambda one: (one.severity, -one.rows, one.code, one.field))
