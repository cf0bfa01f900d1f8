"""To the provider and back: what is kept while somebody is away, and what is believed after.

What waits is in the server-side session, bound to the browser that began: the state, nonce and
PKCE verifier of each attempt, and later the identity that waits for its owner's consent.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from authlib.integrations.base_client import OAuthError
from flask import request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from app.identity.oidc.providers import Provider, UntrustworthyError, configured
from app.identity.oidc.rules import (
    SKEW,
    WAITS_FOR,
    Identity,
    Purpose,
    Reason,
    Side,
    assured,
)
from app.kernel.errors import NotFoundError
from app.web.wiring import wiring

WAITING = "oidc_waiting"
STOPPED = "oidc_stopped"
OPENED_BY = "oidc"
ATTEMPTS = 4

# What a provider may say instead of giving a code (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
ERRORS = {
    "access_denied": Reason.CANCELLED,
    "temporarily_unavailable": Reason.AWAY,
    "server_error": Reason.AWAY,
    "unmet_authentication_requirements": Reason.ASSURANCE,
}


class StoppedError(Exception):
    """The way through the provider ended; `reason` says why, `detail` is for the record."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt as it was when the browser was sent away. `at` is in seconds of the Unix epoch."""

    purpose: Purpose
    wanted: str
    at: float


def provider_for(side: str) -> Provider:
    """The configured provider of a side; `NotFoundError` when there is none on this surface."""
    found = configured().get(Side(side))
    if found is None:
        raise NotFoundError
    return found


def send_away(provider: Provider, purpose: Purpose, *, wanted: str) -> Response:
    """Begin an attempt and redirect to the provider.

    A step-up asks for a new proof whatever session the provider still has. Errors:
    `StoppedError` when the provider does not answer or is not who it should be.
    """
    site = wiring().settings.address
    home = f"{site}{url_for('oidc.callback', side=provider.side.value)}"
    asked: dict[str, str] = {"acr_values": " ".join(provider.acr), "response_type": "code"}
    if purpose is not Purpose.SIGN_IN:
        asked |= {"prompt": "login", "max_age": "0"}
    try:
        made = provider.client.create_authorization_url(home, **asked)
    except (RequestException, ValueError, RuntimeError) as error:
        raise StoppedError(Reason.AWAY, type(error).__name__) from error
    except UntrustworthyError as error:
        raise StoppedError(Reason.ISSUER, str(error)) from error
    _forget_oldest(provider)
    provider.client.save_authorize_data(
        redirect_uri=home,
        purpose=purpose.value,
        wanted=wanted,
        at=wiring().clock.now().timestamp(),
        **made,
    )
    response = Response(status=303)
    response.location = made["url"]
    return response


def come_back(provider: Provider) -> tuple[Begun, Identity]:
    """Judge the answer that the browser brings from the provider.

    In order: the attempt is this browser's, not too old, and is used up; the answer is of this
    provider (RFC 9207); it is no refusal; the code is good; the ID token is signed by the provider
    for us, now, and for this attempt; the assurance is enough. `StoppedError` otherwise.
    """
    client = provider.client
    state = request.args.get("state", "")
    kept = client.framework.get_state_data(session, state)
    now = wiring().clock.now().timestamp()
    if kept is None or now - kept["at"] > WAITS_FOR.total_seconds():
        client.framework.clear_state_data(session, state)
        raise StoppedError(Reason.STATE)
    begun = Begun(Purpose(kept["purpose"]), kept["wanted"], kept["at"])
    try:
        _check_sender(provider)
        error = request.args.get("error")
        if error is not None:
            raise StoppedError(ERRORS.get(error, Reason.REFUSED), error[:60])
        return begun, _identity(provider)
    except (OAuthError, JoseError, KeyError, TypeError) as refused:
        raise StoppedError(Reason.TOKEN, type(refused).__name__) from refused
    except UntrustworthyError as refused:
        raise StoppedError(Reason.ISSUER, str(refused)) from refused
    except (RequestException, ValueError) as refused:
        raise StoppedError(Reason.AWAY, type(refused).__name__) from refused
    finally:
        client.framework.clear_state_data(session, state)


def _check_sender(provider: Provider) -> None:
    """An answer that another provider gave must not be taken for this one's (RFC 9207 §2.4)."""
    metadata = provider.client.load_server_metadata()
    sender = request.args.get("iss")
    required = metadata.get("authorization_response_iss_parameter_supported") is True
    if sender is None and not required:
        return
    if sender != provider.issuer:
        raise StoppedError(Reason.ISSUER, "iss")


def _identity(provider: Provider) -> Identity:
    essential = {"essential": True}
    token = provider.client.authorize_access_token(
        claims_options={
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "sub": essential,
            "exp": essential,
            "iat": essential,
            "nonce": essential,
        },
        leeway=int(SKEW.total_seconds()),
    )
    claims: dict[str, Any] = dict(token["userinfo"])
    acr = claims.get("acr")
    if not isinstance(acr, str) or not assured(acr, provider.acr):
        raise StoppedError(Reason.ASSURANCE, str(acr)[:120])
    told = claims
    if "email" not in claims and provider.client.server_metadata.get("userinfo_endpoint"):
        told = dict(provider.client.userinfo(token=token))
        if told.get("sub") != claims["sub"]:
            # OpenID Connect Core §5.3.2: such an answer is about somebody else.
            raise StoppedError(Reason.TOKEN, "userinfo")
    auth_time = claims.get("auth_time")
    return Identity(
        side=provider.side,
        issuer=provider.issuer,
        subject=_text(claims["sub"]),
        email=_text(told.get("email")),
        email_verified=told.get("email_verified") is True,
        name=_text(told.get("name")),
        acr=acr,
        auth_time=auth_time if isinstance(auth_time, int) else None,
    )


def keep_waiting(identity: Identity, purpose: Purpose, wanted: str) -> None:
    """Keep an identity until its owner has read what will become of it."""
    session[WAITING] = {
        "identity": asdict(identity),
        "purpose": purpose.value,
        "wanted": wanted,
        "since": wiring().clock.now().isoformat(),
    }


def waiting(side: Side, purpose: Purpose) -> tuple[Identity, str] | None:
    """The identity that waits in this browser, and where it wanted to go; for ten minutes."""
    kept = session.get(WAITING)
    if kept is None or kept["purpose"] != purpose.value or kept["identity"]["side"] != side.value:
        return None
    if wiring().clock.now() - datetime.fromisoformat(kept["since"]) > WAITS_FOR:
        return None
    return Identity(**{**kept["identity"], "side": side}), kept["wanted"]


def forget_waiting() -> None:
    """Nothing waits any more."""
    session.pop(WAITING, None)


def opened_by(identity: Identity) -> dict[str, str]:
    """What a session keeps about the identity that opened it."""
    return {"side": identity.side.value, "issuer": identity.issuer}


def logout_address(side: str) -> str | None:
    """Where a person can sign out of the provider too; `None` when it offers no such thing."""
    provider = configured().get(Side(side))
    if provider is None:
        return None
    try:
        made = provider.client.create_logout_url(
            post_logout_redirect_uri=f"{wiring().settings.address}/sign-in",
            client_id=provider.client_id,
        )
    except (RequestException, RuntimeError, ValueError, UntrustworthyError):
        return None
    return str(made["url"])


def _forget_oldest(provider: Provider) -> None:
    """A browser that begins again and again does not fill its session."""
    prefix = f"_state_{provider.client.name}_"
    kept = sorted((key for key in session if key.startswith(prefix)), key=_expiry)
    for key in kept[: max(0, len(kept) - ATTEMPTS + 1)]:
        session.pop(key)


def _expiry(key: str) -> float:
    return float(session[key]["exp"])


def _text(value: object) -> str:
    """A claim as one line that can be shown; anything but a text is none."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value if char.isprintable()).strip()[:255]
