"""Who gets in through a provider: pure decisions over what the provider has signed.

Sources: OpenID Connect Core 1.0 §§3.1.2.1, 3.1.3.7, 5.7 (issuer and subject are the only stable
name of a person); NIST SP 800-63B-4 §2 (assurance levels); OMB M-22-09 §A.2 (the agency's own
people sign in phishing-resistantly); OpenID Enhanced Authentication Profile ACR Values (phr, phrh).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SKEW = timedelta(seconds=30)
WAITS_FOR = timedelta(minutes=10)


class Side(StrEnum):
    """Whose people a provider is for; the one can never open what belongs to the other."""

    TRADER = "trader"
    AGENCY = "agency"


class Purpose(StrEnum):
    """Why somebody was sent to the provider."""

    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    LINK = "link"


class Reason(StrEnum):
    """Why a way through the provider ended without a sign-in."""

    CANCELLED = "cancelled"
    AWAY = "away"
    STATE = "state"
    ISSUER = "issuer"
    TOKEN = "token"  # noqa: S105 - the name of a reason.
    REFUSED = "refused"
    ASSURANCE = "assurance"
    UNVERIFIED = "unverified"
    NOT_INVITED = "not-invited"
    WRONG_SIDE = "wrong-side"
    ENDED = "ended"
    OTHER_PERSON = "other-person"
    TAKEN = "taken"
    STALE = "stale"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider has signed about somebody. `auth_time` is in seconds of the Unix epoch."""

    side: Side
    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    acr: str = ""
    auth_time: int | None = None

    @property
    def address(self) -> str:
        """The address, empty unless the provider vouches for it."""
        return self.email if self.email_verified else ""


@dataclass(frozen=True, slots=True)
class Account:
    """What Fairway knows about a person whom an identity might open."""

    ended: bool = False
    staff: bool = False


def assured(acr: str, accepted: Collection[str]) -> bool:
    """Whether the way in which the person proved themselves is one of those that are enough.

    Compared as a whole, because a prefix of an accepted value is a weaker one.
    """
    return acr in accepted


def refusal_of_linked(side: Side, account: Account) -> Reason | None:
    """Why an identity that is bound to a person opens nothing, or `None` when it does.

    A trader's provider never opens the account of somebody who works at the agency, nor the
    agency's the account of somebody who does not (any more).
    """
    if account.ended:
        return Reason.ENDED
    if account.staff != (side is Side.AGENCY):
        return Reason.WRONG_SIDE
    return None


def refusal_of_new(identity: Identity, account: Account | None, *, invited: bool) -> Reason | None:
    """Why an identity that nobody is bound to cannot begin, or `None` when it may.

    `account` is the person with the same verified address. A trader's is never opened by the
    address alone: `KNOWN` asks its owner to prove it first. The agency's people begin by
    invitation only, which names the address and was sent by the agency itself.
    """
    if not identity.address:
        return Reason.UNVERIFIED
    if account is not None and account.ended:
        return Reason.ENDED
    if identity.side is Side.AGENCY:
        if invited:
            return None
        return Reason.KNOWN if account is not None and account.staff else Reason.NOT_INVITED
    if account is None:
        return None
    return Reason.WRONG_SIDE if account.staff else Reason.KNOWN


def proved_since(auth_time: int | None, begun: float) -> bool:
    """Whether the provider saw a proof after the moment `begun`, give or take the clocks."""
    return auth_time is not None and auth_time >= begun - SKEW.total_seconds()
