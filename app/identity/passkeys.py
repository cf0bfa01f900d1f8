"""Passkeys (W3C WebAuthn 3): what the browser is asked, and what of its answer is believed.

User verification is required and the key is discoverable, so that a passkey is two factors by
itself: the device, and what opens it. The key works for this host alone, which is why a page that
looks like ours cannot ask for it. Nothing here touches the database.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.identity.models import Passkey

LONGEST = 20_000  # Characters of a browser's answer; a key of any kind needs a tenth of it.
TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "hybrid", "smart-card", "cable"})


class PasskeyRefusedError(Exception):
    """The browser's answer is not believed; the text says why, for the record and not the page.

    `owner` is whose key it was, as far as that is known.
    """

    def __init__(self, why: str, owner: uuid.UUID | None = None) -> None:
        super().__init__(why)
        self.owner = owner


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For which site a passkey is: the host that it is bound to, and the origin that may ask."""

    id: str
    origin: str


def relying_party(address: str) -> RelyingParty:
    """The site at the public address, as `FAIRWAY_PUBLIC_URL` has it or localhost."""
    parts = urlsplit(address)
    return RelyingParty(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def creation_options(
    site: RelyingParty,
    challenge: bytes,
    *,
    person_id: uuid.UUID,
    email: str,
    name: str,
    existing: Iterable[Passkey],
) -> dict[str, Any]:
    """What `navigator.credentials.create` is given, as JSON."""
    options = generate_registration_options(
        rp_id=site.id,
        rp_name="Fairway",
        user_id=person_id.bytes,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_named(existing),
    )
    return cast("dict[str, Any]", json.loads(options_to_json(options)))


def request_options(
    site: RelyingParty, challenge: bytes, allowed: Iterable[Passkey] = ()
) -> dict[str, Any]:
    """What `navigator.credentials.get` is given, as JSON; without `allowed`, any key of the site."""
    options = generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        allow_credentials=_named(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return cast("dict[str, Any]", json.loads(options_to_json(options)))


def read_answer(text: str) -> dict[str, Any]:
    """The browser's answer; `PasskeyRefusedError` when it is not even JSON of the right size."""
    if len(text) > LONGEST:
        raise PasskeyRefusedError("too-long")
    try:
        found = json.loads(text)
    except ValueError:
        raise PasskeyRefusedError("malformed") from None
    if not isinstance(found, dict):
        raise PasskeyRefusedError("malformed")
    return found


def credential_id(answer: dict[str, Any]) -> bytes:
    """Which key the answer names."""
    try:
        return base64url_to_bytes(str(answer["rawId"]))
    except (KeyError, ValueError):
        raise PasskeyRefusedError("malformed") from None


def transports(answer: dict[str, Any]) -> list[str]:
    """How the device says that it can be reached: a hint, cut down to the known words."""
    response = answer.get("response")
    told = response.get("transports") if isinstance(response, dict) else None
    return sorted(TRANSPORTS & {str(one) for one in told}) if isinstance(told, list) else []


def verify_new(
    site: RelyingParty, challenge: bytes, answer: dict[str, Any]
) -> VerifiedRegistration:
    """A new key that the device has just made for this site and this challenge."""
    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefusedError(str(error)[:200]) from error


def verify_use(
    site: RelyingParty, challenge: bytes, answer: dict[str, Any], key: Passkey
) -> VerifiedAuthentication:
    """A signature by `key` over this challenge, for this site, by a verified user.

    A counter that did not grow tells of a copied key and is refused as well.
    """
    handle = answer.get("response", {}).get("userHandle")
    try:
        if handle and base64url_to_bytes(str(handle)) != key.person_id.bytes:
            raise ValueError("another person's")  # noqa: TRY301 - told as all the others are.
        return verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefusedError(str(error)[:200], key.person_id) from error


def _named(keys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=key.credential_id) for key in keys]
