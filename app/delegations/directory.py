"""Who holds an identifier, for somebody who may not see that company otherwise.

Traders do not see each other, so a person's own transaction finds nobody. This one looks under a
principal of its own, answers one exact and verified identifier, and gives a name and no more; the
views count how often a person asks.
"""

import uuid
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from app.db.session import Principal, Role, transaction
from app.delegations.models import Delegation
from app.documents.models import DocumentRevision
from app.kernel.identifiers import MalformedIdentifierError, Scheme
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.traders.queries import traders_holding

DIRECTORY = Principal("system:directory", role=Role.ENTRY)


class Company(Protocol):
    """A side of a delegation: a trader, or what the directory tells of one."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def entity_type(self) -> EntityType: ...


@dataclass(frozen=True, slots=True)
class Party:
    """What the directory tells of a trader."""

    id: uuid.UUID
    name: str
    entity_type: EntityType


def holder_of(engine: Engine, scheme: Scheme, text: str) -> Party | None:
    """The one trader that holds the identifier verified.

    `None` when nobody does, when the text is no identifier of the scheme, and when several do
    until a reviewer has decided: all doubt looks alike.
    """
    with transaction(engine, DIRECTORY, read_only=True) as session:
        try:
            found = traders_holding(session, scheme, text)
        except MalformedIdentifierError:
            return None
        if len(found) != 1:
            return None
        trader = session.get_one(Trader, found[0])
        return Party(trader.id, trader.name, trader.entity_type)


def authority_of(engine: Engine, delegation: Delegation) -> DocumentRevision | None:
    """The authority document of a delegation that the asker is known to see.

    It is the client's, whose documents are in the broker's reach only once it has accepted; but
    what one accepts, one must be able to read before.
    """
    if delegation.authority_revision_id is None:
        return None
    with transaction(engine, DIRECTORY, read_only=True) as session:
        return session.get(DocumentRevision, delegation.authority_revision_id)
