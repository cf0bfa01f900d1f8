"""What needs attention in how a company is protected: pure decisions, the most pressing first."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from app.authz.actor import TraderRole

OLD_CREDENTIAL: Final = timedelta(days=365)
LONG_AWAY: Final = timedelta(days=90)
UNANSWERED: Final = timedelta(days=7)
ENDS_SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a role, and by what kinds of proof they sign in.

    `signed_in_at` and `sessions` are about the person, who may have signed in for another company.
    """

    appointment_id: UUID
    person_id: UUID
    name: str
    email: str
    role: TraderRole
    since: datetime | None
    passkeys: int
    authenticator: bool
    provider: bool
    signed_in_at: datetime | None
    sessions: int

    @property
    def seen_at(self) -> datetime | None:
        """When the person last signed in, or else began here."""
        return self.signed_in_at or self.since


@dataclass(frozen=True, slots=True)
class Program:
    """An API client that is not revoked; `oldest_credential` is of those that still work."""

    client_id: UUID
    name: str
    suspended: bool
    last_used_at: datetime | None
    oldest_credential: datetime | None


class Invited(Protocol):
    """An invitation that nobody has taken up."""

    @property
    def id(self) -> UUID: ...

    invited_at: datetime | None
    expires_at: datetime | None


class Delegated(Protocol):
    """A delegation."""

    @property
    def id(self) -> UUID: ...

    broker_name: str
    valid_until: datetime


class Kind(StrEnum):
    """What can need attention; in the order in which the page lists it."""

    NO_FACTOR = "no_factor"
    LOCKED = "locked"
    NO_PASSKEY = "no_passkey"
    ONE_OFFICER = "one_officer"
    ANSWER = "answer"
    UNANSWERED = "unanswered"
    AWAY = "away"
    OLD_CREDENTIAL = "old_credential"
    SUSPENDED = "suspended"
    ENDS_SOON = "ends_soon"


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing to do. `names` are whom or what it is about, `subjects` their ids in that order."""

    kind: Kind
    names: tuple[str, ...]
    subjects: tuple[UUID, ...] = ()
    mine: bool = False


def attention(
    *,
    now: datetime,
    me: UUID | None,
    members: Sequence[Member],
    invitations: Iterable[Invited],
    delegations: Iterable[Delegated],
    to_answer: Sequence[Delegated],
    programs: Sequence[Program],
    locked: Collection[str],
) -> list[Attention]:
    """What to do, the most pressing first; empty when nothing is."""
    found: list[Attention] = []

    def about(kind: Kind, people: Sequence[Member]) -> None:
        # What only the reader can do for themselves stands apart, with the way there.
        mine = [one for one in people if one.person_id == me]
        others = [one for one in people if one.person_id != me]
        found.extend(
            Attention(
                kind,
                tuple(one.name for one in group),
                tuple(one.appointment_id for one in group),
                mine=group is mine,
            )
            for group in (mine, others)
            if group
        )

    bare = [one for one in members if not (one.passkeys or one.authenticator or one.provider)]
    about(Kind.NO_FACTOR, bare)
    if locked:
        found.append(Attention(Kind.LOCKED, tuple(sorted(locked))))
    about(
        Kind.NO_PASSKEY,
        [one for one in members if not one.passkeys and one not in bare and not one.provider],
    )
    officers = [one for one in members if one.role is TraderRole.OFFICER]
    if len(officers) == 1:
        mine = officers[0].person_id == me
        found.append(Attention(Kind.ONE_OFFICER, (officers[0].name,), mine=mine))
    found.extend(Attention(Kind.ANSWER, (one.broker_name,), (one.id,)) for one in to_answer)
    late = [
        one
        for one in invitations
        if (one.invited_at is not None and one.invited_at + UNANSWERED <= now)
        or (one.expires_at is not None and one.expires_at <= now)
    ]
    if late:
        found.append(Attention(Kind.UNANSWERED, ("",) * len(late), tuple(one.id for one in late)))
    about(
        Kind.AWAY,
        [
            one
            for one in members
            if one.person_id != me and one.seen_at is not None and one.seen_at + LONG_AWAY <= now
        ],
    )
    found.extend(
        Attention(Kind.OLD_CREDENTIAL, (one.name,), (one.client_id,))
        for one in programs
        if one.oldest_credential is not None and one.oldest_credential + OLD_CREDENTIAL <= now
    )
    found.extend(
        Attention(Kind.SUSPENDED, (one.name,), (one.client_id,))
        for one in programs
        if one.suspended
    )
    found.extend(
        Attention(Kind.ENDS_SOON, (one.broker_name,), (one.id,))
        for one in delegations
        if one.valid_until <= now + ENDS_SOON
    )
    return found
