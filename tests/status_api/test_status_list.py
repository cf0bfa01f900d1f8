"""The list for offline use, opened by the plain primitives and by a library that is not ours."""

import base64
import json
import zlib
from datetime import timedelta

import pytest
from jwcrypto import jwk, jwt

from app.identity.keys import keys_dir
from app.register.versions import Validity
from app.status_api.status_list import packed
from tests.factories.register import decide, make_partner, make_trader, suspend_urgently
from tests.status_api.test_signing import signed

IOR = "12-345678900"
OTHER = "98-765432100"
VALID, INVALID, SUSPENDED = Validity


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token, keys):
    """Header and claims as jwcrypto finds them, once it has verified the signature."""
    header = json.loads(bytes_of(token.split(".")[0]))
    found = jwt.JWT(check_claims={"exp": None})
    found.leeway = 10**10  # The service of the tests lives in a fixed time.
    found.deserialize(token, jwk.JWKSet.from_json(json.dumps({"keys": keys})))
    return header, json.loads(found.claims)


def entry(claims, index):
    """What a list says of an entry, as a reader of the draft would find it; `None` beyond the end."""
    bits = claims["status_list"]["bits"]
    content = zlib.decompress(bytes_of(claims["status_list"]["lst"]))
    at, place = divmod(index * bits, 8)
    return None if at >= len(content) else content[at] >> place & (1 << bits) - 1


@pytest.fixture
def keys(client):
    return client.get("/api/v1/keys").get_json()["keys"]


@pytest.fixture
def listed(program_with, keys):
    def get():
        # A program of its own each time: tokens end while the tests' time goes by.
        answer = program_with("status:read").get("/status-list")
        assert (answer.status_code, answer.mimetype) == (200, "application/statuslist+jwt")
        return claims_of(answer.text, keys)

    return get


@pytest.fixture
def place(program_with, keys):
    """Where a signed answer says that its entry is."""

    def of(value=IOR):
        token = signed(program_with("status:read"), f"/partners/ior/{value}/status")
        _, claims = claims_of(token, keys)
        return claims["status"]["status_list"]["idx"]

    return of


def test_the_form_of_the_draft(listed, settings, clock, work_as, keys):
    make_partner(work_as, f"ior:{IOR}")
    header, claims = listed()
    assert header == {"alg": "Ed25519", "typ": "statuslist+jwt", "kid": keys[0]["kid"]}
    assert claims["sub"] == f"{settings.address}/api/v1/status-list"
    assert claims["iss"] == settings.address
    assert claims["iat"] == int(clock.now().timestamp())
    assert (claims["exp"] - claims["iat"], claims["ttl"]) == (15 * 60, 60)
    assert set(claims["status_list"]) == {"bits", "lst"}


def test_a_signed_answer_names_its_entry_and_a_change_turns_it(listed, place, work_as, keys):
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    first = place()
    _, claims = listed()
    assert entry(claims, first) == VALID
    assert claims["seq"] >= first
    # Not the loss of the standing alone: any other answer than the one that was kept.
    decide(work_as, partner_id, "restrict", restrictions=("front-of-line",))
    second = place()
    _, claims = listed()
    assert (entry(claims, first), entry(claims, second)) == (INVALID, VALID)
    suspend_urgently(work_as, partner_id)
    _, claims = listed()
    assert (entry(claims, second), entry(claims, place())) == (INVALID, SUSPENDED)
    decide(work_as, partner_id, "reinstate")
    _, claims = listed()
    assert entry(claims, place()) == VALID
    assert entry(claims, second) == INVALID


def test_the_default_is_no_partner(listed, work_as, program, keys):
    _, claims = listed()
    assert [entry(claims, number) for number in range(5)] == [INVALID] * 4 + [None]
    make_trader(work_as, f"ior:{IOR}")
    _, answer = claims_of(signed(program), keys)
    assert answer["answer"] == "not_a_partner"
    assert "status" not in answer
    _, claims = listed()
    held = [entry(claims, number) for number in range(claims["seq"] + 1)]
    assert set(held) <= {INVALID}


def test_nothing_that_ends_or_begins_within_its_life_is_valid(listed, place, work_as, clock):
    partner_id = make_partner(work_as, f"ior:{IOR}")
    decide(work_as, partner_id, "remove", effective_from=clock.now() + timedelta(hours=1))
    assert entry(listed()[1], place()) == VALID
    clock.advance(timedelta(minutes=44))
    assert entry(listed()[1], place()) == VALID
    clock.advance(timedelta(minutes=1, seconds=1))
    assert entry(listed()[1], place()) == INVALID


def test_a_standing_to_come_is_not_valid_yet(listed, work_as, clock):
    trader_id = make_trader(work_as, f"ior:{IOR}")
    decide(
        work_as, trader_id, "certify", tier=1, effective_from=clock.now() + timedelta(minutes=10)
    )
    _, claims = listed()
    assert {entry(claims, number) for number in range(claims["seq"] + 1)} == {INVALID}
    clock.advance(timedelta(minutes=10))
    _, claims = listed()
    assert entry(claims, claims["seq"]) == VALID


def test_an_identifier_that_another_gets_too_ends_what_was_kept(listed, place, work_as):
    make_partner(work_as, f"ior:{IOR}")
    kept = place()
    make_partner(work_as, f"ior:{IOR}")
    assert entry(listed()[1], kept) == INVALID


def test_it_is_kept_only_while_nothing_changes(program, work_as, clock):
    partner_id = make_partner(work_as, f"ior:{IOR}")
    first = program.get("/status-list").text
    clock.advance(timedelta(seconds=59))
    assert program.get("/status-list").text == first
    clock.advance(timedelta(seconds=1))
    second = program.get("/status-list").text
    assert second != first
    suspend_urgently(work_as, partner_id)
    assert program.get("/status-list").text != second


def test_no_identifier_leaves_a_trace(listed, work_as):
    """The same changes about other identifiers make the same list."""
    make_partner(work_as, f"ior:{IOR}")
    make_partner(work_as, f"ior:{OTHER}")
    first = listed()[1]
    text = json.dumps(first) + zlib.decompress(bytes_of(first["status_list"]["lst"])).hex()
    for part in (IOR, OTHER, IOR.encode().hex(), "ior"):
        assert part not in text
    assert set(first) == {"iss", "sub", "iat", "exp", "ttl", "seq", "status_list"}


def test_packing_as_the_draft_shows_it():
    """Entries from the lowest bits of the first byte up; the draft's own way of counting."""
    known = {0: VALID, 1: SUSPENDED, 3: VALID, 5: VALID}
    content = zlib.decompress(bytes_of(packed(known, 7)))
    assert content == bytes([0b00_01_10_00, 0b01_01_00_01])
    assert zlib.decompress(bytes_of(packed({}, 0))) == b""


def test_it_needs_the_scope(program_with, client):
    assert client.get("/api/v1/status-list").status_code == 401
    assert program_with("feed:read").get("/status-list").status_code == 403


def test_keys_overlap_while_they_change(program, keys, settings, app, engine, clock, work_as):
    """A new key is put behind the old one, later before it; whoever holds both verifies always."""
    make_partner(work_as, f"ior:{IOR}")
    before = signed(program)
    path = keys_dir(settings) / "status.json"
    old = json.loads(path.read_text("utf-8"))
    new = jwk.JWK.generate(kty="OKP", crv="Ed25519", use="sig", alg="Ed25519", kid="new")
    try:
        for order in (("old", "new"), ("new", "old")):
            both = {"old": old["keys"][0], "new": new.export_private(as_dict=True)}
            path.write_text(json.dumps({"keys": [both[name] for name in order]}), "utf-8")
            app.extensions.pop("fairway_status_signer", None)
            public = program.client.get("/api/v1/keys").get_json()["keys"]
            assert len(public) == 2
            header, claims = claims_of(signed(program), public)
            assert header["kid"] == (both[order[0]]["kid"])
            assert claims["answer"] == "active"
            assert claims_of(before, public)[1]["answer"] == "active"
    finally:
        path.write_text(json.dumps(old), "utf-8")
        app.extensions.pop("fairway_status_signer", None)
