"""People with a way in, made through the service, and test clients that are signed in."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from uuid import UUID

import pyotp
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.authz.actor import Actor, ActorKind, AgencyRole, TraderRole
from app.db.session import Principal, Role, transaction
from app.identity import queries, service, session_store
from app.identity.models import Authenticator, Passkey, Person, WebSession
from app.identity.rules import Method
from app.identity.sealing import FactorSeal
from app.identity.secret_values import digest
from app.identity.session_store import Browser
from app.identity.sessions import KEEPER
from app.web.wiring import Wiring
from app.work import Work

SECRET = "a secret for tests only, long enough to sign with"
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


def prove_again(client: FlaskClient) -> None:
    """Make the client's session fresh, as a passkey on the page does."""
    wiring = client.application.extensions["fairway"]
    name = client.application.config["SESSION_COOKIE_NAME"]
    with transaction(wiring.engine, KEEPER) as db:
        session_id = db.scalars(
            select(WebSession.id).where(
                WebSession.token_hash == digest(client.get_cookie(name).value)
            )
        ).one()
        session_store.mark_fresh(db, session_id, wiring.clock.now())


KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_authenticator(work: Work, person: Person, key: str = KEY) -> None:
    """Set up an authenticator app of the person that holds `key`; no code of it is used yet."""
    row_id = work.new_id()
    work.session.add(
        Authenticator(
            id=row_id,
            person_id=person.id,
            sealed_key=FactorSeal(SECRET).seal(key, row_id),
            last_step=0,
            created_at=work.now,
        )
    )
    work.session.flush()


def give_passkey(work: Work, person: Person, name: str = "Office laptop") -> Passkey:
    """A passkey that nobody holds, for pages that list it."""
    passkey = Passkey(
        id=work.new_id(),
        person_id=person.id,
        name=name,
        credential_id=work.new_id().bytes,
        public_key=b"nobody holds it",
        sign_count=0,
        transports=[],
        aaguid="",
        multi_device=False,
        backed_up=False,
        created_at=work.now,
        last_used_at=None,
    )
    work.session.add(passkey)
    work.session.flush()
    return passkey


def code_at(at: datetime, key: str = KEY) -> str:
    """What the app shows at that instant."""
    return pyotp.TOTP(key).at(at)


def principal_of(engine: Engine, actor: Actor, now: datetime) -> Principal:
    """What a unit of work of the actor is bound to: for a person a session of theirs."""
    if actor.kind is not ActorKind.PERSON or actor.person_id is None:
        return Principal(actor.principal)
    role = Role.CONSOLE if actor.is_agency else Role.PORTAL
    method = Method.PASSKEY if actor.is_agency else Method.PASSWORD
    with transaction(engine, KEEPER) as db:
        if db.get(Person, actor.person_id) is None:
            if actor.is_agency:
                # Somebody invented, who has no row to sign in with, sets a scene as a command does.
                return Principal(actor.principal)
            return Principal(actor.principal, role=role)
        _, token = session_store.start(
            db, now=now, browser=Browser(), person_id=actor.person_id, method=method
        )
    return Principal(actor.principal, token, role)
