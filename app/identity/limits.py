"""Slowing down guessing: limits by address and by email, and the lock after five failures.

Numbers: 10 sign-ins in 5 minutes and 5 resets a day as at PyPI, a lock of 10 minutes after 5
failures as at login.gov (NIST SP 800-53 AC-7). `app.config["LIMITS_ON"] = False` lifts them, for
browser journeys that sign many people in from one address.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from flask import Response, current_app, request, session
from flask_limiter import Limiter, RequestLimit
from limits.storage import Storage
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import TooManyRequests

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.identity import rate_store
from app.web.requests import circumstances
from app.web.wiring import wiring

FAILURES = 5
SECOND_FACTOR = (
    (5, timedelta(minutes=5)),
    (20, timedelta(hours=1)),
    (50, timedelta(days=1)),
)
UNVERIFIED = "unverified_person"
LOCK = timedelta(minutes=10)


class PostgresStorage(Storage):
    """What Flask-Limiter counts with; the library itself has no storage on PostgreSQL."""

    STORAGE_SCHEME = ["fairway"]  # noqa: RUF012 - the library's own declaration.

    @property
    def base_exceptions(self) -> type[Exception]:
        return OperationalError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        wired = wiring()
        return rate_store.count(
            wired.engine,
            key,
            now=wired.clock.now(),
            lasts=timedelta(seconds=expiry),
            amount=amount,
        ).count

    def get(self, key: str) -> int:
        wired = wiring()
        found = rate_store.read(wired.engine, key, now=wired.clock.now())
        return 0 if found is None else found.count

    def get_expiry(self, key: str) -> float:
        wired = wiring()
        now = wired.clock.now()
        found = rate_store.read(wired.engine, key, now=now)
        return (now if found is None else found.ends).timestamp()

    def check(self) -> bool:
        rate_store.read(wiring().engine, "", now=wiring().clock.now())
        return True

    def reset(self) -> int | None:
        rate_store.forget(wiring().engine)
        return None

    def clear(self, key: str) -> None:
        rate_store.forget(wiring().engine, key)


def by_address() -> str:
    """Count for the sender's address."""
    return f"address:{request.remote_addr}"


def by_nobody() -> str:
    """One count for the whole world."""
    return "everybody"


def by_email() -> str:
    """Count for the email that was typed, whoever sends it."""
    email = request.form.get("email", "").strip()
    return f"email:{keyed(email)}" if email else by_address()


def by_unverified() -> str:
    """Count for the person who waits for a letter."""
    return f"person:{session.get(UNVERIFIED, '')}"


def keyed(value: str) -> str:
    """A name for an email that cannot be turned back into it without the service's key."""
    secret = str(current_app.secret_key).encode()
    return hmac.new(secret, value.strip().casefold().encode(), hashlib.sha256).hexdigest()


def refuse(limit: RequestLimit) -> None:
    """Answer 429 with the seconds to wait, and record it."""
    wired = wiring()
    wait = ceil(limit.window.reset_time - wired.clock.now().timestamp())
    record_security_event(
        wired.engine,
        SecurityTag.RATE_LIMITED,
        circumstances(endpoint=request.endpoint, limit=str(limit.limit)),
    )
    raise TooManyRequests(retry_after=max(1, wait))


limiter = Limiter(
    by_address,
    storage_uri="fairway://",
    strategy="fixed-window",
    on_breach=refuse,
)


@limiter.request_filter
def lifted() -> bool:
    """Whether limits are off in this application."""
    return not current_app.config.get("LIMITS_ON", True)


def failed(response: Response) -> bool:
    """Whether an answer counts against an address from which many people may come."""
    return response.status_code >= 400  # noqa: PLR2004 - the border that HTTP draws.


def sent(response: Response) -> bool:
    """Whether a letter went out: correcting a mistake in a form costs nothing."""
    return response.status_code < 400  # noqa: PLR2004 - the border that HTTP draws.


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a password, counted before it is judged, so that parallel tries count too."""

    key: str
    number: int
    wait: timedelta

    @property
    def locked(self) -> bool:
        return self.number > FAILURES

    @property
    def locks(self) -> bool:
        """Whether this try, if it fails, is the one that locks."""
        return self.number == FAILURES


def begin_attempt(purpose: str, who: str) -> Attempt:
    """Count a try of `who` from this address; the fifth in ten minutes that fails locks."""
    key = f"{purpose}:{keyed(who)}:{request.remote_addr}"
    if lifted():
        return Attempt(key, 1, timedelta())
    wired = wiring()
    now = wired.clock.now()
    counted = rate_store.count(wired.engine, key, now=now, lasts=LOCK, stretch_to=FAILURES)
    return Attempt(key, counted.count, counted.ends - now)


def begin_second_factor(person_id: uuid.UUID) -> timedelta | None:
    """Count a try at a person's second factor before it is judged; the wait, when it is too many.

    5 in 5 minutes, 20 in an hour, 50 in a day, as at PyPI, from wherever they come.
    """
    if lifted():
        return None
    wired = wiring()
    now = wired.clock.now()
    waits = []
    for most, lasts in SECOND_FACTOR:
        counted = rate_store.count(wired.engine, _second(person_id, lasts), now=now, lasts=lasts)
        if counted.count > most:
            waits.append(counted.ends - now)
    return max(waits, default=None)


def succeed_second_factor(person_id: uuid.UUID) -> None:
    """The try was right, so it does not count; wrong ones before it do."""
    if lifted():
        return
    wired = wiring()
    for _, lasts in SECOND_FACTOR:
        key = _second(person_id, lasts)
        rate_store.count(wired.engine, key, now=wired.clock.now(), lasts=lasts, amount=-1)


def _second(person_id: uuid.UUID, lasts: timedelta) -> str:
    return f"second-factor:{person_id}:{int(lasts.total_seconds())}"


def succeed(attempt: Attempt) -> None:
    """The try was right: forget the failures before it."""
    rate_store.forget(wiring().engine, attempt.key)
