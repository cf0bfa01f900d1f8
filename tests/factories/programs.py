"""Programs at the token endpoint: asking with a secret or a signature, and reading the answers."""

import base64
import json
from uuid import UUID

from joserfc import jwt

from app.identity.models import IssuedToken
from app.identity.secret_values import digest
from app.identity.tokens import LIFETIME
from app.kernel.ids import new_id

INTERNAL = ["status:read", "feed:read", "decisions:write", "decisions:read"]
TRADER = ["filings:write", "filings:read", "status:self"]
TOKEN_URL = "http://localhost:8000/oauth/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def ask(api, client, secret, **fields):
    return api.post(
        "/oauth/token",
        auth=(client.client_id, secret),
        data={"grant_type": "client_credentials", **fields},
    )


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def token_of(api, pair, **fields):
    answer = ask(api, *pair, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json["access_token"]


def claims_of(token):
    """What a token of ours says, unverified."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def credential_in(token):
    return UUID(claims_of(token)["fairway_credential"])


def note_issued(work, token, jti, credential_id):
    """Make a token that a test signed itself one that was issued here."""
    work.session.add(
        IssuedToken(
            token_hash=digest(token),
            jti=jti,
            credential_id=credential_id,
            expires_at=work.now + LIFETIME,
            scopes=sorted(claims_of(token)["scope"].split()) if "scope" in claims_of(token) else [],
        )
    )


def challenge(answer):
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 401
    return answer.headers["WWW-Authenticate"]


def basic(pair):
    return (pair[0].client_id, pair[1])


def proof(clock, client, key, algorithm="Ed25519", **changes):
    now = int(clock.now().timestamp())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": TOKEN_URL,
        "jti": new_id().hex,
        "iat": now,
        "exp": now + 60,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])


def show(api, signed):
    return api.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": signed,
        },
    )
