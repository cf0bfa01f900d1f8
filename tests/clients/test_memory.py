"""A program that is started again, and one that follows the feed: nothing comes back, nothing grows."""

import json
import subprocess
import sys
import time

import pytest
from fairway_client import Account, Fairway, LocalCopy

from tests.clients.lying_server import ASKED, CLIENT_ID, LyingServer, fed, http, listed

OTHER = ("ior", "98-765432100")
PARTNER = "0192f1f0-0000-7000-8000-000000000001"


def asking(server, path=None, **options):
    account = Account(CLIENT_ID, "secret", f"{server.address}/oauth/token", server.address)
    return Fairway(account, keys=server.public_keys, memory=path, **options)


def told(seq, **claims):
    return lambda s: http(s.signed(s.claims(seq=seq, **claims)))


def list_of(**claims):
    return lambda s: listed(s.signed(s.list_claims(**claims), typ="statuslist+jwt"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seen.json"


@pytest.mark.parametrize("remembers", [True, False])
def test_an_answer_of_before_the_restart_is_believed_by_a_program_without_a_memory_alone(
    path, remembers
):
    kept = path if remembers else None
    with LyingServer() as server:
        server.lie = told(42, answer="not_active")
        assert asking(server, kept).status(*ASKED).answer == "not_active"
        server.lie = told(41)
        answer = asking(server, kept).status(*ASKED)
    assert (answer.answer, answer.why) == (("unknown", "rollback") if remembers else ("active", ""))
    assert answer.grants("security") is not remembers


@pytest.mark.parametrize("remembers", [True, False])
def test_a_list_of_before_the_restart_is_taken_by_a_program_without_a_memory_alone(path, remembers):
    kept = path if remembers else None
    now = int(time.time())
    with LyingServer() as server:
        server.list_lie = list_of(entries={41: 2})
        assert LocalCopy(asking(server, kept)).refresh() == ""
        server.list_lie = list_of(iat=now - 300, exp=now + 600)
        copy = LocalCopy(asking(server, kept))
        copy.status(*ASKED)
        assert copy.refresh() == ("rollback" if remembers else "")
        server.lie = lambda _: b""
        assert copy.status(*ASKED).grants("security") is not remembers


def test_what_was_seen_is_on_the_disk_before_the_answer_is_given(path):
    """The program ends without a word as soon as it has its answer."""
    program = """
import os, sys
from fairway_client import Account, Fairway
import json
at, keys, path = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
account = Account("release-system", "secret", at + "/oauth/token", at)
if Fairway(account, keys=keys, deadline=10, memory=path).status("ior", "12-345678900").answer == "active":
    os._exit(9)
"""
    with LyingServer() as server:
        server.lie = told(77)
        ended = subprocess.run(
            [
                sys.executable,
                "-c",
                program,
                server.address,
                json.dumps(server.public_keys),
                str(path),
            ],
            check=False,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        assert ended.returncode == 9
        assert asking(server, path).newest == 77


def test_programs_that_share_a_memory_know_what_any_of_them_has_seen(path):
    with LyingServer() as server:
        one, other = asking(server, path), asking(server, path)
        server.lie = told(50)
        one.status(*ASKED)
        server.lie = told(45)
        assert other.status(*ASKED).answer == "active"
        assert other.newest == 50
        assert other.status(*ASKED).why == "rollback"
        assert json.loads(path.read_text())["seq"] == 50


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"seq": 1}', "\x00" * 40]
    + [
        json.dumps({"issuer": "HERE", "seq": 41, "listed_at": 0, **changed})
        for changed in (
            {"issuer": "https://elsewhere.example"},
            {"seq": -1},
            {"seq": True},
            {"seq": "41"},
            {"listed_at": 1.5},
            {"listed_at": None},
            {"more": 1},
        )
    ],
)
def test_a_memory_that_is_not_ours_stops_the_start(path, text):
    with LyingServer() as server:
        path.write_text(text.replace("HERE", server.address))
        with pytest.raises(ValueError, match=r"memory|installation|JSON|Expecting"):
            asking(server, path)


def test_without_a_place_to_remember_nothing_is_relied_on(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with LyingServer() as server:
        fairway = asking(server, folder / "seen.json")
        folder.rmdir()
        answer = fairway.status(*ASKED)
        assert (answer.answer, answer.why) == ("unknown", "memory")
        assert LocalCopy(fairway).refresh() == "memory"
        assert fairway.newest == 0


# Following the feed.


def change(seq, partner_id=PARTNER):
    return {"seq": seq, "partner_id": partner_id, "kind": "standing", "at": "2026-11-24T12:00:00Z"}


def page(*changes, after=41, head=None, **changed):
    until = after + len(changes)
    return fed(
        {
            "changes": list(changes),
            "next": until,
            "head": until if head is None else head,
            **changed,
        }
    )


def kept_copy(server):
    """A copy with one answer, as of change 41, that a list lets stand."""
    copy = LocalCopy(asking(server))
    assert copy.status(*ASKED).grants("security", tier=3)
    assert copy.refresh() == ""
    return copy


def test_what_the_feed_names_is_asked_again(path):
    with LyingServer() as server:
        copy = kept_copy(server)
        server.feed = lambda _: page(change(42, "another"), change(43))
        server.lie = told(43, answer="not_active")
        asked = len(server.asked)
        assert copy.follow() == ""
        assert [one for one in server.asked[asked:] if "/partners/" in one] != []
        server.lie = lambda _: b""
        assert copy.status(*ASKED).answer == "unknown"
        server.feed = lambda _: page(after=43)
        assert copy.follow() == ""
        assert "after=43" in server.asked[-1]


def test_a_new_version_stands_by_the_next_list(path):
    """Without the feed the list would have ended the old version, and nobody had the new one."""
    with LyingServer() as server:
        copy = kept_copy(server)
        server.feed = lambda _: page(change(42))
        reference = {"idx": 42, "uri": f"{server.address}/api/v1/status-list"}
        server.lie = told(42, status={"status_list": reference})
        assert copy.follow() == ""
        server.list_lie = list_of(seq=42, entries={42: 0})
        assert copy.refresh() == ""
        server.lie = lambda _: b""
        assert copy.status(*ASKED).why == "kept"


def test_whom_the_feed_does_not_name_is_not_asked_again():
    with LyingServer() as server:
        copy = kept_copy(server)
        server.feed = lambda _: page(change(42, "another"))
        asked = len(server.asked)
        assert copy.follow() == ""
        assert [one for one in server.asked[asked:] if "/partners/" in one] == []


def test_a_feed_that_hides_a_change_lets_nothing_stand():
    with LyingServer() as server:
        copy = kept_copy(server)
        server.feed = lambda _: page(change(42, "another"))
        assert copy.follow() == ""
        server.list_lie = list_of(seq=42, entries={42: 0})
        assert copy.refresh() == ""
        server.lie = lambda _: b""
        assert not copy.status(*ASKED).grants("security")


FEED_LIES = {
    "a gap": page(change(43), next=43),
    "a change twice": page(change(42), change(42)),
    "backwards": page(change(43), change(42)),
    "from the beginning": page(change(1), next=1),
    "an end behind its changes": page(change(42), next=41),
    "an end before its changes": page(change(42), next=50, head=50),
    "a head behind the end": page(change(42), head=41),
    "more to come and nothing brought": page(head=99),
    "numbers as text": page({**change(42), "seq": "42"}),
    "numbers as truth": page({**change(42), "seq": True}, after=0),
    "a partner that is no text": page({**change(42), "partner_id": 7}),
    "a partner without a name": page({**change(42), "partner_id": ""}),
    "a partner that is a list": page({**change(42), "partner_id": []}),
    "no partner": page({"seq": 42}),
    "no changes": fed({"next": 41, "head": 41}),
    "changes that are none": fed({"changes": "none", "next": 41, "head": 41}),
    "a list instead": fed([]),
    "no head": fed({"changes": [], "next": 41}),
    "not JSON": http(b"<html>all well</html>", media="application/json"),
    "a page of another kind": http(b"{}", media="text/html"),
    "an error": http(b"{}", status="503 Busy", media="application/json"),
    "half a page": page(change(42))[:-10],
    "silence": b"",
}


@pytest.mark.parametrize("name", FEED_LIES)
def test_a_lie_of_the_feed_moves_nothing(name):
    with LyingServer() as server:
        copy = kept_copy(server)
        server.feed = lambda _: FEED_LIES[name]
        assert copy.follow() in {"shape", "media", "refused", "transport"}
        newest = copy._fairway.newest  # noqa: SLF001 - whether the feed has moved it.
        assert newest == 41
        server.feed = lambda _: page(change(42))
        server.lie = told(42, answer="not_active")
        assert copy.follow() == ""
        server.lie = lambda _: b""
        assert not copy.status(*ASKED).grants("security")
