"""The configured providers, as Authlib's Flask clients, with what the library leaves to us.

To be added to the library: it goes out through the door alone, to the issuer's own host and those
named beside it; the metadata must name the configured issuer (OpenID Connect Discovery §4.3),
unsigned and symmetrically signed tokens are never accepted, and the proof of who we are lives two
minutes instead of an hour.
"""

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The library's sessions are the door's: `register_providers` gives each client its own kind.
from authlib.integrations.flask_client import (  # house: one-door-out - as said in the line above.
    FlaskOAuth2App,
    OAuth,
)
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from flask import Flask, current_app
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from app.config import Settings
from app.door.purposes import sign_in
from app.door.sessions import sessions_through
from app.identity.keys import KeyFileError
from app.identity.oidc.rules import Side
from app.web.wiring import wiring

RELOAD_AFTER = 60 * 60
SIGNATURES = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"})
EXTENSION = "fairway_oidc"


class UntrustworthyError(Exception):
    """The provider's own description of itself contradicts what was configured."""


class ProviderClient(FlaskOAuth2App):  # type: ignore[misc]  # Authlib has no types.
    """Authlib's client, which believes no metadata but its issuer's own."""

    issuer: str

    def load_server_metadata(self) -> dict[str, Any]:
        now = wiring().clock.now().timestamp()
        if not 0 <= now - self.server_metadata.get("_loaded_at", now) < RELOAD_AFTER:
            # A key that the provider has taken back must not verify for as long as we run.
            self.server_metadata.clear()
        loaded = "_loaded_at" in self.server_metadata
        metadata: dict[str, Any] = super().load_server_metadata()
        if loaded:
            return metadata
        if metadata.get("issuer") != self.issuer:
            self.server_metadata.clear()
            msg = f"The provider at {self.issuer} calls itself {metadata.get('issuer')}."
            raise UntrustworthyError(msg)
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = sorted(SIGNATURES & set(offered))
        return metadata


class ShortProof(PrivateKeyJWT):  # type: ignore[misc]
    """`private_key_jwt` with the key's own algorithm and name, good for two minutes."""

    def __init__(self, key: RSAKey | ECKey | OKPKey, token_endpoint: str) -> None:
        super().__init__(token_endpoint, alg=algorithm_of(key))
        self.key = key

    def sign(self, auth: Any, token_endpoint: str) -> str:  # noqa: ANN401 - Authlib's own type.
        header = {"kid": self.key.kid} if self.key.kid else {}
        signed: str = private_key_jwt_sign(
            self.key,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=self.alg,
            header=header,
            expires_in=120,
        )
        return signed


@dataclass(frozen=True, slots=True)
class Provider:
    """One configured provider. `acr` is asked for, and nothing else is accepted."""

    side: Side
    issuer: str
    name: str
    acr: tuple[str, ...]
    client_id: str
    client: ProviderClient


def register_providers(app: Flask, settings: Settings) -> None:
    """Read the configured keys and make the clients; `KeyFileError` stops the start.

    The portal has the traders' provider alone, the console the agency's alone.
    """
    oauth = OAuth(app)
    sides = {
        "portal": {Side.TRADER},
        "console": {Side.AGENCY},
        "api": set[Side](),
        "all": set(Side),
    }[str(app.config["SURFACE"])]
    found: dict[Side, Provider] = {}
    for side in sorted(sides):
        told = settings.oidc(side.value)
        if told is None:
            continue
        key = read_key(Path(told.key))
        client = oauth.register(
            f"oidc_{side.value}",
            client_cls=ProviderClient,
            client_id=told.client_id,
            client_secret=key,
            server_metadata_url=f"{told.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_auth_methods=[ShortProof(key, "")],
            client_kwargs={
                "scope": "openid email profile" if side is Side.AGENCY else "openid email",
                "token_endpoint_auth_method": "private_key_jwt",
                "code_challenge_method": "S256",
            },
        )
        client.client_cls = sessions_through(sign_in(told.issuer, told.hosts))
        client.issuer = told.issuer
        found[side] = Provider(side, told.issuer, told.name, told.acr, told.client_id, client)
    app.extensions[EXTENSION] = found


def configured() -> dict[Side, Provider]:
    """The providers of the current application."""
    found: dict[Side, Provider] = current_app.extensions[EXTENSION]
    return found


def algorithm_of(key: RSAKey | ECKey | OKPKey) -> str:
    """How this key signs."""
    match key:
        case RSAKey():
            return "RS256"
        case ECKey():
            return {"P-256": "ES256", "P-384": "ES384"}.get(key.curve_name, "ES512")
        case OKPKey():
            return "EdDSA"


def read_key(path: Path) -> RSAKey | ECKey | OKPKey:
    """Fairway's own private key at a provider: a JWK, the first of a JWK Set, or a PEM file.

    `KeyFileError` when there is none, when others can read it, or when it is no private key.
    """
    try:
        mode, content = path.stat().st_mode, path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The key file {path} cannot be read."
        raise KeyFileError(msg) from error
    if stat.S_IMODE(mode) & 0o077:
        msg = f"{path} can be read by other accounts. Make it 0600, and consider a new key."
        raise KeyFileError(msg)
    try:
        key = _key_of(content)
    except (JoseError, ValueError, TypeError, KeyError, IndexError) as error:
        msg = f"{path} is neither a JSON Web Key nor a PEM file with a private key."
        raise KeyFileError(msg) from error
    if not isinstance(key, RSAKey | ECKey | OKPKey) or not key.is_private:
        msg = f"{path} holds no private key that can sign."
        raise KeyFileError(msg)
    return key


def _key_of(content: str) -> object:
    if content.startswith("{"):
        told = json.loads(content)
        return KeySet.import_key_set(told).keys[0] if "keys" in told else import_key(told)
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(content)
        except (JoseError, ValueError, TypeError):
            continue
    return None
