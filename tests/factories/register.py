"""Partners with a standing, made through the services: take-on for identifiers, two signatures."""

import uuid
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any, Protocol

from sqlalchemy import event

from app.authz.actor import Actor, ActorKind, AgencyRole, system_actor
from app.kernel.identifiers import Scheme
from app.kernel.ids import new_id
from app.register import service
from app.register.models import Determination
from app.register.programme import PROGRAMMES
from app.traders.details import CompanyDetails
from app.traders.kinds import EntityType
from app.traders.service import register_trader, take_on_identifier
from app.work import Work

SECURITY = "security"
_numbers = count(1)


class WorkAs(Protocol):
    """The fixture `work_as`."""

    def __call__(self, actor: Actor) -> AbstractContextManager[Work]: ...


def staff(role: AgencyRole, name: str = "") -> Actor:
    """Somebody at the agency; the register keeps ids and names, so no row is needed."""
    return Actor(
        ActorKind.PERSON,
        person_id=new_id(),
        name=name or f"{role.value.title()} {next(_numbers)}",
        agency_roles=frozenset({role}),
    )


REVIEWER = staff(AgencyRole.REVIEWER, "Rhea Viewer")
SUPERVISOR = staff(AgencyRole.SUPERVISOR, "Sue Pervisor")


def make_trader(work_as: WorkAs, *identifiers: str, name: str = "") -> uuid.UUID:
    """A trader that holds the identifiers (`ior:12-345678900`) as verified; returns its id."""
    with work_as(system_actor("test")) as work:
        trader = register_trader(
            work,
            key=new_id(),
            entity_type=EntityType.IMPORTER,
            details=CompanyDetails(
                name=name or f"Harbour Trading {next(_numbers)}",
                country="US",
                address_line="1 Quay Street",
                city="Oakland",
                region="CA",
                postal_code="94607",
            ),
        )
        for one in identifiers:
            scheme, _, value = one.partition(":")
            take_on_identifier(work, trader, scheme=_SCHEMES[scheme], text=value)
        return trader.id


_SCHEMES = {scheme.value: scheme for scheme in Scheme}


def propose(
    work_as: WorkAs, trader_id: uuid.UUID, move: str, *, by: Actor = REVIEWER, **wish: Any
) -> uuid.UUID:
    """A proposal that waits for its second signature, with a reason that the move knows."""

    found = PROGRAMMES[wish.pop("programme", SECURITY)].move(move)
    assert found is not None
    wish.setdefault("reason_code", found.reasons[0].code)
    wish.setdefault("reason_text", "As found at the visit.")
    with work_as(by) as work:
        return service.propose(work, trader_id, programme=SECURITY, move=move, **wish).id


def approve(work_as: WorkAs, determination_id: uuid.UUID, *, by: Actor = SUPERVISOR) -> None:
    """The second signature."""
    with work_as(by) as work:
        service.approve(work, work.session.get_one(Determination, determination_id))


def decide(work_as: WorkAs, trader_id: uuid.UUID, move: str, **wish: Any) -> uuid.UUID:
    """A determination by two people, in force from now or from the date in `wish`."""
    determination_id = propose(work_as, trader_id, move, **wish)
    approve(work_as, determination_id)
    return determination_id


def suspend_urgently(work_as: WorkAs, trader_id: uuid.UUID, *, by: Actor = REVIEWER) -> uuid.UUID:
    """An urgent suspension on one signature."""
    with work_as(by) as work:
        return service.suspend_urgently(
            work,
            trader_id,
            programme=SECURITY,
            reason_code="seizure",
            reason_text="Contraband was found in a container of yours.",
        ).id


def make_partner(work_as: WorkAs, *identifiers: str, tier: int = 1, name: str = "") -> uuid.UUID:
    """A certified (tier 1) or validated (tier 2, 3) partner of the Security programme."""
    trader_id = make_trader(work_as, *identifiers, name=name)
    decide(work_as, trader_id, "certify", tier=1)
    if tier > 1:
        decide(work_as, trader_id, "validate", tier=tier)
    return trader_id


@contextmanager
def statements(engine):
    """The SQL statements that the engine runs meanwhile."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)
