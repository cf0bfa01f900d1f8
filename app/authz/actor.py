"""Who is asking: a person, an API client, the system itself, or nobody known."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


class TraderRole(StrEnum):
    """What a person is at one trader."""

    OFFICER = "officer"
    PREPARER = "preparer"
    CONSULTANT = "consultant"
    VIEWER = "viewer"
    DATA_ONLY = "data_only"


class DelegationScope(StrEnum):
    """What a trader lets a broker do for it; each names its own and nothing besides."""

    PREPARE = "prepare"
    SUBMIT = "submit_filings"
    STATUS = "view_status"
    RESPOND = "respond"
    DATA = "data_only"


@dataclass(frozen=True, slots=True)
class Grant:
    """One delegation in force, as it reaches the actor through one broker.

    `trader_id` is the principal; `role` is the person's at the broker, `None` for the broker's
    API client. Names are those of the day of consent.
    """

    delegation_id: uuid.UUID
    trader_id: uuid.UUID
    trader_name: str
    broker_id: uuid.UUID
    broker_name: str
    scopes: frozenset[DelegationScope]
    valid_until: datetime
    role: TraderRole | None = None

    @property
    def last_day(self) -> date:
        """The day, in UTC, with whose end it is over."""
        return (self.valid_until - timedelta(days=1)).date()


class AgencyRole(StrEnum):
    """What a person is at the agency."""

    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    PROGRAMME_MANAGER = "programme_manager"
    AUDITOR = "auditor"


class ActorKind(StrEnum):
    """The five kinds of actor.

    `HALF` is a person who has given one proof of two: nothing is theirs but the way to the second.
    """

    ANONYMOUS = "anonymous"
    PERSON = "person"
    HALF = "half"
    CLIENT = "client"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor for the length of one request or command.

    `appointments` maps trader ids to the person's role there; it is read from the database in
    each request, so that an ended appointment ends at once. `grants` maps traders to the
    delegation under which the actor may act for them; none of them is a trader of `appointments`.
    `fresh_at` is the last instant at which the person proved who they are, for step-up.
    `public_id`, `scopes` and `trader_id` belong to API clients: the name that a client itself
    uses, and the one trader that a trader's client speaks for.
    """

    kind: ActorKind
    person_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    public_id: str = ""
    name: str = ""
    email: str = ""
    system: str = ""
    session_id: uuid.UUID | None = None
    fresh_at: datetime | None = None
    agency_roles: frozenset[AgencyRole] = frozenset()
    appointments: Mapping[uuid.UUID, TraderRole] = field(
        default_factory=lambda: MappingProxyType({})
    )
    grants: Mapping[uuid.UUID, Grant] = field(default_factory=lambda: MappingProxyType({}))
    scopes: frozenset[str] = frozenset()
    trader_id: uuid.UUID | None = None

    @property
    def principal(self) -> str:
        """The name under which the database knows this actor."""
        match self.kind:
            case ActorKind.PERSON:
                return f"person:{self.person_id}"
            case ActorKind.HALF:
                return f"half:{self.person_id}"
            case ActorKind.CLIENT:
                return f"client:{self.client_id}"
            case ActorKind.SYSTEM:
                return f"system:{self.system}"
            case ActorKind.ANONYMOUS:
                return "anonymous"

    @property
    def is_agency(self) -> bool:
        """Whether this is a person with any role at the agency."""
        return bool(self.agency_roles)


ANONYMOUS = Actor(ActorKind.ANONYMOUS)


def system_actor(part: str) -> Actor:
    """The system itself, for example `system_actor("worker")`."""
    return Actor(ActorKind.SYSTEM, name=part, system=part)
