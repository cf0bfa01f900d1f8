"""How long a session lasts and what a password must be: pure decisions.

Sources: NIST SP 800-63B-4 §3.1.1 (passwords: length and a blocklist, no composition rules) and
§5.2 (sessions: 12 hours in all, 30 minutes idle; 15 minutes for the agency's people).
"""

import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from app.kernel.errors import Problem

TOTAL = timedelta(hours=12)
IDLE = timedelta(minutes=30)
IDLE_AGENCY = timedelta(minutes=15)
ANONYMOUS_LIFE = timedelta(hours=2)
TOUCH_EVERY = timedelta(minutes=1)
FRESH_FOR = timedelta(minutes=5)

VERIFY_WITHIN = timedelta(hours=24)
RESET_WITHIN = timedelta(hours=1)
JOIN_WITHIN = timedelta(days=7)
RECOVER_WITHIN = timedelta(days=1)
CHALLENGE_WITHIN = timedelta(minutes=5)

PASSWORD_MIN = 12
PASSWORD_MAX = 256
GUESSES_MIN = 10**10
"""Safe against guessing offline at a slow hash, in the words of the library's authors."""
ESTIMATED = 72
SERVICE_WORDS = ("fairway", "customs", "importer", "broker", "trader", "compliance", "officer")
FAMOUS = {"correct horse battery staple", "correcthorsebatterystaple"}
"""Hard to guess once, and known to everybody since they were drawn."""


class Method(StrEnum):
    """By what a session began.

    `PASSWORD` and `INVITATION` are half: the first of two proofs was given, and nothing is open
    but the second, or enrolling it. An invitation is a link from the agency together with the
    password; it alone lets somebody enrol who should have a factor already.
    """

    PASSWORD = "password"  # noqa: S105 - the name of a method.
    INVITATION = "invitation"
    PASSWORD_TOTP = "password+totp"  # noqa: S105 - the same.
    PASSWORD_RECOVERY = "password+recovery-code"  # noqa: S105 - the same.
    PASSKEY = "passkey"
    OIDC = "oidc"
    DEMO = "demo"


HALF = frozenset({Method.PASSWORD, Method.INVITATION})
PHISHING_RESISTANT = frozenset({Method.PASSKEY, Method.OIDC, Method.DEMO})


def is_complete(method: Method, *, at_agency: bool) -> bool:
    """Whether a session that began so opens anything.

    For the agency's people only what cannot be phished counts (OMB M-22-09). A provider's sign-in
    is offered to them only where it vouches for that; the demonstration is closed to the world.
    """
    return method in PHISHING_RESISTANT if at_agency else method not in HALF


def may_enrol(method: Method, *, has_factor: bool) -> bool:
    """Whether a half session may set up a factor: the first one, or by the agency's link.

    A password alone must not, where a factor exists; else the factor would protect nothing.
    """
    return method is Method.INVITATION or (method is Method.PASSWORD and not has_factor)


class Lapse(StrEnum):
    """Why a session no longer counts."""

    REVOKED = "revoked"
    TOTAL = "total"
    IDLE = "idle"
    PERSON_ENDED = "person-ended"


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What decides about a session."""

    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    signed_in: bool
    at_agency: bool = False
    person_ended_at: datetime | None = None


def idle_limit(*, at_agency: bool) -> timedelta:
    """How long a signed-in person may do nothing."""
    return IDLE_AGENCY if at_agency else IDLE


def ends_in(facts: SessionFacts, now: datetime) -> tuple[timedelta, timedelta]:
    """How long a live session lasts if nothing is done from now on, and at most.

    The first may be short by a minute, since a request within a minute of another is not noted.
    """
    left = facts.expires_at - now
    return min(left, idle_limit(at_agency=facts.at_agency) - TOUCH_EVERY), left


def lapse_of(facts: SessionFacts, now: datetime) -> Lapse | None:
    """Why the session no longer counts at `now`, or `None` while it does.

    Every limit is exclusive: at the very instant of its end a session has ended.
    """
    if facts.revoked_at is not None:
        return Lapse.REVOKED
    if facts.person_ended_at is not None:
        return Lapse.PERSON_ENDED
    if now >= facts.expires_at:
        return Lapse.TOTAL
    idle = idle_limit(at_agency=facts.at_agency)
    if facts.signed_in and now >= facts.last_seen_at + idle:
        return Lapse.IDLE
    return None


def is_fresh(fresh_at: datetime | None, now: datetime) -> bool:
    """Whether the person proved who they are within the last five minutes."""
    return fresh_at is not None and fresh_at <= now < fresh_at + FRESH_FOR


def normalise_password(password: str) -> str:
    """The form in which a password is hashed: one for each of its spellings in Unicode (NFC)."""
    return unicodedata.normalize("NFC", password)


def password_problems(password: str, *, email: str, name: str = "") -> list[Problem]:
    """What is wrong with a new password, beside the field `password`.

    Length, and how many guesses somebody would need who knows the 30,000 passwords most used in
    past breaches, names, words, keyboards, dates, and whom the password is for (`zxcvbn`). Rules
    about kinds of characters make passwords worse (NIST SP 800-63B-4 §3.1.1.2).
    """
    password = normalise_password(password)
    if len(password) < PASSWORD_MIN:
        return [
            Problem(
                "Use at least %(count)s characters. Several words together are easy to remember.",
                field="password",
                code="too-short",
                params={"count": PASSWORD_MIN},
            )
        ]
    if len(password) > PASSWORD_MAX:
        return [
            Problem(
                "Use at most %(count)s characters.",
                field="password",
                code="too-long",
                params={"count": PASSWORD_MAX},
            )
        ]
    folded = password.casefold()
    if folded in _own_words(email, name):
        return [
            Problem(
                "Choose a password that is not your own email address or name.",
                field="password",
                code="own-word",
            )
        ]
    if folded in FAMOUS or guesses(folded, email=email, name=name) < GUESSES_MIN:
        return [
            Problem(
                "This password is one of those that are tried first. Choose another: several words"
                " that do not belong together are good.",
                field="password",
                code="common",
            )
        ]
    return []


def guesses(password: str, *, email: str, name: str) -> int:
    """About how many guesses a password would take from somebody who knows whose it is."""
    # Its lists of words take more memory than all our rules, and a worker asks for no password.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    known = [*SERVICE_WORDS, *_own_words(email, name), *name.casefold().split()]
    # The estimate's work grows with the square of the length; what follows can only be harder.
    return int(zxcvbn(password[:ESTIMATED], user_inputs=known)["guesses"])


def _own_words(email: str, name: str) -> AbstractSet[str]:
    folded = email.casefold()
    return {folded, folded.partition("@")[0], name.casefold(), name.casefold().replace(" ", "")}


def local_path(wanted: str | None) -> str:
    """A path of this site to go to after signing in; the start page for anything else.

    Browsers read two slashes of either kind at the start as the name of another site.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    if any(not char.isprintable() or char == "\\" for char in wanted):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted
