"""Who asks: one line for each kind of person, program and spent credential.

To add one, write a line in `PRINCIPALS`: the first word names it in the table of verdicts, `side`
says which importer counts as their own (nobody and the agency look at the first one), and `way`
makes their cookie or token.
"""

import io
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.authz.actor import AgencyRole, DelegationScope, TraderRole, system_actor
from app.identity.models import ApiClient, Person, WebSession
from app.identity.rules import Method
from app.identity.secret_values import digest
from app.identity.service import end_person
from app.traders.kinds import EntityType
from app.web.requests import FairwayApp
from app.work import move
from tests.factories.casework import make_staff
from tests.factories.delegations import Pair, delegate
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader
from tests.guards.scene import (
    AGENCY_SCOPES,
    CANARY,
    CSRF,
    PLAIN,
    TRADER_SCOPES,
    Ids,
    Scene,
    Visitor,
    WorkAs,
    program,
)


@dataclass
class Caller:
    """Sends what one principal sends, always from the same beginning: cookies are not kept."""

    name: str
    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    side: str = CANARY
    kept_from: tuple[str, ...] = ()
    """The words that no answer to this caller may hold."""
    on_behalf_of: str = ""
    """For whom a broker's program says that it asks."""

    def send(self, method: str, address: str, body: dict | None = None) -> TestResponse:
        """One request; in a form the token of this caller stands for that of the form's author."""
        given = dict(body or {})
        headers = {**given.pop("headers", {}), **self.headers}
        if isinstance(given.get("data"), dict):
            given["data"] = {
                name: self.csrf if name.endswith("csrf_token") else value
                for name, value in given["data"].items()
            }
        elif method not in {"GET", "HEAD", "OPTIONS"} and not given and self.csrf:
            given["data"] = {"csrf_token": self.csrf}
        if isinstance(given.get("data"), dict):
            given["data"] = {
                name: (io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
                for name, value in given["data"].items()
            }
        if self.on_behalf_of and address.startswith("/trader/v1/"):
            if isinstance(given.get("json"), dict):
                given["json"] = {**given["json"], "on_behalf_of": self.on_behalf_of}
            else:
                given["query_string"] = {"on_behalf_of": self.on_behalf_of}
        return self.client.open(address, method=method, headers=headers, **given)


Way = Callable[["Stage"], Caller]


@dataclass
class Stage:
    """What a way in is made of."""

    app: FairwayApp
    work_as: WorkAs
    scene: Scene

    def person(self, person: Person) -> Caller:
        """A browser in which the person has just signed in."""
        kept = self.app.test_client()
        sign_in(kept, person)
        return self.with_cookie(kept, "/security/password")

    def with_cookie(self, kept: FlaskClient, page: str) -> Caller:
        found = CSRF.findall(kept.get(page).text)
        name = self.app.config["SESSION_COOKIE_NAME"]
        cookie = kept.get_cookie(name)
        assert cookie is not None
        return Caller(
            "",
            self.app.test_client(use_cookies=False),
            {"Cookie": f"{name}={cookie.value}"},
            found[0],
        )

    def visitor(self, found: Visitor) -> Caller:
        return Caller("", self.app.test_client(use_cookies=False), dict(found.headers))

    def new(self, name: str, **facts) -> Person:
        with self.work_as(system_actor("test")) as work:
            return make_person(work, name=name, **facts)

    def edit_session(self, caller: Caller, **values: object) -> Caller:
        """The session's row as it would be some time later."""
        token = caller.headers["Cookie"].split("=", 1)[1]
        with self.work_as(system_actor("test")) as work:
            done = work.session.execute(
                update(WebSession)
                .where(WebSession.token_hash == digest(token))
                .values(**values)
                .returning(WebSession.id)
            ).all()
        assert len(done) == 1
        return caller

    def now(self):
        return self.app.extensions["fairway"].clock.now()

    def client_of(self, word: str, scopes: tuple[str, ...]) -> Caller:
        ids = self.scene.a if word == CANARY else self.scene.b
        return self.visitor(program(self.app, self.work_as, scopes, uuid.UUID(ids["trader_id"])))


def _anonymous(stage: Stage) -> Caller:
    return stage.with_cookie(stage.app.test_client(), "/sign-in")


def _of_scene(name: str) -> Way:
    return lambda stage: stage.person(stage.scene.people[name])


def _stale(name: str) -> Way:
    """Signed in a while ago: nothing that asks for a fresh proof is open."""

    def way(stage: Stage) -> Caller:
        long_ago = stage.now() - timedelta(minutes=6)
        return stage.edit_session(_of_scene(name)(stage), fresh_at=long_ago)

    return way


def _expired(stage: Stage) -> Caller:
    caller = _of_scene("a officer")(stage)
    return stage.edit_session(caller, expires_at=stage.now() - timedelta(seconds=1))


def _revoked(stage: Stage) -> Caller:
    caller = _of_scene("a officer")(stage)
    return stage.edit_session(caller, revoked_at=stage.now(), data={})


def _half_in(stage: Stage) -> Caller:
    """The first of two proofs was given, and the second was not."""
    kept = stage.app.test_client()
    sign_in(kept, stage.scene.people["a officer"], Method.PASSWORD)
    return stage.with_cookie(kept, "/sign-in/go-on")


def _ended(stage: Stage) -> Caller:
    """A person who has left and kept the cookie; even the row of the session was forgotten."""
    person = stage.new("Gone Away")
    caller = stage.person(person)
    with stage.work_as(system_actor("test")) as work:
        end_person(work, work.session.get_one(Person, person.id))
    return stage.edit_session(caller, revoked_at=None)


def _nobodys(stage: Stage) -> Caller:
    return stage.person(stage.new("New Comer", email=f"guest@{CANARY.lower()}.example"))


def _engaged(stage: Stage, scopes: Collection[DelegationScope]) -> tuple[Person, uuid.UUID]:
    """The officer of a broker whom the first importer has engaged for this, and the broker."""
    with stage.work_as(system_actor("test")) as work:
        agent = make_person(work, name="Agent Person")
        broker = make_trader(work, agent, name="Engaged Brokers", entity_type=EntityType.BROKER)
        work.session.flush()
        principal = stage.scene.holders[CANARY][TraderRole.OFFICER]
        # The second is where an application waits for an answer.
        for at in (stage.scene.a, stage.scene.a_returned):
            pair = Pair(uuid.UUID(at["trader_id"]), broker.id, principal, agent)
            delegate(work, pair, scopes)
        return agent, broker.id


def _agent(*scopes: DelegationScope) -> Way:
    return lambda stage: stage.person(_engaged(stage, scopes)[0])


def _agents_program(*scopes: DelegationScope) -> Way:
    """The program of such a broker, which says for whom it asks."""

    def way(stage: Stage) -> Caller:
        _, broker_id = _engaged(stage, scopes)
        made = stage.visitor(program(stage.app, stage.work_as, TRADER_SCOPES, broker_id))
        return replace(made, on_behalf_of=stage.scene.a["trader_id"])

    return way


def _second_reviewer(stage: Stage) -> Caller:
    with stage.work_as(system_actor("test")) as work:
        person = make_staff(work, AgencyRole.REVIEWER, "Second Reader")
    return stage.person(person)


def _suspended(stage: Stage) -> Caller:
    caller = stage.client_of(CANARY, TRADER_SCOPES)
    with stage.work_as(system_actor("test")) as work:
        newest = work.session.query(ApiClient).order_by(ApiClient.created_at, ApiClient.id).all()
        move(work, max(newest, key=lambda one: one.id), "suspend")
    return caller


@dataclass(frozen=True)
class Principal:
    """One column of the table of verdicts."""

    name: str
    what: str
    side: str
    way: Way
    kept_from: tuple[str, ...] = ()

    def caller(self, stage: Stage) -> Caller:
        made = self.way(stage)
        return replace(made, name=self.name, side=self.side, kept_from=self.kept_from)


NOT_A, NOT_B, NEITHER = (CANARY,), (PLAIN,), (CANARY, PLAIN)

PRINCIPALS = (
    Principal("nobody", "nobody who has signed in", CANARY, _anonymous, NEITHER),
    Principal("expired", "a session past its end", CANARY, _expired, NEITHER),
    Principal("revoked", "a session that was ended", CANARY, _revoked, NEITHER),
    Principal("half-in", "its officer, by password alone", CANARY, _half_in, NEITHER),
    Principal("left", "a person who has left, with the old cookie", CANARY, _ended, NEITHER),
    *(
        Principal(str(role), f"{role} of the first importer", CANARY, _of_scene(f"a {role}"), NOT_B)
        for role in TraderRole
    ),
    Principal(
        "stale", "its officer, signed in six minutes ago", CANARY, _stale("a officer"), NOT_B
    ),
    Principal(
        "half",
        "preparer of the first importer and officer of a company of their own",
        CANARY,
        _of_scene("half a preparer"),
        NOT_B,
    ),
    Principal("rival", "officer of the second importer", PLAIN, _of_scene("b officer"), NOT_A),
    Principal("rival-view", "viewer of the second importer", PLAIN, _of_scene("b viewer"), NOT_A),
    Principal("newcomer", "a person with no company, and an invitation", CANARY, _nobodys, NOT_B),
    Principal(
        "broker", "officer of a broker whom nobody has engaged", CANARY, _of_scene("rival"), NEITHER
    ),
    Principal(
        "agent", "officer of its broker, for everything", CANARY, _agent(*DelegationScope), NOT_B
    ),
    *(
        Principal(
            f"agent-{scope}", f"officer of its broker, for {scope}", CANARY, _agent(scope), NOT_B
        )
        for scope in DelegationScope
    ),
    Principal("reviewer", "the reviewer who holds the case", CANARY, _of_scene("reviewer")),
    Principal("reviewer-2", "another reviewer", CANARY, _second_reviewer),
    Principal("supervisor", "a supervisor", CANARY, _of_scene("supervisor")),
    Principal("stale-sup", "a supervisor, signed in six minutes ago", CANARY, _stale("supervisor")),
    Principal("manager", "a programme manager", CANARY, _of_scene("programme_manager")),
    Principal("auditor", "an auditor", CANARY, _of_scene("auditor")),
    Principal(
        "agency-api",
        "the agency's program with every scope",
        CANARY,
        lambda stage: stage.visitor(program(stage.app, stage.work_as, AGENCY_SCOPES)),
    ),
    Principal(
        "narrow-api",
        "the agency's program that may look up a status alone",
        CANARY,
        lambda stage: stage.visitor(program(stage.app, stage.work_as, ("status:read",))),
        NEITHER,
    ),
    Principal(
        "own-api",
        "the first importer's program with every scope",
        CANARY,
        lambda stage: stage.client_of(CANARY, TRADER_SCOPES),
        NOT_B,
    ),
    Principal(
        "status-api",
        "the first importer's program that may ask its standing alone",
        CANARY,
        lambda stage: stage.client_of(CANARY, ("status:self",)),
        NOT_B,
    ),
    Principal(
        "rival-api",
        "the second importer's program",
        PLAIN,
        lambda stage: stage.client_of(PLAIN, TRADER_SCOPES),
        NOT_A,
    ),
    *(
        Principal(
            f"agent-{scope}-api",
            f"the program of its broker, for {scope}",
            CANARY,
            _agents_program(scope),
            NOT_B,
        )
        for scope in (DelegationScope.SUBMIT, DelegationScope.DATA, DelegationScope.STATUS)
    ),
    Principal("suspended", "the first importer's program, suspended", CANARY, _suspended, NEITHER),
)


def own_and_foreign(caller: Caller, a: Ids, b: Ids) -> tuple[Ids, Ids]:
    return (a, b) if caller.side == CANARY else (b, a)
