"""What changes about people, the agency's staff and API clients."""

from app.identity.service.clients import (
    create_client,
    review_idle,
    revoke_client,
    set_quota,
    wake_client,
)
from app.identity.service.credentials import revoke_credential, rotate_credential
from app.identity.service.factors import (
    add_passkey,
    come_back,
    invite_back,
    remove_authenticator,
    remove_passkey,
    renew_recovery_codes,
    set_authenticator,
    tell,
)
from app.identity.service.people import (
    add_person,
    change_password,
    end_person,
    renew_hash,
    request_reset,
    reset_password,
    send_verification,
    sign_out,
    sign_up,
    verify_mail,
)
from app.identity.service.staff import give_role, invite_staff, join_staff

__all__ = [
    "add_passkey",
    "add_person",
    "change_password",
    "come_back",
    "create_client",
    "end_person",
    "give_role",
    "invite_back",
    "invite_staff",
    "join_staff",
    "remove_authenticator",
    "remove_passkey",
    "renew_hash",
    "renew_recovery_codes",
    "request_reset",
    "reset_password",
    "review_idle",
    "revoke_client",
    "revoke_credential",
    "rotate_credential",
    "send_verification",
    "set_authenticator",
    "set_quota",
    "sign_out",
    "sign_up",
    "tell",
    "verify_mail",
    "wake_client",
]
