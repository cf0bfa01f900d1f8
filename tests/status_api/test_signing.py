"""Signed answers: the same content, for one program, for a minute at most, by a key of their own."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.factories.register import decide, make_partner

IOR = "12-345678900"
STATUS = f"/partners/ior/{IOR}/status"


def signed(program, path=STATUS):
    answer = program.get(path, Accept="application/jwt")
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt"), answer.text
    return answer.text


def opened(token, keys):
    """Header and claims, the signature checked by the plain primitive."""
    header, payload, signature = token.split(".")
    said = json.loads(_bytes(header))
    [key] = [one for one in keys if one["kid"] == said["kid"]]
    Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(
        _bytes(signature), f"{header}.{payload}".encode()
    )
    return said, json.loads(_bytes(payload))


def _bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def keys(client):
    return client.get("/api/v1/keys").get_json()["keys"]


def test_it_says_what_the_plain_answer_says(program, work_as, keys, settings):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    plain = program.get(STATUS).get_json()
    header, claims = opened(signed(program), keys)
    assert header == {"alg": "Ed25519", "typ": "partner-status+jwt", "kid": keys[0]["kid"]}
    assert {name: claims[name] for name in plain} == plain
    assert (claims["iss"], claims["aud"]) == (settings.address, program.client_id)
    assert claims["exp"] - claims["iat"] == 60


def test_nobody_is_a_signed_negative_answer(program, keys):
    _, claims = opened(signed(program), keys)
    assert claims["answer"] == "not_a_partner"


def test_it_never_outlives_the_next_change(program, work_as, clock, keys):
    ends = clock.now() + timedelta(seconds=20)
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=1)
    decide(work_as, partner_id, "validate", tier=2, effective_from=ends)
    _, claims = opened(signed(program), keys)
    assert claims["exp"] == int(ends.timestamp())


def test_another_instant_is_never_signed(program):
    for member in ("valid_at", "known_at"):
        path = f"{STATUS}?{member}=2026-11-24T12:00:00Z"
        refused = program.get(path, Accept="application/jwt")
        assert refused.status_code == 400
        assert refused.get_json()["type"] == "urn:fairway:signed-is-now"
        assert program.get(path).status_code == 200


def test_the_two_keys_are_apart(client, keys, program):
    tokens = client.get("/.well-known/jwks.json").get_json()["keys"]
    assert {one["kid"] for one in keys}.isdisjoint(one["kid"] for one in tokens)
    assert all("d" not in one for one in keys)
    token = signed(program)
    assert (
        program.client.get(
            f"/api/v1{STATUS}", headers={"Authorization": f"Bearer {token}"}
        ).status_code
        == 401
    )
