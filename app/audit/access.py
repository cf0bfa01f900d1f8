"""Security events and access records: a second, short transaction, committed whatever the answer.

They are apart from the business transaction on purpose. A refused request rolls its own work
back, and the record that it was refused must stay.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from app.audit.models import AccessRecord, SecurityEvent
from app.audit.tags import SecurityTag
from app.authz.actor import Actor
from app.db.session import Principal, Role, transaction
from app.kernel.ids import new_id

RECORDER = Principal("system:record", role=Role.ENTRY)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at. `answer` is what was told, in a word."""

    subject_kind: str
    subject: str
    answer: str = ""
    trader_id: uuid.UUID | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where a request came from: the peer's address and the request's id."""

    at: datetime
    address: str = ""
    request_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def record_security_event(
    engine: Engine | Connection,
    tag: SecurityTag,
    circumstances: Circumstances,
    *,
    person_id: uuid.UUID | None = None,
    client_id: uuid.UUID | None = None,
) -> None:
    """Insert one `SecurityEvent` and commit it at once."""
    with transaction(engine, RECORDER) as session:
        session.add(
            SecurityEvent(
                id=new_id(),
                at=circumstances.at,
                tag=tag,
                person_id=person_id,
                client_id=client_id,
                address=circumstances.address,
                request_id=circumstances.request_id,
                data=circumstances.data,
            )
        )


def record_access(
    engine: Engine | Connection,
    actor: Actor,
    seen: Iterable[Seen],
    circumstances: Circumstances,
) -> None:
    """Insert one `AccessRecord` for each thing seen and commit them at once."""
    with transaction(engine, RECORDER) as session:
        for one in seen:
            grant = None if one.trader_id is None else actor.grants.get(one.trader_id)
            record = AccessRecord(
                id=new_id(),
                at=circumstances.at,
                person_id=actor.person_id,
                client_id=actor.client_id,
                trader_id=one.trader_id,
                acting_trader_id=None if grant is None else grant.broker_id,
                delegation_id=None if grant is None else grant.delegation_id,
                subject_kind=one.subject_kind,
                subject=one.subject,
                answer=one.answer,
                seq=one.seq,
                request_id=circumstances.request_id,
            )
            session.add(record)
