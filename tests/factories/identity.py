"""People with a way in, made through the service, and test clients that are signed in."""

from collections.abc import Iterable, Mapping
from itertools import count
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.authz.actor import Actor, ActorKind, AgencyRole, TraderRole
from app.db.session import transaction
from app.identity import queries, service, session_store
from app.identity.models import Person
from app.identity.rules import Method
from app.identity.session_store import Browser
from app.identity.sessions import KEEPER
from app.web.wiring import Wiring
from app.work import Work

PASSWORD = "seven quiet harbours"
_numbers = count(1)


def make_person(
    work: Work,
    *,
    name: str = "Ada Brook",
    email: str | None = None,
    password: str | None = PASSWORD,
    roles: Iterable[AgencyRole] = (),
) -> Person:
    """A person whose mail is verified, with roles at the agency if any are named."""
    return service.add_person(
        work,
        name=name,
        email=email or f"person-{next(_numbers)}@example.com",
        password=password,
        roles=roles,
    )


def actor_of(
    session: Session, person: Person, appointments: Mapping[UUID, TraderRole] | None = None
) -> Actor:
    """The actor that the person is when signed in, for `work_as`."""
    return Actor(
        ActorKind.PERSON,
        person_id=person.id,
        name=person.name,
        email=person.email,
        agency_roles=queries.agency_roles(session, person.id),
        appointments=appointments or {},
    )


def sign_in(client: FlaskClient, person: Person, method: Method = Method.PASSKEY) -> UUID:
    """Give the test client a fresh session of the person, without the form and its limits.

    The person must be committed. Returns the session's id. `method` is by what the person came.
    """
    wiring = client.application.extensions["fairway"]
    assert isinstance(wiring, Wiring)
    with transaction(wiring.engine, KEEPER) as db:
        session_id, token = session_store.start(
            db,
            now=wiring.clock.now(),
            browser=Browser(address="127.0.0.1", user_agent="test client"),
            person_id=person.id,
            method=method,
        )
    client.set_cookie(client.application.config["SESSION_COOKIE_NAME"], token)
    return session_id
