"""Who is asking: the session's person on pages, the token's client on API addresses.

The two never mix. A cookie means nothing on an API address, so no page of a stranger's can make
a browser call the API; a token means nothing on a page.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, Request, current_app, g
from flask_login import LoginManager, current_user
from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import ANONYMOUS, Actor, ActorKind, AgencyRole, Grant, TraderRole
from app.db.session import Principal, Role, transaction
from app.identity import quota
from app.identity.last_use import note_use
from app.identity.limits import limiter
from app.identity.models import ApiClient, ClientCredential, IssuedToken, TokenDenial
from app.identity.rules import Method, is_complete
from app.identity.scopes import audience_at
from app.identity.session_store import Found
from app.identity.sessions import PostgresSessions, lasts_in_seconds, this_session
from app.identity.tokens import Claims, Signer, TokenRefusedError
from app.identity.workflow import ClientState
from app.web.access import is_api
from app.web.requests import circumstances
from app.web.wiring import wiring

AppointmentsOf = Callable[[Session, uuid.UUID], Mapping[uuid.UUID, TraderRole]]
GrantsOf = Callable[
    [Session, Mapping[uuid.UUID, TraderRole | None], datetime], Mapping[uuid.UUID, Grant]
]

# Refusals that come by themselves as time goes by, or that anybody can cause without ever having
# held a token of ours, are answered but not recorded: the record must not be floodable.
UNREMARKABLE = frozenset({"expired", "malformed", "claims"})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person of the current session, as Flask-Login's `current_user`."""

    person_id: uuid.UUID
    session_id: uuid.UUID
    name: str
    email: str
    fresh_at: datetime | None
    agency_roles: frozenset[AgencyRole]
    method: Method
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return str(self.person_id)


def person_of_session(_request: Request) -> SignedIn | None:
    """Flask-Login's loader. The session's row is the only place that knows who signed in."""
    current = this_session()
    if current.failure is not None:
        # Once only: the page that tells of it asks for the person again.
        failure, current.failure = current.failure, None
        raise failure
    found = current.found
    if found is None or found.person_id is None:
        return None
    return SignedIn(
        person_id=found.person_id,
        session_id=found.id,
        name=found.person_name,
        email=found.person_email,
        fresh_at=found.fresh_at,
        # A session that a trader's provider opened never reaches the agency's side, whatever
        # roles the person has or is given while it lasts.
        agency_roles=frozenset() if _side(found) == "trader" else found.agency_roles,
        method=found.method or Method.PASSWORD,
    )


def _side(found: Found) -> str | None:
    """Whose provider opened the session; `None` when none did."""
    opened = found.data.get("oidc")
    return None if opened is None else str(opened["side"])


def recogniser(appointments_of: AppointmentsOf, grants_of: GrantsOf) -> Callable[[Request], Actor]:
    """The function that tells who is asking.

    `appointments_of` reads a person's roles at traders, at each request anew, so that an
    appointment that has ended has ended; `grants_of` reads the delegations in force likewise.
    """

    def recognise(request: Request) -> Actor:
        if is_api():
            return client_of_token(request, grants_of)
        if not current_user.is_authenticated:
            return ANONYMOUS
        person = cast("SignedIn", current_user)
        if not is_complete(person.method, at_agency=bool(person.agency_roles)):
            return Actor(
                ActorKind.HALF,
                person_id=person.person_id,
                name=person.name,
                email=person.email,
                session_id=person.session_id,
            )
        # The cookie's value itself: the database looks up its hash, so that whoever can run SQL
        # as the application can name no session but one that they hold.
        g.credential = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"], "")
        reader = Principal(f"person:{person.person_id}", g.credential, Role.ENTRY)
        with transaction(wiring().engine, reader, read_only=True) as db:
            appointments = appointments_of(db, person.person_id)
            found = this_session().found
            if found is not None and _side(found) == "agency":
                appointments = {}
            grants = grants_of(db, dict(appointments), wiring().clock.now())
        return Actor(
            ActorKind.PERSON,
            person_id=person.person_id,
            name=person.name,
            email=person.email,
            session_id=person.session_id,
            # The contract has a demonstration's session count as fresh for its whole life.
            fresh_at=wiring().clock.now() if person.method is Method.DEMO else person.fresh_at,
            agency_roles=person.agency_roles,
            appointments=appointments,
            grants=grants,
        )

    return recognise


def client_of_token(request: Request, grants_of: GrantsOf) -> Actor:
    """The API client whose bearer token the request carries, or nobody."""
    audience = audience_at(request.path)
    presented = request.authorization
    if audience is None or presented is None or presented.type != "bearer":
        return ANONYMOUS
    wired = wiring()
    grants: Mapping[uuid.UUID, Grant] = {}
    try:
        claims = signer().read(presented.token or "", now=wired.clock.now(), audience=audience)
        with transaction(wired.engine, Principal("system:token", role=Role.ENTRY)) as db:
            client, credential = client_in_good_standing(db, claims, wired.clock.now())
            if client.trader_id is not None:
                grants = grants_of(db, {client.trader_id: None}, wired.clock.now())
            counted = quota.count(db, client)
    except TokenRefusedError as refusal:
        g.token_refused = refusal.reason
        if refusal.reason not in UNREMARKABLE:
            record_security_event(
                wired.engine, SecurityTag.TOKEN_REFUSED, circumstances(why=refusal.reason)
            )
        return ANONYMOUS
    quota.judge(client, counted)
    note_use(client, credential)
    g.credential = presented.token or ""
    return Actor(
        ActorKind.CLIENT,
        client_id=client.id,
        public_id=client.client_id,
        name=client.name,
        scopes=claims.scopes & frozenset(client.scopes),
        trader_id=client.trader_id,
        grants=grants,
    )


def client_in_good_standing(
    db: Session, claims: Claims, now: datetime
) -> tuple[ApiClient, ClientCredential]:
    """The client and the credential that a good token names, unless something of it has ended.

    Asked of the database at every request, so that a revoked token, an ended credential, and a
    suspended or revoked client are refused at once in every worker. `TokenRefusedError` otherwise.
    """
    denied = exists().where(TokenDenial.jti == claims.jti)
    issued = exists().where(
        IssuedToken.jti == claims.jti, IssuedToken.credential_id == claims.credential_id
    )
    row = db.execute(
        select(ApiClient, ClientCredential, denied, issued)
        .outerjoin(
            ClientCredential,
            and_(
                ClientCredential.api_client_id == ApiClient.id,
                ClientCredential.id == claims.credential_id,
            ),
        )
        .where(ApiClient.client_id == claims.client_id)
    ).one_or_none()
    if row is None:
        raise TokenRefusedError("no-client")
    client, credential, revoked, known = row
    if not known:
        # Signed by our key and by nobody's call: somebody else holds the key.
        raise TokenRefusedError("not-issued")
    if revoked:
        raise TokenRefusedError("revoked")
    if client.state != ClientState.ACTIVE:
        raise TokenRefusedError(client.state)
    if credential is None or not credential.is_live(now):
        raise TokenRefusedError("credential-ended")
    return client, credential


def signer() -> Signer:
    """The signer of the current application."""
    found = current_app.extensions["fairway_signer"]
    assert isinstance(found, Signer)  # noqa: S101 - tells the type checker what was registered.
    return found


def register_sign_in(app: Flask) -> None:
    """Give the application its sessions, Flask-Login and the keys it signs tokens with."""
    settings = app.extensions["fairway"].settings
    # The prefix makes browsers refuse the cookie from another host of the same domain.
    app.config["SESSION_COOKIE_NAME"] = "__Host-fairway" if settings.secure else "fairway"
    app.config["SESSION_COOKIE_SECURE"] = settings.secure
    app.session_interface = PostgresSessions()
    app.extensions["fairway_signer"] = Signer.of(settings)
    app.context_processor(_session_lasts)
    manager = LoginManager()
    # Its own protection reads X-Forwarded-For from anybody; our sessions are bound by their row.
    manager.session_protection = None
    manager.request_loader(person_of_session)
    manager.init_app(app)
    limiter.init_app(app)


def _session_lasts() -> dict[str, tuple[int, int] | None]:
    """For the page that warns before a session ends: seconds without a request, and at most."""
    return {"session_lasts": lasts_in_seconds()}
