"""Scores, times and follow-ups on the real database, and who sees them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.advance_data import measured, service
from app.advance_data.models import Batch, BatchQuality, Filing, VoyageReport
from app.advance_data.scoring import read_figures
from app.advance_data.service import reminding
from app.audit.models import AuditEvent
from app.authz.actor import TraderRole, system_actor
from app.kernel.errors import NotReadyError
from app.kernel.identifiers import Scheme
from app.kernel.ids import new_id
from app.notifications.models import Message
from app.traders.models import Trader
from tests.advance_data.abi.messages import FILER, PARTIES, deletion, header, isf10, line, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch, receive, rows
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.identity import sign_in
from tests.factories.traders import add_identifier
from tests.guards.markup import checked

TEST = system_actor("test")
ABI = "application/vnd.cbp.abi"
SOON = "2026-12-01"


@pytest.fixture
def browser(app, scene):
    client = app.test_client()
    sign_in(client, scene.officer)
    return client


@pytest.fixture
def base(scene):
    return f"/traders/{scene.trader_id}/advance-data"


@pytest.fixture
def send(scene, work_as, run_jobs):
    """A file, checked and counted by the worker; its batch's id."""

    def sent(content, **facts):
        with work_as(TEST) as work:
            batch_id = receive(work, scene.trader(work), content, **facts).id
        run_jobs()
        return batch_id

    return sent


@pytest.fixture
def figures(work_as):
    """What is kept of a file, and that counting it again gives the same."""

    def read(batch_id):
        with work_as(TEST) as work:
            kept = work.session.get_one(BatchQuality, batch_id)
            found = read_figures(kept.figures)
            again = service.measure_batch(work, work.session.get_one(Batch, batch_id))
            assert again == found
            return found

    return read


def words(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def counts(figures):
    return {
        one.value: (count.good, count.unknown, count.due) for one, count in figures.parts.items()
    }


def flexible(reason="FT", bill="MAEU123456789012", **changes):
    """A filing that leaves stuffing location and consolidator open."""
    return [
        header(action_reason=reason, **changes),
        line("SF15", bill_type="BM", bill_number=bill),
        line("SF20", reference_qualifier="CR", reference="PO48213"),
        *(one for name, lines in PARTIES.items() if name not in {"LG", "CS"} for one in lines),
    ]


def test_a_file_is_counted_row_by_row(send, figures):
    bad = good_row(filing_ref="BAD-1", container_number="CSQU3054384", etd=SOON)
    empty = good_row(filing_ref="BAD-2", seller_name="", hts="", etd=SOON)
    odd = good_row(filing_ref="ODD", mf_country="CN", country_of_origin="CN", etd=SOON)
    batch = send([*rows(3, etd=SOON), *rows(1, start=4), bad, empty, odd])
    found = figures(batch)
    assert (found.rows, found.open, found.late) == (7, 2, 1)
    assert counts(found) == {
        "completeness": (68, 0, 70),
        "validity": (6, 0, 7),
        "consistency": (4, 2, 7),
        "timeliness": (4, 2, 7),
        "stability": (3, 2, 7),
    }


def test_an_empty_file_has_no_score(send, scene, work_as):
    batch = send(csv_bytes([]))
    with work_as(TEST) as work:
        assert work.session.get(BatchQuality, batch) is None
        assert measured.agency_report(work, scene.trader(work)).score is None


def test_replacing_what_a_filing_is_about_costs_stability(send, figures):
    send(rows(2, etd=SOON))
    same = good_row(filing_ref="PO-000001", action="R", quantity="713", etd=SOON)
    other = good_row(filing_ref="PO-000002", action="R", mf_name="Danang Cell Works", etd=SOON)
    gone = good_row(filing_ref="PO-000001", action="D")
    assert counts(figures(send([same, other, gone])))["stability"] == (2, 0, 3)


def test_a_flexible_filing_owes_until_it_is_completed(
    send, figures, scene, work_as, clock, run_jobs
):
    batch = send(message(flexible()), media_type=ABI)
    assert counts(figures(batch))["completeness"] == (8, 2, 10)
    assert counts(figures(batch))["timeliness"] == (0, 2, 2)
    [filing] = scene.filings()
    tell(work_as, filing.id, clock.now() + timedelta(days=2), clock.now() + timedelta(days=9))
    run_jobs()
    assert counts(figures(batch))["completeness"] == (8, 0, 8)
    assert counts(figures(batch))["timeliness"] == (1, 0, 1)
    with work_as(TEST) as work:
        [owed] = measured.owed_by_all(work)
        assert (owed.times.owed, owed.overdue) == ("FT", False)
        assert owed.due_at == clock.now() + timedelta(days=8)
        kept = work.session.get_one(BatchQuality, batch)
        assert kept.changes_at == owed.due_at
    clock.advance(timedelta(days=8, seconds=1))
    with work_as(TEST) as work:
        [owed] = measured.owed_by_all(work)
        assert owed.overdue
        found = service.measure_batch(work, work.session.get_one(Batch, batch))
    assert counts(found)["completeness"] == (8, 0, 10)
    assert (counts(found)["timeliness"], found.overdue) == ((1, 0, 2), 1)
    complete = isf10(action="R", action_reason="CT", transaction_number=filing.filing_ref)
    send(message(complete), media_type=ABI)
    with work_as(TEST) as work:
        assert measured.owed_by_all(work) == []
    # The file whose filing was completed was counted anew: complete now, and late.
    found = figures(batch)
    assert counts(found)["completeness"] == (10, 0, 10)
    assert (counts(found)["timeliness"], found.overdue, found.late) == ((1, 0, 2), 0, 1)


def test_a_withdrawn_filing_owes_nothing(send, scene, work_as):
    send(message(flexible("FX")), media_type=ABI)
    [filing] = scene.filings()
    with work_as(TEST) as work:
        assert len(measured.owed_by_all(work)) == 1
    send(message(deletion(filing.filing_ref)), media_type=ABI)
    with work_as(TEST) as work:
        assert measured.owed_by_all(work) == []


def tell(work_as, filing_id, departs_at, arrives_at, key=None):
    with work_as(TEST) as work:
        filing = work.session.get_one(Filing, filing_id)
        return service.tell_voyage(
            work,
            filing,
            departs_at=departs_at,
            arrives_at=arrives_at,
            key=key or new_id(),
        ).id


def test_a_report_of_a_voyage_is_kept_once_and_never_altered(send, scene, work_as, clock):
    send(rows(1))
    [filing] = scene.filings()
    key, now = new_id(), clock.now()
    assert tell(work_as, filing.id, now, None, key) == tell(work_as, filing.id, now, None, key)
    told = [one for one in scene.all(AuditEvent) if one.tag == "filing:voyage-told"]
    assert len(scene.all(VoyageReport)) == len(told) == 1
    with work_as(TEST) as work, pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        work.session.execute(text("UPDATE voyage_report SET told_by_name = 'x'"))
    for departs, arrives in ((None, None), (now, now), (now, now - timedelta(days=1))):
        with pytest.raises(NotReadyError):
            tell(work_as, filing.id, departs, arrives)
    assert len(scene.all(VoyageReport)) == 1


def test_a_told_departure_decides_and_a_report_on_a_deleted_filing_does_not_live_on(
    send, figures, scene, work_as, clock, run_jobs
):
    batch = send(rows(1))
    assert figures(batch).late == 1
    [filing] = scene.filings()
    tell(work_as, filing.id, clock.now() + timedelta(days=2), None)
    run_jobs()
    assert (figures(batch).late, counts(figures(batch))["timeliness"]) == (0, (1, 0, 1))
    clock.advance(timedelta(hours=1))
    send([good_row(filing_ref="PO-000001", action="D")])
    again = send(rows(1))
    assert figures(again).late == 1


def test_only_the_worker_writes_a_score(send, scene, work_as, super_engine):
    batch = send(rows(1))
    with super_engine.begin() as opened:
        held = opened.execute(
            text(
                "SELECT has_table_privilege('fairway_portal', 'batch_quality', 'INSERT'),"
                " has_table_privilege('fairway_portal', 'batch_quality', 'UPDATE'),"
                " has_table_privilege('fairway_api', 'batch_quality', 'SELECT')"
            )
        ).one()
    assert tuple(held) == (False, False, False)
    assert batch


# ---- Letters ----


def letters(scene):
    return [one for one in scene.all(Message, Message.created_at) if one.template == "follow-up"]


def remind(work_as):
    with work_as(TEST) as work:
        return reminding.remind(work, measured.owed_by_all(work))


def test_whoever_owes_something_is_written_to_once_in_each_stage(send, scene, work_as, clock):
    send(message(flexible("FX")), media_type=ABI)
    [filing] = scene.filings()
    assert remind(work_as) == 0
    clock.advance(timedelta(days=3))
    assert (remind(work_as), remind(work_as)) == (1, 0)
    tell(work_as, filing.id, None, clock.now() + timedelta(days=10))
    assert remind(work_as) == 0
    clock.advance(timedelta(days=6))
    assert (remind(work_as), remind(work_as)) == (1, 0)
    clock.advance(timedelta(days=3, seconds=1))
    assert (remind(work_as), remind(work_as)) == (1, 0)
    found = letters(scene)
    assert [one.subject.partition(":")[0] for one in found] == [
        "Tell when your ship arrives",
        "A filing has to be completed soon",
        "A filing is overdue",
    ]
    assert {one.recipient for one in found} == {scene.officer.email}
    assert filing.filing_ref in found[-1].body
    assert f"/traders/{scene.trader_id}/advance-data/owed" in found[-1].body


def test_a_complete_or_withdrawn_filing_brings_no_letter(send, scene, work_as, clock):
    send(message(flexible()), media_type=ABI)
    [filing] = scene.filings()
    tell(work_as, filing.id, None, clock.now() + timedelta(days=2))
    complete = isf10(action="R", action_reason="CT", transaction_number=filing.filing_ref)
    send(message(complete), media_type=ABI)
    clock.advance(timedelta(days=30))
    assert remind(work_as) == 0
    assert letters(scene) == []


def test_the_officers_of_the_broker_that_filed_it_are_written_to_as_well(work_as, clock):
    with work_as(TEST) as work:
        pair = make_pair(work)
        delegate(work, pair)
        broker = work.session.get_one(Trader, pair.broker_id)
        add_identifier(work, broker, Scheme.FILER, FILER, verified=True)
    with work_as(TEST) as work:
        own = replace(work, actor=broker_actor(work, pair.broker_officer))
        make_batch(
            own, work.session.get_one(Trader, pair.trader_id), message(flexible()), media_type=ABI
        )
    clock.advance(timedelta(days=4))
    with work_as(TEST) as work:
        assert reminding.remind(work, measured.owed_by_all(work)) == 2
        told = {
            one.recipient
            for one in work.session.scalars(select(Message))
            if one.template == "follow-up"
        }
    assert told == {pair.officer.email, pair.broker_officer.email}


# ---- Pages ----


def test_the_pages_show_the_score_what_it_is_made_of_and_what_to_mend(browser, base, send):
    assert "There is no score yet" in words(browser.get(f"{base}/quality"))
    bad = [
        good_row(filing_ref=f"BAD-{number}", container_number="CSQU3054384", etd=SOON)
        for number in range(4)
    ]
    send([*rows(6, etd=SOON), *bad])
    page = browser.get(f"{base}/quality")
    assert page.status_code == 200
    checked(page.text, whole=True)
    told = words(page)
    # 30 + 18 + (12 to 20) + (9 to 15) + (3 to 5), less five doubled rows of the same content.
    assert "Score" in told
    assert "What to put right first" in told
    assert "The last digit of the container number does not fit the rest of it." in told
    assert "<svg" in page.text
    assert "The company itself" in told


def test_a_filing_says_whether_it_came_in_time_and_takes_the_dates(browser, base, send, scene):
    send(rows(1))
    [filing] = scene.filings()
    place = f"{base}/filings/{filing.id}"
    page = browser.get(place)
    checked(page.text, whole=True)
    assert "Late" in words(page)
    form = browser.get(f"{place}/voyage")
    checked(form.text, whole=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)[1]
    key = re.search(r'name="key"[^>]*value="([^"]+)"', form.text)[1]
    data = {"csrf_token": token, "key": key, "departs_at": "2026-12-20T08:00", "arrives_at": "soon"}
    refused = browser.post(f"{place}/voyage", data=data)
    assert refused.status_code == 422
    assert "2026-12-20T08:00" in refused.text
    assert 'value="soon"' in refused.text
    done = browser.post(f"{place}/voyage", data={**data, "arrives_at": "2026-12-30 10:00"})
    assert done.status_code == 303
    told = words(browser.get(place))
    assert "On time" in told
    assert "19 CFR 149.2(b)(2)" in told
    assert "told by" in told


def test_what_is_owed_is_listed_with_its_date_and_whose_turn_it_is(
    browser, base, send, scene, work_as, clock
):
    assert "Nothing is owed" in words(browser.get(f"{base}/owed"))
    send(message(flexible(), flexible("FX", "MAEU2")), media_type=ABI)
    one, _ = scene.filings()
    tell(work_as, one.id, None, clock.now() + timedelta(hours=12))
    page = browser.get(f"{base}/owed")
    checked(page.text, whole=True)
    told = words(page)
    assert "Overdue" in told
    assert "Not known: no arrival was told." in told
    assert told.index("Overdue") < told.index("no arrival was told")
    assert "Yours" in told
    assert "Whose turn Yours" in words(browser.get(f"{base}/filings/{one.id}"))


def test_a_viewer_sees_and_does_not_tell(app, base, send, scene, person_at):
    send(rows(1))
    [filing] = scene.filings()
    viewer = app.test_client()
    sign_in(viewer, person_at(scene, TraderRole.VIEWER))
    assert viewer.get(f"{base}/quality").status_code == 200
    assert "Tell when the ship" not in words(viewer.get(f"{base}/filings/{filing.id}"))
    assert viewer.get(f"{base}/filings/{filing.id}/voyage").status_code in {403, 404}


def test_another_trader_sees_none_of_it(app, base, send, scene, scene_of):
    send(rows(1))
    [filing] = scene.filings()
    other = scene_of("20-390340200", "Competing Imports LLC")
    stranger = app.test_client()
    sign_in(stranger, other.officer)
    absent = stranger.get(f"/traders/{new_id()}/advance-data/quality")
    for path in ("quality", "owed", f"filings/{filing.id}/voyage"):
        assert stranger.get(f"{base}/{path}").status_code == absent.status_code == 404
    own = f"/traders/{other.trader_id}/advance-data/filings/{filing.id}"
    assert stranger.get(f"{own}/voyage").status_code == 404
