"""The line is down: what was answered once stands by a proven, present list, and by nothing else."""

import json
import time
import zlib

import pytest
from fairway_client import Account, Fairway, LocalCopy

from tests.clients.lying_server import (
    ASKED,
    CLIENT_ID,
    LyingServer,
    http,
    instant,
    listed,
    make_key,
    part,
)

NOW = time.time


def copy_of(server, clock=time.time):
    account = Account(CLIENT_ID, "secret", f"{server.address}/oauth/token", server.address)
    return LocalCopy(Fairway(account, keys=server.public_keys, clock=clock))


def cut_line(server):
    server.lie = lambda _: b""


def told(**claims):
    return lambda s: listed(s.signed(s.list_claims(**claims), typ="statuslist+jwt"))


def without(name):
    def lie(server):
        claims = server.list_claims()
        del claims[name]
        return listed(server.signed(claims, typ="statuslist+jwt"))

    return lie


def content(data: bytes, bits=2):
    return told(status_list={"bits": bits, "lst": part(data).decode()})


def tampered(server):
    head, _, tail = server.signed(server.list_claims({}), typ="statuslist+jwt").split(b".")
    return listed(b".".join([head, part(json.dumps(server.list_claims()).encode()), tail]))


GOOD = b"\x55" * 10 + b"\x51"
LIES = {
    # The signature.
    "another key under the known name": lambda s: listed(
        s.signed(s.list_claims(), key=make_key(), typ="statuslist+jwt")
    ),
    "an unknown key": lambda s: listed(
        s.signed(s.list_claims(), key=(k := make_key()), kid=k.kid, typ="statuslist+jwt")
    ),
    "algorithm none": lambda s: listed(s.signed(s.list_claims(), alg="none", typ="statuslist+jwt")),
    "an answer instead": lambda s: listed(s.signed(s.claims())),
    "another type": lambda s: listed(s.signed(s.list_claims(), typ="JWT")),
    "entries that were exchanged": tampered,
    # From whom, when.
    "from another installation": told(iss="https://elsewhere.example"),
    "another list": told(sub="https://elsewhere.example/api/v1/status-list"),
    "over": lambda s: told(iat=int(NOW()) - 901, exp=int(NOW()) - 1)(s),
    "good for a day": lambda s: told(exp=int(NOW()) + 86_400)(s),
    "from the future": lambda s: told(iat=int(NOW()) + 30)(s),
    "without an end": without("exp"),
    "without a beginning": without("iat"),
    "an older number": lambda s: told(
        seq=39, status_list={"bits": 2, "lst": part(zlib.compress(b"\x00" * 10)).decode()}
    )(s),
    "without a number": without("seq"),
    # The entries.
    "replaced": told(entries={41: 1}),
    "suspended": told(entries={41: 2}),
    "application specific": told(entries={41: 3}),
    "shifted by one": told(entries={40: 0}),
    "shifted by a byte": content(zlib.compress(b"\x55" + GOOD)),
    "cut by a byte": content(zlib.compress(b"\x00" * 10)),
    "nothing": content(zlib.compress(b"")),
    "no entries": without("status_list"),
    "of one bit": content(zlib.compress(b"\x00" * 11), bits=1),
    "of eight bits": content(zlib.compress(b"\x00" * 42), bits=8),
    "not compressed": content(b"\x00" * 11),
    "compressed and cut off": content(zlib.compress(b"\x00" * 11)[:-2]),
    "compressed with a tail": content(zlib.compress(GOOD) + b"\x00"),
    # The transport.
    "a page with 200": lambda s: listed(b"<html>all well</html>"),
    "a good list called JSON": lambda s: http(
        s.signed(s.list_claims(), typ="statuslist+jwt"), media="application/json"
    ),
    "an error with a good list": lambda s: listed(
        s.signed(s.list_claims(), typ="statuslist+jwt"), status="503 Busy"
    ),
    "a list that ends early": lambda s: listed(s.signed(s.list_claims(), typ="statuslist+jwt"))[
        :-20
    ],
    "silence": lambda _: b"",
}


WORDS = {
    "an unknown key": "key",
    "another type": "type",
    "from another installation": "issuer",
    "another list": "subject",
    "over": "expired",
    "good for a day": "lifetime",
    "from the future": "lifetime",
    "an older number": "rollback",
    "shifted by a byte": "shape",
    "cut by a byte": "shape",
    "a good list called JSON": "media",
    "replaced": "",
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_the_list_grants_nothing(name):
    with LyingServer() as server:
        kept = copy_of(server)
        assert kept.status(*ASKED).grants("security", tier=3)
        server.list_lie = LIES[name]
        why = kept.refresh()
        if name in WORDS:
            assert why == WORDS[name]
        cut_line(server)
        answer = kept.status(*ASKED)
        assert answer.answer == "unknown"
        assert not answer.grants("security", tier=1)


def test_an_honest_list_lets_an_answer_stand():
    with LyingServer() as server:
        kept = copy_of(server)
        assert kept.status(*ASKED).why == ""
        assert kept.refresh() == ""
        cut_line(server)
        answer = kept.status(*ASKED)
        assert (answer.answer, answer.why) == ("active", "kept")
        assert answer.grants("security", tier=3, benefit="front-of-line")
        assert not answer.grants("security", tier=3, at=answer.expires_at)


def test_what_was_never_asked_for_is_unknown():
    with LyingServer() as server:
        kept = copy_of(server)
        assert kept.refresh() == ""
        cut_line(server)
        assert kept.status(*ASKED).answer == "unknown"


def test_a_list_does_not_go_back_in_time():
    with LyingServer() as server:
        kept = copy_of(server)
        kept.status(*ASKED)
        assert kept.refresh() == ""
        earlier = int(NOW()) - 300
        server.list_lie = told(iat=earlier, exp=earlier + 900)
        assert kept.refresh() == "rollback"


def test_what_a_list_has_ended_no_other_list_brings_back():
    with LyingServer() as server:
        kept = copy_of(server)
        kept.status(*ASKED)
        server.list_lie = told(entries={41: 2})
        assert kept.refresh() == ""
        server.list_lie = None
        assert kept.refresh() == ""
        cut_line(server)
        assert kept.status(*ASKED).answer == "unknown"


def test_a_list_that_knows_less_than_an_answer_is_not_enough():
    with LyingServer() as server:
        kept = copy_of(server)
        kept.status(*ASKED)
        kept.refresh()
        server.lie = lambda s: http(
            s.signed(s.claims(seq=42, identifier={"scheme": "ior", "value": "98-765432100"}))
        )
        kept.status("ior", "98-765432100")
        cut_line(server)
        assert kept.status(*ASKED).answer == "unknown"


@pytest.mark.parametrize(
    ("seconds", "changes", "stands"),
    [(0, None, True), (899, None, True), (901, None, False), (599, 600, True), (600, 600, False)],
)
def test_the_list_and_every_date_end_what_is_kept(seconds, changes, stands):
    # Whole seconds: a text holds microseconds and would round the rest.
    at = [float(int(NOW()))]
    with LyingServer() as server:
        kept = copy_of(server, clock=lambda: at[0])
        begun = at[0]
        ends = None if changes is None else instant(begun + changes)
        server.lie = lambda s: http(s.signed(s.claims(next_change_at=ends)))
        kept.status(*ASKED)
        kept.refresh()
        cut_line(server)
        at[0] = begun + seconds - 1 if seconds == 899 else begun + seconds
        assert (kept.status(*ASKED).answer == "active") is stands
