"""The OAuth 2 authorisation server: client credentials in, ten-minute tokens out.

Authlib judges the requests. Each step that must stay, whatever the answer, is a short transaction
of its own: a proof that was used, a token that was revoked, the record of both.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import Principal, transaction
from app.identity import queries
from app.identity.models import ApiClient, ClientAssertion, TokenDenial
from app.identity.recognise import client_in_good_standing, signer
from app.identity.scopes import audience_of
from app.identity.secret_values import same
from app.identity.tokens import LIFETIME, Claims, TokenRefusedError
from app.kernel.ids import new_id
from app.web.requests import circumstances
from app.web.wiring import wiring

SERVER = Principal("system:oauth")
SECRET = "client_secret_basic"  # noqa: S105 - the name of a method.
SIGNATURE = "private_key_jwt"
METHODS = [SECRET, SIGNATURE]
PROOF_ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "PS256", "RS256"]
PROOF_LIFE = timedelta(minutes=10)
LEEWAY = 30
NOT_ACCEPTED = "The client's proof is not accepted."


class Client(ClientMixin):  # type: ignore[misc]  # The library has no types.
    """An API client as Authlib asks about it."""

    def __init__(self, row: ApiClient) -> None:
        self.row = row

    @property
    def client_id(self) -> str:
        return self.row.client_id

    def get_client_id(self) -> str:
        return self.row.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        return self.row.secret_hash is not None and same(client_secret, self.row.secret_hash)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return bool(method == (SIGNATURE if self.row.secret_hash is None else SECRET))

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for; everything the client has when nothing is named."""
        return scope or " ".join(self.row.scopes)


def query_client(client_id: str) -> Client | None:
    """The client of this name, unless it is suspended."""
    with transaction(wiring().engine, SERVER, read_only=True) as db:
        row = queries.client_named(db, client_id)
    return None if row is None or row.suspended_at is not None else Client(row)


def prove_by_secret(find: Any, request: Any) -> Client | None:  # noqa: ANN401 - Authlib's types.
    """`client_secret_basic`. An unknown client and a wrong secret have one answer."""
    client_id, secret = extract_basic_authorization(request.headers)
    if not client_id or not secret:
        return None
    client = find(client_id)
    if isinstance(client, Client) and client.check_client_secret(secret):
        return client
    raise InvalidClientError(NOT_ACCEPTED, status_code=401)


class ProveBySignature(JWTBearerClientAssertion):  # type: ignore[misc]  # The library has no types.
    """`private_key_jwt` (RFC 7523 §3): a proof that is short-lived and good once."""

    CLIENT_AUTH_METHOD = SIGNATURE

    def __init__(self) -> None:
        super().__init__(leeway=LEEWAY)

    def get_audiences(self) -> list[str]:
        issuer = signer().issuer
        return [f"{issuer}/oauth/token", issuer]

    def resolve_client_public_key(self, client: Client) -> Any:  # noqa: ANN401 - a joserfc key.
        if client.row.jwk is None:
            raise InvalidClientError(NOT_ACCEPTED, status_code=401)
        return import_key(client.row.jwk)

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Verify signature and claims; our algorithms and our clock, not the library's."""
        now = wiring().clock.now()
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True},
            sub={"essential": True},
            aud={"essential": True, "values": self.get_audiences()},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=PROOF_ALGORITHMS)
            registry.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(NOT_ACCEPTED, status_code=401) from error
        claims = token.claims
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        if claims["iss"] != claims["sub"] or not isinstance(claims["jti"], str):
            raise InvalidClientError(NOT_ACCEPTED, status_code=401)
        if ends > now + PROOF_LIFE + timedelta(seconds=LEEWAY):
            raise InvalidClientError("A proof may last ten minutes at most.", status_code=401)
        self._use_up(claims["sub"], claims["jti"], ends)
        return dict(claims)

    def _use_up(self, client_id: str, jti: str, ends: datetime) -> None:
        """Note the proof as used; the table's key lets only one of two senders through."""
        with transaction(wiring().engine, SERVER) as db:
            client = queries.client_named(db, client_id)
            first = (
                client is not None
                and db.execute(
                    insert(ClientAssertion)
                    .values(
                        client_id=client.id, jti=jti, expires_at=ends + timedelta(seconds=LEEWAY)
                    )
                    .on_conflict_do_nothing()
                    .returning(ClientAssertion.jti)
                ).first()
            )
        if not first:
            raise InvalidClientError(NOT_ACCEPTED, status_code=401)


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # The library has no types.
    """The one grant that there is; a token never has more than its client."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_token_request(self) -> None:
        super().validate_token_request()
        client: Client = self.request.client
        asked = client.get_allowed_scope(self.request.payload.scope).split()
        if not set(asked) <= set(client.row.scopes):
            raise InvalidScopeError


def generate(
    client: Client,
    grant_type: str,
    user: object = None,
    scope: str | None = None,
    expires_in: int | None = None,
    include_refresh_token: bool = True,  # noqa: FBT001, FBT002
) -> dict[str, object]:
    """The token's answer (RFC 6749 §5.1); its life is ours to set, whatever the library's is."""
    del grant_type, user, expires_in, include_refresh_token
    wired = wiring()
    now = wired.clock.now()
    scopes = sorted(set(client.get_allowed_scope(scope).split()))
    audience = audience_of(scopes)
    if audience is None:
        raise InvalidScopeError
    jti = new_id().hex
    token = signer().issue(
        client_id=client.client_id, scopes=scopes, audience=audience, jti=jti, now=now
    )
    with transaction(wired.engine, SERVER) as db:
        db.execute(update(ApiClient).where(ApiClient.id == client.row.id).values(last_used_at=now))
    record_security_event(
        wired.engine,
        SecurityTag.TOKEN_ISSUED,
        circumstances(jti=jti, scopes=scopes, audience=audience.value),
        client_id=client.row.id,
    )
    return {
        "token_type": "Bearer",
        "access_token": token,
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": " ".join(scopes),
    }


class HeldToken:
    """A token of ours, as the two endpoints below ask about it."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims

    def check_client(self, client: Client) -> bool:
        return self.claims.client_id == client.client_id

    def is_expired(self) -> bool:
        return self.claims.expires_at <= wiring().clock.now()

    def is_revoked(self) -> bool:
        with transaction(wiring().engine, SERVER, read_only=True) as db:
            try:
                client_in_good_standing(db, self.claims)
            except TokenRefusedError:
                return True
        return False


def held_token(token: str) -> HeldToken | None:
    """The token if it is ours and not over; there is nothing to revoke about any other."""
    try:
        return HeldToken(signer().read(token, now=wiring().clock.now()))
    except TokenRefusedError:
        return None


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # The library has no types.
    """RFC 7009; a client can revoke its own tokens."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> HeldToken | None:
        del token_type_hint
        return held_token(token_string)

    def revoke_token(self, token: HeldToken, request: Any) -> None:  # noqa: ANN401
        wired = wiring()
        with transaction(wired.engine, SERVER) as db:
            db.execute(
                insert(TokenDenial)
                .values(jti=token.claims.jti, expires_at=token.claims.expires_at)
                .on_conflict_do_nothing()
            )
        record_security_event(
            wired.engine,
            SecurityTag.TOKEN_REVOKED,
            circumstances(jti=token.claims.jti),
            client_id=request.client.row.id,
        )


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # The library has no types.
    """RFC 7662; a client can ask about its own tokens, any other is not active to it."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> HeldToken | None:
        del token_type_hint
        return held_token(token_string)

    def check_permission(self, token: HeldToken, client: Client, request: object) -> bool:
        del request
        return token.check_client(client)

    def introspect_token(self, token: HeldToken) -> dict[str, object]:
        claims = token.claims
        return {
            "active": True,
            "iss": signer().issuer,
            "sub": claims.client_id,
            "client_id": claims.client_id,
            "aud": claims.audience.value,
            "scope": " ".join(sorted(claims.scopes)),
            "token_type": "Bearer",
            "jti": claims.jti,
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }


def build_server() -> AuthorizationServer:
    """Authlib's server with our one grant, our two proofs and our two further endpoints."""
    built = AuthorizationServer(query_client=query_client, save_token=lambda _token, _request: None)
    built.register_token_generator("default", generate)
    built.register_client_auth_method(SECRET, prove_by_secret)
    built.register_client_auth_method(SIGNATURE, ProveBySignature())
    built.register_grant(ClientCredentials)
    built.register_endpoint(Revocation)
    built.register_endpoint(Introspection)
    return built


server = build_server()
