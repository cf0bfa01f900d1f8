"""Whatever the other side says or does not say: no facilitation but for a proven, present answer."""

import hashlib
import hmac
import json
import time

import pytest
from fairway_client import Account, Fairway

from tests.clients.lying_server import ASKED, CLIENT_ID, LyingServer, http, instant, make_key, part


def asking(server, **options):
    account = Account(CLIENT_ID, "secret", f"{server.address}/oauth/token", server.address)
    return Fairway(account, keys=server.public_keys, **options)


def unsigned(server) -> bytes:
    header = part(json.dumps({"alg": "none", "typ": "partner-status+jwt"}).encode())
    return header + b"." + part(json.dumps(server.claims()).encode()) + b"."


def signed_with_the_public_key(server) -> bytes:
    header = {"alg": "HS256", "typ": "partner-status+jwt", "kid": server.key.kid}
    said = part(json.dumps(header).encode()) + b"." + part(json.dumps(server.claims()).encode())
    public = json.dumps(server.public_keys["keys"][0]).encode()
    return said + b"." + part(hmac.digest(public, said, hashlib.sha256))


def tampered(server) -> bytes:
    head, _, tail = server.signed(server.claims(answer="not_active")).split(b".")
    return b".".join([head, part(json.dumps(server.claims()).encode()), tail])


def turned(token: bytes) -> bytes:
    said, _, signature = token.rpartition(b".")
    other = b"B" if signature[:1] == b"A" else b"A"
    return said + b"." + other + signature[1:]


def dripped(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def jwt(**claims):
    return lambda server: http(server.signed(server.claims(**claims)))


def without(name):
    def lie(server):
        claims = server.claims()
        del claims[name]
        return http(server.signed(claims))

    return lie


def standing(**changed):
    return lambda server: http(server.signed(server.standing(**changed)))


def later(seconds: float) -> str:
    return instant(time.time() + seconds)


NOW = time.time
LIES = {
    # The signature.
    "another key under the known name": lambda s: http(s.signed(s.claims(), key=make_key())),
    "an unknown key": lambda s: http(s.signed(s.claims(), key=(k := make_key()), kid=k.kid)),
    "no key named": lambda s: http(s.signed(s.claims(), kid="")),
    "algorithm none": lambda s: http(unsigned(s)),
    "HMAC with the public key": lambda s: http(signed_with_the_public_key(s)),
    "a body that was exchanged": lambda s: http(tampered(s)),
    "a signature cut off": lambda s: http(s.signed(s.claims()).rpartition(b".")[0] + b"."),
    "a signature with a bit turned": lambda s: http(turned(s.signed(s.claims()))),
    "an access token instead": lambda s: http(s.signed(s.claims(), typ="at+jwt")),
    "a token without a type": lambda s: http(s.signed(s.claims(), typ="JWT")),
    "a critical extension": lambda s: http(s.signed(s.claims(), crit=["exp"])),
    "no JSON under the signature": lambda s: http(s.signed(b"active")),
    "a list under the signature": lambda s: http(s.signed(b"[]")),
    # For whom, from whom, about whom, when.
    "for another program": jwt(aud="another"),
    "for several programs": jwt(aud=[CLIENT_ID, "another"]),
    "for nobody": without("aud"),
    "from another installation": jwt(iss="https://elsewhere.example"),
    "from nobody": without("iss"),
    "about another partner": jwt(identifier={"scheme": "ior", "value": "98-765432100"}),
    "about another scheme": jwt(identifier={"scheme": "ein", "value": ASKED[1]}),
    "about nobody": without("identifier"),
    "over": lambda s: jwt(iat=int(NOW()) - 61, exp=int(NOW()) - 1, as_of=later(-61))(s),
    "over this second": lambda s: jwt(iat=int(NOW()) - 1, exp=int(NOW()), as_of=later(-1))(s),
    "without an end": without("exp"),
    "with an end of words": jwt(exp="tomorrow"),
    "good for a day": lambda s: jwt(exp=int(NOW()) + 86_400)(s),
    "from the future": lambda s: jwt(iat=int(NOW()) + 30, as_of=later(30))(s),
    "about yesterday": lambda s: jwt(as_of=later(-86_400))(s),
    "past its own next change": lambda s: jwt(next_change_at=later(-1))(s),
    # What it says.
    "suspended": jwt(answer="not_active"),
    "nobody": jwt(answer="not_a_partner", standings=[]),
    "a word of its own": jwt(answer="trusted"),
    "active as a truth value": jwt(answer=True),
    "no answer": without("answer"),
    "active without a standing": jwt(standings=[]),
    "standings of words": jwt(standings="security"),
    "a standing of another programme": standing(programme="trade-compliance"),
    "a lower tier": standing(tier=1),
    "a tier of words": standing(tier="3"),
    "a tier that is true": standing(tier=True),
    "no tier": standing(tier=None),
    "a suspended standing": standing(status="suspended"),
    "a standing that has ended": lambda s: standing(effective_until=later(-1))(s),
    "a standing to come": lambda s: standing(effective_from=later(3_600))(s),
    "a standing of no instant": standing(effective_from="soon"),
    "a number before the last": jwt(seq=40),
    "a number of words": jwt(seq="41"),
    "no number": without("seq"),
    # The transport.
    "a page with 200": lambda s: http(b"<html>active</html>", media="text/html"),
    "a page called a token": lambda s: http(b"<html>active</html>"),
    "unsigned JSON": lambda s: http(json.dumps(s.claims()).encode(), media="application/json"),
    "a good token called JSON": lambda s: http(s.signed(s.claims()), media="application/json"),
    "an error with a good token": lambda s: http(s.signed(s.claims()), status="503 Busy"),
    "a refusal with a good token": lambda s: http(s.signed(s.claims()), status="401 No"),
    "a redirect": lambda s: http(b"", status="302 Found", Location=s.address),
    "nothing": lambda s: http(b""),
    "a body that ends early": lambda s: http(s.signed(s.claims()))[:-20],
    "a header that ends early": lambda _: b"HTTP/1.1 200 OK\r\nContent-Type: appl",
    "a line that is not HTTP": lambda _: b"active\r\n\r\n",
    "silence": lambda _: b"",
    "a slow drip": lambda s: dripped(http(s.signed(s.claims()))),
    "a slow drip of headers": lambda _: dripped(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90),
    "an endless body": lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 2_000_000,
    "garbage": lambda _: http(bytes(range(256))),
}
TOKEN_LIES = {
    "a refusal": lambda _: http(b'{"error":"invalid_client"}', status="401 No"),
    "a page": lambda _: http(b"<html>", media="text/html"),
    "a list": lambda _: http(b"[]", media="application/json"),
    "a token of lines": lambda _: http(
        b'{"access_token":"a\\r\\nX: y","expires_in":600}', media="application/json"
    ),
    "an end of words": lambda _: http(b'{"access_token":"a","expires_in":"x"}'),
    "a slow drip": lambda _: dripped(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90),
}


WORDS = {
    "an unknown key": "key",
    "over": "expired",
    "over this second": "expired",
    "an endless body": "size",
    "a body that ends early": "transport",
    "a slow drip": "deadline",
    "a slow drip of headers": "deadline",
    "a standing of no instant": "shape",
    "standings of words": "shape",
    "a tier of words": "shape",
}


def test_there_are_at_least_forty_lies():
    assert len(LIES) + len(TOKEN_LIES) >= 40


@pytest.mark.parametrize("name", LIES)
def test_a_lie_grants_nothing(name):
    with LyingServer() as server:
        fairway = asking(server)
        honest = fairway.status(*ASKED)
        assert honest.grants("security", tier=3, benefit="front-of-line"), honest
        server.lie = LIES[name]
        begun = time.monotonic()
        told = fairway.status(*ASKED)
        assert not told.grants("security", tier=2), told
        if name in WORDS:
            assert told.why == WORDS[name]
        # The bound is half a second; whole seconds keep the test free of the machine's mood.
        assert time.monotonic() - begun < 2
        server.lie = None
        assert fairway.status(*ASKED).grants("security", tier=3), "one lie must not end the service"


@pytest.mark.parametrize("name", TOKEN_LIES)
def test_a_lie_about_the_token_grants_nothing(name):
    with LyingServer(token_answer=TOKEN_LIES[name]) as server:
        told = asking(server).status(*ASKED)
        assert told.answer == "unknown"
        assert told.why
        assert not told.grants("security")
        assert not any(line.startswith("GET") for line in server.asked)


def test_nobody_listens():
    with LyingServer() as server:
        fairway = asking(server)
    told = fairway.status(*ASKED)
    assert (told.answer, told.why) == ("unknown", "transport")


def test_a_name_for_plain_http_elsewhere_is_never_asked():
    account = Account(CLIENT_ID, "secret", "http://192.0.2.1/oauth/token", "http://192.0.2.1")
    with LyingServer() as server:
        told = Fairway(account, keys=server.public_keys).status(*ASKED)
    assert told.why == "address"


def test_one_failure_is_tried_again_once():
    with LyingServer() as server:
        fairway = asking(server)
        failures = iter([b"", None])
        server.lie = lambda s: b"" if next(failures) == b"" else http(s.signed(s.claims()))
        assert fairway.status(*ASKED).grants("security")
        server.lie = lambda _: b""
        before = len(server.asked)
        assert fairway.status(*ASKED).why == "transport"
        assert len(server.asked) - before == 2


def test_the_open_breaker_asks_nobody_and_grants_nothing():
    with LyingServer() as server:
        fairway = asking(server)
        server.lie = lambda _: b""
        for _ in range(5):
            fairway.status(*ASKED)
        server.lie = None
        before = len(server.asked)
        told = fairway.status(*ASKED)
        assert (told.answer, told.why) == ("unknown", "breaker")
        assert not told.grants("security")
        assert len(server.asked) == before


def test_a_kept_answer_ends_with_its_minute():
    with LyingServer() as server:
        told = asking(server).status(*ASKED)
        assert told.grants("security", at=told.expires_at - 1)
        assert not told.grants("security", at=told.expires_at)


def test_every_question_names_what_was_seen():
    with LyingServer() as server:
        fairway = asking(server)
        fairway.status(*ASKED)
        fairway.status(*ASKED)
        questions = [line for line in server.asked if line.startswith("GET")]
    assert "min_seq=0" in questions[0]
    assert "min_seq=41" in questions[1]
    assert fairway.newest == 41


def test_a_refused_token_is_fetched_anew():
    with LyingServer() as server:
        fairway = asking(server)
        fairway.status(*ASKED)
        server.lie = lambda s: (
            http(b"", status="401 No")
            if sum(line.startswith("POST") for line in s.asked) < 2
            else http(s.signed(s.claims()))
        )
        assert fairway.status(*ASKED).grants("security")
