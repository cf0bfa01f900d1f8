"""Traders with profile and people, made through the services."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from app.authz.actor import Actor, ActorKind, TraderRole
from app.identity import queries as people
from app.identity.models import Person
from app.kernel.identifiers import Scheme
from app.traders import queries, service
from app.traders.details import BondDetails, CompanyDetails, ContactDetails, SiteDetails
from app.traders.kinds import BondKind, EntityType, Position, SiteKind
from app.traders.models import Appointment, Bond, Contact, Site, Trader, TraderIdentifier
from app.work import Work

_numbers = count(1)


def company(name: str = "Harbour Lane Imports LLC", **changes: object) -> CompanyDetails:
    """Details of a company in Los Angeles."""
    values: dict[str, object] = {
        "name": name,
        "country": "US",
        "address_line": "2400 Harbor Lane",
        "city": "San Pedro",
        "region": "CA",
        "postal_code": "90731",
        "office_country": "US",
        "imported_within_year": True,
    }
    return CompanyDetails(**{**values, **changes})  # type: ignore[arg-type]


def acting(work: Work, person: Person) -> Work:
    """The same unit of work with `person`, as they are appointed now, for its actor."""
    return Work(
        session=work.session,
        actor=actor_at(work.session, person),
        now=work.now,
        new_id=work.new_id,
        reactions=work.reactions,
    )


def actor_at(
    session: Session, person: Person, appointments: Mapping[UUID, TraderRole] | None = None
) -> Actor:
    """The actor that the person is, with the appointments that stand in the database."""
    found = queries.appointments_of(session, person.id) if appointments is None else appointments
    return Actor(
        ActorKind.PERSON,
        person_id=person.id,
        name=person.name,
        email=person.email,
        agency_roles=people.agency_roles(session, person.id),
        appointments=found,
    )


def make_trader(
    work: Work,
    officer: Person,
    *,
    name: str = "Harbour Lane Imports LLC",
    entity_type: EntityType = EntityType.IMPORTER,
    **changes: object,
) -> Trader:
    """A registered trader whose officer is `officer`."""
    trader = service.register_trader(
        acting(work, officer),
        key=work.new_id(),
        entity_type=entity_type,
        details=company(name, **changes),
    )
    work.session.flush()
    return trader


def appoint_person(
    work: Work, trader: Trader, officer: Person, person: Person, role: TraderRole
) -> Appointment:
    """Invite `person` as `officer` and accept as `person`."""
    invitation = service.appoint(
        acting(work, officer),
        trader,
        key=work.new_id(),
        email=person.email,
        role=role,
        link=lambda token: f"http://localhost/invitations/{token}",
    )
    return service.accept_appointment(acting(work, person), invitation)


def add_identifier(
    work: Work,
    trader: Trader,
    scheme: Scheme = Scheme.IOR,
    value: str = "12-345678900",
    *,
    verified: bool = False,
) -> TraderIdentifier:
    """A claimed identifier, verified by the actor of `work` if asked for."""
    claim = service.claim_identifier(work, trader, key=work.new_id(), scheme=scheme, text=value)
    if verified:
        service.verify_identifier(work, claim)
    return claim


def site_details(name: str = "Carson warehouse", **changes: object) -> SiteDetails:
    """Details of a warehouse in Carson."""
    values: dict[str, object] = {
        "name": name,
        "kind": SiteKind.WAREHOUSE,
        "country": "US",
        "address_line": "17 Alameda Street",
        "city": "Carson",
        "region": "CA",
        "postal_code": "90810",
    }
    return SiteDetails(**{**values, **changes})  # type: ignore[arg-type]


def add_site(work: Work, trader: Trader, name: str = "Carson warehouse") -> Site:
    """A warehouse in Carson."""
    return service.add_site(work, trader, key=work.new_id(), details=site_details(name))


def contact_details(name: str = "Ruth Delgado", *, is_primary: bool = True) -> ContactDetails:
    """An officer's details."""
    return ContactDetails(
        name=name,
        role="Head of supply chain security",
        position=Position.OFFICER,
        email=f"contact-{next(_numbers)}@example.com",
        phone="+1 310 555 0123",
        is_primary=is_primary,
    )


def add_contact(
    work: Work, trader: Trader, name: str = "Ruth Delgado", *, is_primary: bool = True
) -> Contact:
    """A contact; the primary one if asked for."""
    details = contact_details(name, is_primary=is_primary)
    return service.add_contact(work, trader, key=work.new_id(), details=details)


def bond_details(**changes: object) -> BondDetails:
    """A continuous importer bond of 50,000 dollars since 2024."""
    values: dict[str, object] = {
        "number": "240100123",
        "surety": "Breakwater Surety Company",
        "kind": BondKind.CONTINUOUS,
        "activity_code": "1",
        "amount": Decimal(50000),
        "valid_from": date(2024, 1, 1),
    }
    return BondDetails(**{**values, **changes})  # type: ignore[arg-type]


def add_bond(work: Work, trader: Trader, **changes: object) -> Bond:
    """A bond in force since 2024."""
    return service.record_bond(work, trader, key=work.new_id(), details=bond_details(**changes))


def complete_profile(work: Work, trader: Trader) -> None:
    """Give an importer everything that an application asks of its profile."""
    add_identifier(work, trader)
    add_bond(work, trader)
    add_site(work, trader)
    add_contact(work, trader)
