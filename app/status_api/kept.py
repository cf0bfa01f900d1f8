"""What the internal API derives once in a process, at the first question, and keeps: its keys."""

from collections.abc import Callable
from typing import TypeVar, cast

from flask import current_app

from app.config import Settings
from app.facilitation.chance import Chance, derived_key
from app.status_api.lookups import LookupRecord
from app.status_api.signing import StatusSigner
from app.status_api.status_list import StatusLists
from app.web.wiring import wiring

Kept = TypeVar("Kept")


def signer() -> StatusSigner:
    """The keys of signed answers."""
    return _once("status_signer", lambda: StatusSigner.of(wiring().settings))


def status_lists() -> StatusLists:
    """The maker of this process's status list."""
    return _once("status_lists", lambda: StatusLists(signer()))


def chance() -> Chance:
    """The keys of decisions."""
    return _once("chance", lambda: Chance(_secret()))


def lookup_record() -> LookupRecord:
    """The key of lookup records."""
    return _once("lookup_record", lambda: lookup_record_of(wiring().settings))


def lookup_record_of(settings: Settings) -> LookupRecord:
    """The same for a process without an application: the feeder."""
    return LookupRecord(derived_key(_secret_of(settings), "fairway lookup record"))


def _once(name: str, make: Callable[[], Kept]) -> Kept:
    known = current_app.extensions
    key = f"fairway_{name}"
    if key not in known:
        known[key] = make()
    return cast("Kept", known[key])


def _secret() -> str:
    return _secret_of(wiring().settings)


def _secret_of(settings: Settings) -> str:
    found = settings.secret_key
    if found is None:
        msg = "No secret key: set FAIRWAY_SECRET_KEY."
        raise RuntimeError(msg)
    return found
