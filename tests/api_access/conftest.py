"""A person in front of a browser, and a company with an officer and a program."""

import pytest

from app.authz.actor import AgencyRole, system_actor
from app.identity import service
from app.identity.models import ApiClient, Person
from tests.factories.identity import make_person, prove_again
from tests.factories.traders import make_trader
from tests.traders.conftest import Visitor, person_of, visit

__all__ = ["person_of", "visit"]
SCOPES = ["filings:write", "filings:read"]


@pytest.fixture
def officer(work_as) -> Person:
    with work_as(system_actor("test")) as work:
        return make_person(work, name="Olga Officer", email="olga@example.com")


@pytest.fixture
def trader(work_as, officer):
    with work_as(system_actor("test")) as work:
        return make_trader(work, officer)


@pytest.fixture
def base(trader) -> str:
    return f"/traders/{trader.id}/api-access"


@pytest.fixture
def program(work_as, trader) -> tuple[ApiClient, str]:
    with work_as(system_actor("test")) as work:
        return service.create_client(work, name="Filing system", scopes=SCOPES, trader_id=trader.id)


@pytest.fixture
def browser(visit, officer, trader) -> Visitor:
    """The officer's, fresh from a passkey."""
    found = visit(officer)
    prove_again(found.client)
    return found


@pytest.fixture
def manager(work_as, visit) -> Visitor:
    """A programme manager's, fresh from a passkey."""
    with work_as(system_actor("test")) as work:
        person = make_person(
            work,
            name="Pia Manager",
            email="pia@agency.example",
            roles=[AgencyRole.PROGRAMME_MANAGER],
        )
    found = visit(person)
    prove_again(found.client)
    return found
