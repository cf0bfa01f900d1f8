"""What changes about people, the agency's staff and API clients."""

from app.identity.service.clients import create_client, revoke_client
from app.identity.service.people import (
    add_person,
    change_password,
    end_person,
    renew_hash,
    request_reset,
    reset_password,
    send_verification,
    sign_up,
    verify_mail,
)
from app.identity.service.staff import give_role, invite_staff, join_staff

__all__ = [
    "add_person",
    "change_password",
    "create_client",
    "end_person",
    "give_role",
    "invite_staff",
    "join_staff",
    "renew_hash",
    "request_reset",
    "reset_password",
    "revoke_client",
    "send_verification",
    "sign_up",
    "verify_mail",
]
