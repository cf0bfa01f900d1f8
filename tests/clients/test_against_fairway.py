"""The reference client and the real service, over a real socket."""

import threading
from datetime import timedelta

import pytest
from fairway_client import Account, Answer, Fairway, LocalCopy, fetch_keys
from werkzeug.serving import make_server

from app.authz.actor import system_actor
from app.identity.service import create_client
from tests.factories.register import decide, make_partner, suspend_urgently

IOR = "12-345678900"


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def account(app, address, settings, work_as):
    with work_as(system_actor("test")) as work:
        row, secret = create_client(
            work, name="Release system", scopes=("status:read", "feed:read")
        )
        client_id = row.client_id
    return Account(client_id, secret, f"{address}/oauth/token", address, settings.address)


@pytest.fixture
def fairway(account, address, clock):
    # The service lives in the tests' fixed time, so the client has to.
    return Fairway(
        account, keys=fetch_keys(address), deadline=10, clock=lambda: clock.now().timestamp()
    )


def test_a_partner_is_granted_what_it_holds_until_it_is_suspended(fairway, work_as):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    told = fairway.status("ior", IOR)
    assert told.grants("security", tier=2), told
    assert not told.grants("security", tier=3)
    seen = fairway.newest
    suspend_urgently(work_as, partner_id)
    told = fairway.status("ior", IOR)
    assert (told.answer, told.why) == ("not_active", "")
    assert not told.grants("security")
    assert fairway.newest > seen


def test_nobody_is_a_signed_no(fairway):
    told = fairway.status("ior", IOR)
    assert (told.answer, told.why) == ("not_a_partner", "")


def test_an_answer_for_one_program_is_no_proof_to_another(
    fairway, account, address, work_as, clock
):
    make_partner(work_as, f"ior:{IOR}", tier=2)
    other = Fairway(
        Account(account.client_id, "wrong", account.token_url, account.base_url, account.issuer),
        keys=fetch_keys(address),
        deadline=10,
        clock=lambda: clock.now().timestamp(),
    )
    assert other.status("ior", IOR).why == "token"


def test_an_answer_is_over_after_a_minute(fairway, work_as, clock):
    make_partner(work_as, f"ior:{IOR}", tier=2)
    told = fairway.status("ior", IOR)
    at = clock.now()
    assert told.grants("security", at=(at + timedelta(seconds=59)).timestamp())
    assert not told.grants("security", at=(at + timedelta(seconds=60)).timestamp())


def test_a_kept_answer_stands_by_the_real_list_until_it_is_suspended(fairway, work_as, monkeypatch):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    kept = LocalCopy(fairway)
    assert kept.status("ior", IOR).index is not None
    assert kept.refresh() == ""
    with monkeypatch.context() as cut:
        cut.setattr(fairway, "status", lambda *_: Answer(why="transport"))
        told = kept.status("ior", IOR)
        assert (told.why, told.grants("security", tier=2)) == ("kept", True)
        suspend_urgently(work_as, partner_id)
        assert kept.refresh() == ""
        assert kept.status("ior", IOR).answer == "unknown"


def test_a_copy_that_follows_the_feed_has_the_new_version_when_the_line_is_cut(
    fairway, work_as, monkeypatch
):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    others = [make_partner(work_as, f"ior:98-7654321{n:02}") for n in range(3)]
    kept = LocalCopy(fairway)
    assert kept.status("ior", IOR).grants("security", tier=2)
    decide(work_as, partner_id, "validate", tier=3)
    suspend_urgently(work_as, others[0])
    assert kept.follow() == ""
    assert kept.refresh() == ""
    with monkeypatch.context() as cut:
        cut.setattr(fairway, "status", lambda *_: Answer(why="transport"))
        told = kept.status("ior", IOR)
        assert (told.why, told.grants("security", tier=3)) == ("kept", True)
    suspend_urgently(work_as, partner_id)
    assert kept.follow() == ""
    assert kept.refresh() == ""
    with monkeypatch.context() as cut:
        cut.setattr(fairway, "status", lambda *_: Answer(why="transport"))
        assert kept.status("ior", IOR).answer == "unknown"


def test_whoever_may_not_read_the_feed_is_told_so(account, address, clock, work_as):
    with work_as(system_actor("test")) as work:
        row, secret = create_client(work, name="Narrow", scopes=("status:read",))
        narrow = Account(row.client_id, secret, account.token_url, address, account.issuer)
    kept = LocalCopy(
        Fairway(
            narrow, keys=fetch_keys(address), deadline=10, clock=lambda: clock.now().timestamp()
        )
    )
    assert kept.follow() == "token"
