"""What can be done to a trader, its profile, its identifiers and its people."""

from app.traders.service.company import change_company, register_trader, take_on_trader
from app.traders.service.identifiers import (
    claim_identifier,
    refuse_identifier,
    resolve_conflict,
    take_on_identifier,
    verify_identifier,
    withdraw_identifier,
)
from app.traders.service.officers import end_everywhere, invite_officer, lock_people, relieve
from app.traders.service.people import (
    accept_appointment,
    appoint,
    change_role,
    end_appointment,
)
from app.traders.service.profile import (
    add_contact,
    add_site,
    change_bond,
    change_contact,
    change_site,
    record_bond,
    remove_contact,
    remove_site,
)

__all__ = [
    "accept_appointment",
    "add_contact",
    "add_site",
    "appoint",
    "change_bond",
    "change_company",
    "change_contact",
    "change_role",
    "change_site",
    "claim_identifier",
    "end_appointment",
    "end_everywhere",
    "invite_officer",
    "lock_people",
    "record_bond",
    "refuse_identifier",
    "register_trader",
    "relieve",
    "remove_contact",
    "remove_site",
    "resolve_conflict",
    "take_on_identifier",
    "take_on_trader",
    "verify_identifier",
    "withdraw_identifier",
]
