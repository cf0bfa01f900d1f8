"""What the internal API derives once in a process, at the first question, and keeps: its keys."""

from flask import current_app

from app.facilitation.chance import Chance, derived_key
from app.status_api.lookups import LookupRecord
from app.status_api.signing import StatusSigner
from app.status_api.status_list import StatusLists
from app.web.wiring import wiring


def signer() -> StatusSigner:
    """The keys of signed answers, read at the first question."""
    known = current_app.extensions
    if "fairway_status_signer" not in known:
        known["fairway_status_signer"] = StatusSigner.of(wiring().settings)
    found: StatusSigner = known["fairway_status_signer"]
    return found


def status_lists() -> StatusLists:
    """The maker of this process's status list."""
    known = current_app.extensions
    if "fairway_status_lists" not in known:
        known["fairway_status_lists"] = StatusLists(signer())
    found: StatusLists = known["fairway_status_lists"]
    return found


def chance() -> Chance:
    """The keys of decisions, derived at the first question."""
    known = current_app.extensions
    if "fairway_chance" not in known:
        known["fairway_chance"] = Chance(_secret())
    found: Chance = known["fairway_chance"]
    return found


def lookup_record() -> LookupRecord:
    """The key of lookup records, derived at the first question."""
    known = current_app.extensions
    if "fairway_lookup_record" not in known:
        known["fairway_lookup_record"] = LookupRecord(
            derived_key(_secret(), "fairway lookup record")
        )
    found: LookupRecord = known["fairway_lookup_record"]
    return found


def _secret() -> str:
    found = wiring().settings.secret_key
    if found is None:
        msg = "No secret key: set FAIRWAY_SECRET_KEY."
        raise RuntimeError(msg)
    return found
