"""Lists of codes: how their files are read, which one a batch is judged by, and what its age is."""

import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.advance_data import service
from app.advance_data.abi.reading import read_abi
from app.advance_data.checks import check
from app.advance_data.csv_intake import read_csv
from app.advance_data.lists import CodeList, ListKind, ListRefusedError, known_codes, read_list
from app.advance_data.models import Batch
from app.advance_data.queries import newest_lists
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.kernel.errors import NotReadyError
from tests.advance_data.abi.messages import isf5, isf10, line, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch, receive, rows
from tests.factories.identity import sign_in

TEST = system_actor("test")
DAY = date(2026, 7, 1)
CODES = Path(__file__).resolve().parents[3] / "shared" / "data" / "codes"


def lines(content):
    return io.StringIO(content, newline="")


def load(work_as, kind, codes, *, as_of=DAY, **more):
    with work_as(TEST) as work:
        content = "\n".join(["code", *codes])
        return service.load_list(
            work, ListKind(kind), lines(content), as_of=as_of, filename="list.csv", **more
        ).sha256


@pytest.mark.parametrize(
    ("kind", "content", "codes"),
    [
        ("hs", "section,hscode,description\nI,01,x\nI,0101,x\nI,010121,x\n,TOTAL,x\n", ["010121"]),
        ("hts", "HTS Number,Indent\n0101,0\n0101.21.00,2\n0101.21.00.10,3\n", ["01012100", "0101210010"]),
        ("unlocode", "Change,Country,Location,Name\n,CN,SHA,Shanghai\n,CN,,.CHINA\n", ["CNSHA"]),
        ("unlocode", "\ufefflocode,name\nNLRTM,x\nCNSHA,x\nCNSHA,x\n", ["CNSHA", "NLRTM"]),
        ("schedule-d", "locode,cbp_code,schedule\nUSLAX,2704,D\nCNSHA,57035,K\n", ["2704"]),
        ("schedule-k", "locode,cbp_code,schedule\nUSLAX,2704,D\nCNSHA,57035,K\n", ["57035"]),
        ("firms", "FIRMS Code,Name\nW123,x\n", ["W123"]),
    ],
)  # fmt: skip
def test_files_are_read_as_their_publishers_give_them(kind, content, codes):
    assert read_list(ListKind(kind), lines(content)) == codes


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "first line"),
        ("other\n1", "first line"),
        ("code\n", "no code"),
        ("code\n2704\nABCD\n", "Line 3: 'ABCD'"),
        ("name,code\nx,2704\ny\n", "Line 3 is not a row"),
        ('code\n"27\n', "is not a row"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_with_its_line(content, why):
    with pytest.raises(ListRefusedError) as refusal:
        read_list(ListKind.SCHEDULE_D, lines(content))
    assert why in refusal.value.reasons[0]


def test_the_shared_files_can_be_read():
    if not CODES.exists():
        return
    for kind, name, least in (
        ("hs", "harmonized-system.csv", 5_000),
        ("hts", "hts_sample_ch01.csv", 10),
        ("unlocode", "unlocode-2021-names.csv", 80_000),
        ("schedule-d", "schedule-dk-crosswalk.csv", 50),
        ("schedule-k", "schedule-dk-crosswalk.csv", 500),
    ):
        with (CODES / name).open(encoding="utf-8", newline="") as file:
            assert len(read_list(ListKind(kind), file)) >= least


@given(st.sets(st.text("AB23", min_size=1, max_size=4)), st.text("AB23", min_size=1, max_size=5))
def test_a_list_knows_what_a_set_knows(codes, asked):
    found = CodeList(sorted(codes))
    assert (asked in found) == (asked in codes)
    assert all(one in found for one in codes)


def test_a_batch_goes_by_the_lists_with_which_it_began(scene, work_as):
    load(work_as, "hs", ["850760"])
    first = load(work_as, "unlocode", ["VNSGN"])
    many = rows(20)
    with work_as(TEST) as work:
        batch = receive(work, scene.trader(work), many)
        service.start_batch(work, batch)
        service.expect_rows(work, batch, 20)
        batch_id = batch.id
    second = load(work_as, "unlocode", ["CNSHA"], as_of=DAY + timedelta(days=1))
    with work_as(TEST) as work:
        batch = work.session.get_one(Batch, batch_id)
        # A worker that begins again says so again, and pins nothing anew.
        service.expect_rows(work, batch, 20)
        assert {one.kind: one.sha256 for one in batch.judged_by}[ListKind.UNLOCODE] == first
        known = service.codes_for(work.session, batch)
        found = [check(one, known) for one in read_csv(io.BytesIO(csv_bytes(many)))]
        service.check_chunk(work, batch, found, after=0)
        service.finish_batch(work, batch)
        assert (batch.accepted, batch.warnings) == (20, 0)
        later = make_batch(work, scene.trader(work), rows(1, start=100))
        assert {one.kind: one.sha256 for one in later.judged_by}[ListKind.UNLOCODE] == second
        assert later.warnings == 1
    assert [(one.code, one.field) for one in scene.faults()] == [("PORT_UNKNOWN", "port_lading")]


def test_a_message_is_held_against_every_list_that_it_names_codes_of():
    [ten] = read_abi(io.BytesIO(message(isf10())))
    listed = {"HS": ["850650", "850760"], "FIRMS": ["Y123"], "UNLOCODE": ["CAHAL", "CATOR"]}
    for five_in, all_known, none_known in (
        ("UN", listed, {"HS": ["010121"], "FIRMS": ["A000"], "UNLOCODE": ["CNSHA"]}),
        ("K", {**listed, "SCHEDULE_K": ["12345", "54321"]}, {"SCHEDULE_K": ["11111"]}),
    ):
        route = isf5()
        if five_in == "K":
            route[-1] = line("SF50", unlading_qualifier="K", port_unlading="12345",
                             delivery_qualifier="K", place_of_delivery="54321")  # fmt: skip
        [five] = read_abi(io.BytesIO(message(route)))
        for lists, warned in (
            (all_known, []),
            ({}, []),
            (
                none_known,
                [("PORT_UNKNOWN", "port_unlading"), ("PORT_UNKNOWN", "place_of_delivery")],
            ),
        ):
            known = known_codes({ListKind[kind]: codes for kind, codes in lists.items()})
            found = check(five, known)
            assert found.filing is not None
            ports = [(one.code, one.field) for one in found.faults if one.code != "HS_UNKNOWN"]
            assert ports == warned
            assert {one.severity.value for one in found.faults} <= {"warning"}
    known = known_codes({ListKind.HS: ["010121"], ListKind.FIRMS: ["A000"]})
    found = check(ten, known)
    assert found.filing is not None
    assert {(one.code, one.record) for one in found.faults} == {
        ("HS_UNKNOWN", "SF40"), ("FIRMS_UNKNOWN", "SF30"),
    }  # fmt: skip
    known = known_codes({ListKind.HS: listed["HS"], ListKind.FIRMS: ["Y123"]})
    assert check(ten, known).faults == ()


def test_a_list_is_switched_whole_and_only_forward(work_as):
    load(work_as, "schedule-d", ["2704", "4601", "1001"])
    for codes, as_of, code in (
        (["2704", "4601"], DAY - timedelta(days=1), "older"),
        (["2704"], DAY, "shrunk"),
        (["2704", "4601"], date(2027, 1, 1), "future"),
    ):
        with pytest.raises(NotReadyError) as refusal:
            load(work_as, "schedule-d", codes, as_of=as_of)
        assert [one.code for one in refusal.value.problems] == [code]
    load(work_as, "schedule-d", ["2704"], shrink=True)
    with work_as(TEST) as work:
        newest = newest_lists(work.session)
        assert {kind: one.number for kind, one in newest.items()} == {ListKind.SCHEDULE_D: 1}
        events = (
            work.session.query(AuditEvent).filter_by(tag="reference:loaded").order_by(AuditEvent.id)
        )
        assert [one.data["number"] for one in events] == [3, 1]


def test_a_list_is_altered_by_nobody(work_as, super_engine):
    load(work_as, "hs", ["850760"])
    with pytest.raises(DBAPIError, match="append-only"), super_engine.begin() as connection:
        connection.execute(text("UPDATE reference_list SET codes = ''"))


def test_page_and_api_say_by_which_lists_and_how_old(app, scene, work_as, program_of, run_jobs):
    digest = load(work_as, "hs", ["010121"])
    with work_as(TEST) as work:
        batch_id = receive(work, scene.trader(work), rows(2)).id
    run_jobs()
    client = app.test_client()
    sign_in(client, scene.officer)
    page = client.get(f"/traders/{scene.trader_id}/advance-data/batches/{batch_id}").text
    told = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "not in our list of that day: Harmonized System" in told
    assert "(146 days old)" in told
    assert "Judged by the lists Harmonized System" in told
    found = program_of(scene).get(f"/batches/{batch_id}").get_json()
    assert found["judged_by"] == [{"kind": "hs", "as_of": "2026-07-01", "sha256": digest}]
    one = program_of(scene).file(good_row(filing_ref="ONE")).get_json()
    assert [warning["code"] for warning in one["warnings"]] == ["HS_UNKNOWN"]
