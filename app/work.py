"""The unit of work that every service is handed, and the two verbs that leave a trace."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import Actor, Grant
from app.db.base import HasState
from app.kernel.errors import NotAllowedError
from app.kernel.ids import new_id as make_id

# A revocation waits for whoever holds the row shared, and whoever comes later finds it revoked: no
# write under a delegation is committed after its revocation was acknowledged.
IN_FORCE = text(
    "SELECT id FROM delegation WHERE id = :id AND state = 'active'"
    " AND valid_from <= :at AND valid_until > :at FOR SHARE"
)


class Subject(Protocol):
    """A row with a UUID; its table's name is the kind that the event records."""

    __tablename__: str

    @property
    def id(self) -> uuid.UUID: ...


Reaction = Callable[["Work", AuditEvent], None]
Reactions = Mapping[EventTag, Sequence[Reaction]]


@dataclass(slots=True)
class Work:
    """Session, actor, one instant, an id source, `record()`: it grows by ADR only.

    `reactions` is the table of `app.reactions`, given by the factory; `request_id` links the
    event to the request's log line.
    """

    session: Session
    actor: Actor
    now: datetime
    new_id: Callable[[], uuid.UUID] = make_id
    reactions: Reactions = field(default_factory=dict)
    request_id: str = ""

    def record(
        self,
        tag: EventTag,
        subject: Subject,
        *,
        trader_id: uuid.UUID | None = None,
        **data: object,
    ) -> AuditEvent:
        """Record one event about `subject` and run what `app.reactions` lists for its tag.

        The event belongs to `trader_id`, or to the subject's own `trader_id` when it has one.
        `data` holds JSON values, UUIDs, instants or enums; never personal data, never an
        identifier of social-security form. Reactions run at once, in this transaction, in the
        order of the table, and any error in one undoes everything.

        Of an actor under a delegation the event names the broker and the delegation, whose row is
        locked until the end of the transaction: `NotAllowedError` when it is over.
        """
        owner = trader_id or getattr(subject, "trader_id", None)
        grant = None if owner is None else self.actor.grants.get(owner)
        # Handing a delegation back is done about it, not under it.
        if grant is not None and subject.id != grant.delegation_id:
            self.require_live(grant)
        event = AuditEvent(
            id=self.new_id(),
            at=self.now,
            tag=tag,
            actor_kind=self.actor.kind,
            actor_name=self.actor.name,
            person_id=self.actor.person_id,
            client_id=self.actor.client_id,
            trader_id=owner,
            acting_trader_id=grant.broker_id
            if grant
            else getattr(subject, "acting_trader_id", None),
            delegation_id=grant.delegation_id if grant else getattr(subject, "delegation_id", None),
            subject_kind=subject.__tablename__,
            subject_id=subject.id,
            request_id=self.request_id,
            data={name: _plain(value) for name, value in data.items() if value is not None},
        )
        self.session.add(event)
        for reaction in self.reactions.get(tag, ()):
            reaction(self, event)
        return event

    def require_live(self, grant: Grant) -> None:
        """Keep the delegation in force until this transaction ends, or refuse with words."""
        found = self.session.execute(IN_FORCE, {"id": grant.delegation_id, "at": self.now})
        if found.one_or_none() is None:
            raise NotAllowedError(
                "%(trader)s no longer lets %(broker)s do this. Nothing was changed.",
                trader=grant.trader_name,
                broker=grant.broker_name,
            )


def move(work: Work, subject: HasState, name: str, **data: object) -> AuditEvent:
    """Take the move `name` and record its one event; the only place that changes a state.

    `IllegalTransitionError` when the workflow has no such move from the present state. `data`
    goes into the event, with `before` and `after`; `trader_id` as in `Work.record`.
    """
    before = subject.state
    taken = subject.workflow.move(before, name)
    subject._state = str(taken.target)  # noqa: SLF001 - this function is the state's one writer.
    return work.record(
        EventTag(taken.event),
        subject,  # type: ignore[arg-type]
        before=before,
        after=str(taken.target),
        **data,  # type: ignore[arg-type]
    )


def _plain(value: object) -> object:
    """`value` as JSON can hold it."""
    match value:
        case Enum():
            plain: object = value.value
        case uuid.UUID():
            plain = str(value)
        case datetime():
            plain = value.isoformat()
        case frozenset() | set():
            plain = sorted(str(one) for one in value)
        case tuple() | list():
            plain = [_plain(one) for one in value]
        case dict():
            plain = {str(key): _plain(one) for key, one in value.items()}
        case _:
            plain = value
    return plain
