"""The addresses of the authorisation server. Programs call them; no cookie means anything here."""

from flask import Blueprint, Response, jsonify

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.permissions import Permission
from app.identity import limits
from app.identity.authorization import METHODS, PROOF_ALGORITHMS, server
from app.identity.recognise import signer
from app.identity.scopes import SCOPES
from app.web.access import requires
from app.web.requests import circumstances
from app.web.wiring import wiring

blueprint = Blueprint("oauth", __name__)
PER_ADDRESS = "60 per minute"


@blueprint.post("/oauth/token")
@requires(Permission.PUBLIC)
@limits.limiter.limit(PER_ADDRESS, deduct_when=limits.failed)
def token() -> Response:
    """A token for a client that proves itself (RFC 6749 §4.4)."""
    return _answer(server.create_token_response())


@blueprint.post("/oauth/revoke")
@requires(Permission.PUBLIC)
@limits.limiter.limit(PER_ADDRESS, deduct_when=limits.failed)
def revoke() -> Response:
    """Revoke a token of one's own (RFC 7009)."""
    return _answer(server.create_endpoint_response("revocation"))


@blueprint.post("/oauth/introspect")
@requires(Permission.PUBLIC)
@limits.limiter.limit(PER_ADDRESS, deduct_when=limits.failed)
def introspect() -> Response:
    """Ask about a token of one's own (RFC 7662)."""
    return _answer(server.create_endpoint_response("introspection"))


@blueprint.get("/.well-known/jwks.json")
@requires(Permission.PUBLIC)
def keys() -> Response:
    """The public halves of the keys that sign tokens (RFC 7517)."""
    return jsonify(signer().keys.as_dict(private=False))


@blueprint.get("/.well-known/oauth-authorization-server")
@requires(Permission.PUBLIC)
def metadata() -> Response:
    """What this server can do (RFC 8414)."""
    issuer = signer().issuer
    facts = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": sorted(scope for one in SCOPES.values() for scope in one),
    }
    for endpoint in ("token", "revocation", "introspection"):
        facts[f"{endpoint}_endpoint_auth_methods_supported"] = METHODS
        facts[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = PROOF_ALGORITHMS
    return jsonify(facts)


def _answer(response: Response) -> Response:
    """Record a refused client; whoever may ask is told no more than the standard says."""
    if response.status_code == 401:  # noqa: PLR2004 - HTTP's own number.
        record_security_event(
            wiring().engine, SecurityTag.TOKEN_REFUSED, circumstances(why="client")
        )
    return response
