"""Delegations, made through the services by the officers of both sides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.authz.actor import Actor, ActorKind, DelegationScope
from app.delegations import service
from app.delegations.models import Delegation
from app.delegations.queries import grants_of
from app.delegations.workflow import Side
from app.documents import service as documents
from app.identity.models import Person
from app.kernel.identifiers import Scheme
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.traders.queries import appointments_of
from app.work import Work
from tests.factories.documents import make_document
from tests.factories.identity import make_person
from tests.factories.traders import acting, add_identifier, make_trader

EVERYTHING = frozenset(DelegationScope)


@dataclass(frozen=True)
class Pair:
    """An importer with a verified number, its broker, and the officer of each."""

    trader_id: UUID
    broker_id: UUID
    officer: Person
    broker_officer: Person


def make_pair(work: Work, *, number: str = "12-345678900", name: str = "Sound") -> Pair:
    """Two traders who have nothing to do with each other yet."""
    officer, broker_officer = make_person(work), make_person(work)
    trader = make_trader(work, officer, name=f"{name} Imports LLC")
    broker = make_trader(
        work, broker_officer, name=f"{name} Brokers", entity_type=EntityType.BROKER
    )
    add_identifier(work, trader, Scheme.IOR, number, verified=True)
    work.session.flush()
    return Pair(trader.id, broker.id, officer, broker_officer)


def offer(
    work: Work,
    pair: Pair,
    scopes: Collection[DelegationScope] = EVERYTHING,
    *,
    days: int = 30,
    in_days: int = 0,
) -> Delegation:
    """The trader's officer offers; the power of attorney is attached."""
    own = acting(work, pair.officer)
    authority = make_document(own, pair.trader_id, filename="authority.pdf")
    documents.note_scan(work, authority, found=None)
    first = work.now.date() + timedelta(days=in_days)
    return service.propose(
        own,
        work.session.get_one(Trader, pair.trader_id),
        work.session.get_one(Trader, pair.broker_id),
        key=work.new_id(),
        side=Side.TRADER,
        scopes=scopes,
        first_day=first,
        last_day=first + timedelta(days=days - 1),
        authority=authority,
    )


def delegate(
    work: Work, pair: Pair, scopes: Collection[DelegationScope] = EVERYTHING
) -> Delegation:
    """A delegation to which both sides have consented."""
    found = offer(work, pair, scopes)
    broker = work.session.get_one(Trader, pair.broker_id)
    service.accept(acting(work, pair.broker_officer), found, by=broker)
    work.session.flush()
    return found


def broker_actor(work: Work, person: Person) -> Actor:
    """The person with the delegations that reach them now, as a request recognises them."""
    appointments = appointments_of(work.session, person.id)
    return Actor(
        ActorKind.PERSON,
        person_id=person.id,
        name=person.name,
        email=person.email,
        appointments=appointments,
        grants=grants_of(work.session, dict(appointments), work.now),
    )
