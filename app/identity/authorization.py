"""The OAuth 2 authorisation server: client credentials in, ten-minute tokens out.

Authlib judges the requests. Each step that must stay, whatever the answer, is a short transaction
of its own: a proof that was used, a token that was revoked, the record of both.
"""

from collections.abc import Mapping, Sequence
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
from sqlalchemy.dialects.postgresql import insert

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import Principal, Role, transaction
from app.identity import queries, quota
from app.identity.client_rules import PROOF_LIFE
from app.identity.last_use import note_use
from app.identity.models import (
    ApiClient,
    ClientAssertion,
    ClientCredential,
    IssuedToken,
    TokenDenial,
)
from app.identity.recognise import client_in_good_standing, signer
from app.identity.scopes import audience_of
from app.identity.secret_values import digest, same
from app.identity.tokens import LIFETIME, Claims, TokenRefusedError
from app.identity.workflow import ClientState
from app.kernel.ids import new_id
from app.web.requests import circumstances
from app.web.wiring import wiring

SERVER = Principal("system:oauth", role=Role.ENTRY)
SECRET = "client_secret_basic"  # noqa: S105 - the name of a method.
SIGNATURE = "private_key_jwt"
ASSERTION_TYPE = JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE
METHODS = [SECRET, SIGNATURE]
PROOF_ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "PS256", "RS256"]
LEEWAY = 30
JTI_MAX = 256
NOT_ACCEPTED = "The client's proof is not accepted."


class Client(ClientMixin):  # type: ignore[misc]  # The library has no types.
    """An API client as Authlib asks about it, with its live credentials.

    `proved_by` is the credential that the request proved itself with.
    """

    def __init__(self, row: ApiClient, credentials: Sequence[ClientCredential]) -> None:
        self.row = row
        self.credentials = credentials
        self.proved_by: ClientCredential | None = None

    @property
    def client_id(self) -> str:
        return self.row.client_id

    def get_client_id(self) -> str:
        return self.row.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether a live secret of the client is this one; every one of them is compared."""
        fitting = [
            one
            for one in self.credentials
            if one.secret_hash is not None and same(client_secret, one.secret_hash)
        ]
        self.proved_by = fitting[0] if fitting else None
        return bool(fitting)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        if self.proved_by is None:
            return False
        return bool(method == (SIGNATURE if self.proved_by.secret_hash is None else SECRET))

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for; everything the client has when nothing is named."""
        return scope or " ".join(self.row.scopes)


def query_client(client_id: str) -> Client | None:
    """The client of this name, unless it is suspended or revoked."""
    wired = wiring()
    with transaction(wired.engine, SERVER, read_only=True) as db:
        row = queries.client_named(db, client_id)
        if row is None or row.state != ClientState.ACTIVE:
            return None
        held = queries.credentials_of(db, row.id)
    now = wired.clock.now()
    return Client(row, [one for one in held if one.is_live(now)])


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

    def __call__(self, query_client: Any, request: Any) -> Client | None:  # noqa: ANN401
        """The client whose key signed the proof; every other proof has one and the same answer."""
        assertion = request.form.get("client_assertion")
        if request.form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            return None
        headers, claims = self._read(assertion)
        name, kid = claims.get("sub"), headers.get("kid")
        client = query_client(name) if isinstance(name, str) and "\0" not in name else None
        if not isinstance(client, Client) or not isinstance(kid, str | None):
            raise _not_accepted()
        for credential in _candidates(client, kid):
            decoded = _verified(assertion, credential)
            if decoded is not None:
                self._judge(client, decoded)
                client.proved_by = credential
                request.client = client
                return client
        raise _not_accepted()

    def get_audiences(self) -> list[str]:
        issuer = signer().issuer
        return [f"{issuer}/oauth/token", issuer]

    def _read(self, assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Header and claims, not verified yet: they only say whose keys to try."""
        try:
            headers, claims = self.extract_assertion(assertion)
        except InvalidClientError as error:
            raise _not_accepted() from error
        return headers, claims

    def _judge(self, client: Client, claims: Mapping[str, Any]) -> None:
        """Check the claims of a signature that is right, by our clock, and use the proof up."""
        now = wiring().clock.now()
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            # `sub` is what the client was found by.
            iss={"essential": True, "value": client.client_id},
            aud={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except (JoseError, ValueError, TypeError) as error:
            raise _not_accepted() from error
        # A proof names one audience (RFC 7523bis): one made for two could be used at the other.
        if claims["aud"] not in [*self.get_audiences(), *([one] for one in self.get_audiences())]:
            raise _not_accepted()
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= JTI_MAX or "\0" in jti:
            raise _not_accepted()
        if claims["exp"] > now.timestamp() + PROOF_LIFE.total_seconds() + LEEWAY:
            raise InvalidClientError("A proof may last ten minutes at most.", status_code=401)
        self._use_up(client, jti, datetime.fromtimestamp(claims["exp"], UTC))

    def _use_up(self, client: Client, jti: str, ends: datetime) -> None:
        """Note the proof as used; the table's key lets only one of two senders through."""
        with transaction(wiring().engine, SERVER) as db:
            first = db.execute(
                insert(ClientAssertion)
                .values(
                    client_id=client.row.id, jti=jti, expires_at=ends + timedelta(seconds=LEEWAY)
                )
                .on_conflict_do_nothing()
                .returning(ClientAssertion.jti)
            ).first()
        if not first:
            raise _not_accepted()


def _candidates(client: Client, kid: str | None) -> list[ClientCredential]:
    """The keys that may have signed: those that the header names, or all when it names none."""
    return [
        one
        for one in client.credentials
        if one.jwk is not None and (kid is None or kid in _names_of(one.jwk))
    ]


def _names_of(jwk: Mapping[str, Any]) -> set[object]:
    """What a header may call the key: its own `kid`, or its thumbprint (RFC 7638)."""
    bare = {name: value for name, value in jwk.items() if name != "kid"}
    return {jwk.get("kid"), import_key(bare).thumbprint()}


def _verified(assertion: str, credential: ClientCredential) -> dict[str, Any] | None:
    """The claims, when this key signed them by one of our algorithms."""
    jwk = {name: value for name, value in (credential.jwk or {}).items() if name != "kid"}
    try:
        return jwt.decode(assertion, import_key(jwk), algorithms=PROOF_ALGORITHMS).claims
    except (JoseError, ValueError, TypeError):
        return None


def _not_accepted() -> InvalidClientError:
    return InvalidClientError(NOT_ACCEPTED, status_code=401)


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
    proof = client.proved_by
    if audience is None or proof is None:
        raise InvalidScopeError
    quota.spend(client.row)
    jti = new_id().hex
    token = signer().issue(
        client_id=client.client_id,
        scopes=scopes,
        audience=audience,
        jti=jti,
        now=now,
        credential_id=proof.id,
    )
    with transaction(wired.engine, SERVER) as db:
        db.add(
            IssuedToken(
                token_hash=digest(token),
                jti=jti,
                credential_id=proof.id,
                expires_at=now + LIFETIME,
                scopes=scopes,
            )
        )
    note_use(client.row, proof)
    record_security_event(
        wired.engine,
        SecurityTag.TOKEN_ISSUED,
        circumstances(jti=jti, scopes=scopes, audience=audience.value, credential=str(proof.id)),
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
                client_in_good_standing(db, self.claims, wiring().clock.now())
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
