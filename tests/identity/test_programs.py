"""Tokens: both proofs of a client, and everything that must be refused."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.authz.actor import ActorKind, system_actor
from app.identity import service
from app.identity.keys import KeyFileError, load_or_create
from app.identity.models import ApiClient
from app.identity.scopes import Audience
from app.identity.tokens import Signer
from app.kernel.errors import ConflictError, NotReadyError
from app.kernel.ids import new_id
from tests.factories.identity import sign_in
from tests.factories.programs import (
    INTERNAL,
    TOKEN_URL,
    ask,
    basic,
    bearer,
    challenge,
    credential_in,
    note_issued,
    proof,
    show,
    token_of,
)
from tests.identity.conftest import SETTER


def test_a_secret_gets_a_token_of_ten_minutes(api, internal, clock, security_tags):
    answer = ask(api, *internal)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert body["scope"].split() == sorted(INTERNAL)
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=="))
        for part in body["access_token"].split(".")[:2]
    )
    assert (header["typ"], header["alg"]) == ("at+jwt", "Ed25519")
    assert claims["aud"] == "fairway-api"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["sub"] == claims["client_id"] == internal[0].client_id

    seen = api.get("/api/v1/probe", headers=bearer(body["access_token"]))
    assert seen.json == {"kind": "client", "scopes": sorted(INTERNAL), "trader": None}
    assert security_tags() == ["token:issued"]


def test_fewer_scopes_can_be_asked_for_and_more_cannot(api, internal):
    answer = ask(api, *internal, scope="feed:read")
    assert answer.json["scope"] == "feed:read"
    refused = api.get("/api/v1/probe", headers=bearer(answer.json["access_token"]))
    assert refused.status_code == 403
    assert refused.mimetype == "application/problem+json"
    assert refused.json["type"] == "urn:fairway:insufficient-scope"
    assert "error=insufficient_scope" in refused.headers["WWW-Authenticate"]
    assert "status:read" in refused.headers["WWW-Authenticate"]
    for scope in ("filings:read", "status:read filings:read", "admin"):
        answer = ask(api, *internal, scope=scope)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")


def test_each_api_refuses_the_other_ones_token(api, internal, of_trader):
    ours, theirs = token_of(api, internal), token_of(api, of_trader)
    assert api.get("/api/v1/probe", headers=bearer(ours)).status_code == 200
    seen = api.get("/trader/v1/probe", headers=bearer(theirs))
    assert seen.json["trader"] == str(of_trader[0].trader_id)
    assert "invalid_token" in challenge(api.get("/trader/v1/probe", headers=bearer(ours)))
    assert "invalid_token" in challenge(api.get("/api/v1/probe", headers=bearer(theirs)))


def test_without_a_token_the_challenge_names_no_error(api, security_tags):
    answer = api.get("/api/v1/probe")
    assert challenge(answer) == "Bearer realm=fairway"
    assert answer.json["detail"]
    assert security_tags() == []


def test_a_cookie_means_nothing_on_an_api_address(api, ada, of_trader):
    sign_in(api, ada)
    assert api.get("/security").status_code == 200
    challenge(api.get("/api/v1/probe"))
    challenge(api.get("/trader/v1/probe"))
    # With a token the client is who asks, and the cookie's person is nowhere.
    token = token_of(api, of_trader)
    seen = api.get("/trader/v1/probe", headers=bearer(token))
    assert seen.json["kind"] == ActorKind.CLIENT
    assert api.get("/security", headers=bearer(token)).status_code == 200


def test_a_token_means_nothing_on_a_page(api, internal):
    assert api.get("/security", headers=bearer(token_of(api, internal))).status_code == 303


def test_a_token_ends_after_ten_minutes(api, internal, clock):
    token = token_of(api, internal)
    clock.advance(timedelta(minutes=9, seconds=59))
    assert api.get("/api/v1/probe", headers=bearer(token)).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert "invalid_token" in challenge(api.get("/api/v1/probe", headers=bearer(token)))


def test_a_revoked_client_is_out_at_once(api, internal, work_as, security_tags):
    token = token_of(api, internal)
    with work_as(SETTER) as work:
        client = work.session.get(ApiClient, internal[0].id)
        service.revoke_client(work, client)
        with pytest.raises(ConflictError):
            service.revoke_client(work, client)
    challenge(api.get("/api/v1/probe", headers=bearer(token)))
    refused = ask(api, *internal)
    assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")
    assert security_tags() == ["token:issued", "token:refused", "token:refused"]


def test_a_revoked_token_is_refused_and_others_stay(api, internal, of_trader):
    token, other = token_of(api, internal), token_of(api, internal)
    stranger = api.post("/oauth/revoke", auth=basic(of_trader), data={"token": token})
    assert stranger.status_code == 400
    assert api.get("/api/v1/probe", headers=bearer(token)).status_code == 200
    assert api.post("/oauth/revoke", auth=basic(internal), data={"token": token}).status_code == 200
    challenge(api.get("/api/v1/probe", headers=bearer(token)))
    assert api.get("/api/v1/probe", headers=bearer(other)).status_code == 200
    # RFC 7009 §2.2: what is not a token is answered alike.
    assert api.post("/oauth/revoke", auth=basic(internal), data={"token": "x"}).status_code == 200
    assert api.post("/oauth/revoke", data={"token": other}).status_code == 401


def test_introspection_tells_a_client_about_its_own_tokens_only(api, internal, of_trader):
    token = token_of(api, internal)
    own = api.post("/oauth/introspect", auth=basic(internal), data={"token": token}).json
    assert (own["active"], own["aud"]) == (True, "fairway-api")
    foreign = api.post("/oauth/introspect", auth=basic(of_trader), data={"token": token})
    assert foreign.json == {"active": False}
    api.post("/oauth/revoke", auth=basic(internal), data={"token": token})
    gone = api.post("/oauth/introspect", auth=basic(internal), data={"token": token})
    assert gone.json == {"active": False}


@pytest.mark.parametrize("kind", ["unsigned", "foreign key", "public key as secret", "not a jwt"])
def test_a_forged_token_is_refused(api, probe, internal, settings, clock, kind, tmp_path):
    good = token_of(api, internal)
    _header, payload, _signature = good.split(".")
    own = Signer.of(settings)
    match kind:
        case "unsigned":
            header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=")
            forged = f"{header.decode()}.{payload}."
        case "foreign key":
            forged = Signer(load_or_create(tmp_path / "k", "oauth"), own.issuer).issue(
                client_id=internal[0].client_id,
                scopes=INTERNAL,
                audience=Audience.INTERNAL,
                jti="x",
                now=clock.now(),
                credential_id=credential_in(good),
            )
        case "public key as secret":
            public = json.dumps(own.keys.keys[0].as_dict(private=False))
            head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"at+jwt"}').rstrip(b"=").decode()
            mac = hmac.new(public.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
            forged = f"{head}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        case _:
            forged = "x"
    assert "invalid_token" in challenge(api.get("/api/v1/probe", headers=bearer(forged)))
    assert api.get("/api/v1/probe", headers=bearer(good)).status_code == 200


def test_another_jwt_of_ours_is_not_an_access_token(api, internal, settings, clock, work_as):
    """RFC 9068 §4: signed by our key, right in every claim, but of another type."""
    own = Signer.of(settings)
    key = own.keys.keys[0]
    now = int(clock.now().timestamp())
    credential = credential_in(token_of(api, internal))
    claims = {
        "iss": own.issuer,
        "sub": internal[0].client_id,
        "aud": "fairway-api",
        "scope": "status:read",
        "fairway_credential": credential.hex,
        "iat": now,
        "exp": now + 60,
    }
    for typ, status in (("JWT", 401), ("at+jwt", 200)):
        token = jwt.encode(
            {"alg": "Ed25519", "typ": typ, "kid": key.kid},
            {**claims, "jti": typ},
            key,
            algorithms=["Ed25519"],
        )
        with work_as(system_actor("test")) as work:
            note_issued(work, token, typ, credential)
        assert api.get("/api/v1/probe", headers=bearer(token)).status_code == status


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_and_an_unknown_client_answer_alike(api, internal, secret, security_tags):
    answers = [
        api.post(
            "/oauth/token",
            auth=(client_id, secret),
            data={"grant_type": "client_credentials"},
        )
        for client_id in (internal[0].client_id, "fw-unknown")
    ]
    assert answers[0].status_code == answers[1].status_code == 401
    assert answers[0].json == answers[1].json
    assert answers[0].json["error"] == "invalid_client"
    assert security_tags() == ["token:refused", "token:refused"]


def test_other_grants_and_a_secret_in_the_body_are_refused(api, internal):
    answer = api.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": internal[0].client_id,
            "client_secret": internal[1],
        },
    )
    assert answer.status_code == 401
    answer = api.post(
        "/oauth/token", auth=basic(internal), data={"grant_type": "password", "username": "a"}
    )
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_grant_type")


KEYS = {
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
}


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_a_signature_gets_a_token(api, clock, work_as, algorithm):
    key = KEYS[algorithm]()
    with work_as(SETTER) as work:
        client, _ = service.create_client(
            work, name="Signer", scopes=INTERNAL, jwk=key.as_dict(private=False)
        )
    answer = show(api, proof(clock, client, key, algorithm))
    assert answer.status_code == 200, answer.text
    assert api.get("/api/v1/probe", headers=bearer(answer.json["access_token"])).status_code == 200


def test_a_proof_is_good_once(api, clock, signing):
    signed = proof(clock, *signing)
    assert show(api, signed).status_code == 200
    again = show(api, signed)
    assert (again.status_code, again.json["error"]) == (401, "invalid_client")
    assert show(api, proof(clock, *signing)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/token"},
        {"iss": "fw-somebody-else"},
        {"jti": None},
        {"exp": None},
        {"aud": None},
        {"jti": 7},
    ],
)
def test_a_proof_must_be_right_in_every_claim(api, clock, signing, changes):
    assert show(api, proof(clock, *signing)).status_code == 200
    answer = show(api, proof(clock, *signing, **changes))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_proof_is_short_lived(api, clock, signing):
    now = int(clock.now().timestamp())
    assert show(api, proof(clock, *signing, exp=now - 31)).status_code == 401
    assert show(api, proof(clock, *signing, exp=now + 3600)).status_code == 401


def test_a_proof_by_another_key_is_refused(api, clock, signing):
    other = OKPKey.generate_key("Ed25519")
    assert show(api, proof(clock, signing[0], other)).status_code == 401


def test_a_client_with_a_secret_cannot_come_by_signature(api, clock, internal):
    assert show(api, proof(clock, internal[0], OKPKey.generate_key("Ed25519"))).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "trader", "field"),
    [
        ([], False, "scopes"),
        (["status:read", "filings:read"], True, "scopes"),
        (["admin"], False, "scopes"),
        (["filings:read"], False, "trader_id"),
        (["status:read"], True, "trader_id"),
    ],
)
def test_a_client_has_scopes_of_one_audience(work, scopes, trader, field):
    with pytest.raises(NotReadyError) as caught:
        service.create_client(work, name="X", scopes=scopes, trader_id=new_id() if trader else None)
    assert [one.field for one in caught.value.problems] == [field]


@pytest.mark.parametrize(
    ("jwk", "code"),
    [
        (OKPKey.generate_key("Ed25519").as_dict(private=True), "jwk-private"),
        (ECKey.generate_key("P-384").as_dict(private=False), "jwk-weak"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "jwk-private"),
        ({"kty": "nonsense"}, "jwk"),
    ],
)
def test_a_clients_key_is_public_and_strong(work, jwk, code):
    with pytest.raises(NotReadyError) as caught:
        service.create_client(work, name="X", scopes=INTERNAL, jwk=jwk)
    assert [one.code for one in caught.value.problems] == [code]


def test_metadata_and_keys_are_public_and_hold_no_secret(api):
    facts = api.get("/.well-known/oauth-authorization-server").json
    assert facts["token_endpoint"] == TOKEN_URL
    assert facts["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "private_key_jwt",
    ]
    keys = api.get("/.well-known/jwks.json").json["keys"]
    assert keys
    assert not any("d" in key for key in keys)


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path):
    first = load_or_create(tmp_path / "keys", "oauth")
    path = tmp_path / "keys" / "oauth.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert load_or_create(tmp_path / "keys", "oauth").keys[0].kid == first.keys[0].kid
    path.chmod(0o644)
    with pytest.raises(KeyFileError):
        load_or_create(tmp_path / "keys", "oauth")
