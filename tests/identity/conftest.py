"""What the tests of this feature share: form tokens, letters, browsers and an open API address."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import OKPKey
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from app import create_app
from app.audit.models import SecurityEvent
from app.authz.actor import system_actor
from app.authz.permissions import Permission
from app.db.session import Principal, transaction
from app.identity import service
from app.identity.models import Person
from app.kernel.ids import new_id
from app.notifications.models import Message
from app.web.access import requires
from app.web.requests import current_actor
from tests.factories.authenticator import Device
from tests.factories.identity import PASSWORD, code_at, give_authenticator, make_person
from tests.factories.programs import INTERNAL, TRADER

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
LINK = re.compile(r"http://localhost:8000(/\S+)")

READER = Principal("system:test")
SETTER = system_actor("test")
Post = Callable[..., TestResponse]


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """`post(path, page=None, **fields)`: fetch the page for its form token, then send the form."""

    def send(path: str, *, page: str | None = None, by=None, **fields: str) -> TestResponse:
        browser = by or client
        found = TOKEN.search(browser.get(page or path).text)
        assert found, f"{page or path} shows no form token"
        return browser.post(path, data={"csrf_token": found[1], **fields})

    return send


@pytest.fixture
def letters(engine: Engine) -> Callable[[], list[Message]]:
    """Every letter in the outbox, in the order of writing."""

    def read() -> list[Message]:
        with transaction(engine, READER, read_only=True) as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    return read


@pytest.fixture
def newest_link(letters: Callable[[], list[Message]]) -> Callable[[], str]:
    """The path of the link in the newest letter."""

    def read() -> str:
        found = LINK.search(letters()[-1].body)
        assert found
        return found[1]

    return read


@pytest.fixture
def security_tags(engine: Engine) -> Callable[[], list[str]]:
    """The tags of all security events, in order."""

    def read() -> list[str]:
        with transaction(engine, READER, read_only=True) as session:
            return list(session.scalars(select(SecurityEvent.tag).order_by(SecurityEvent.id)))

    return read


@pytest.fixture
def ada(work_as) -> Person:
    """A person whose address is verified."""
    with work_as(SETTER) as work:
        person = make_person(work, name="Ada Brook", email="ada@example.com")
        give_authenticator(work, person)
        return person


@pytest.fixture
def come_in(post: Post, clock) -> Post:
    """Sign in by password and then by the code that the app shows now."""

    def send(path: str = "/sign-in", *, by=None, email: str, password: str = PASSWORD):
        half = post(path, by=by, email=email, password=password)
        assert half.location == "/sign-in/go-on", half.text
        return post("/sign-in/code", page="/sign-in/go-on", by=by, code=code_at(clock.now()))

    return send


def options_for(client: FlaskClient, page: str, address: str) -> dict:
    """What the script of `page` is given for the browser's authenticator."""
    token = TOKEN.search(client.get(page).text)[1]
    answer = client.post(address, data={"csrf_token": token})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def enrol(client: FlaskClient, post: Post, device: Device, **lies: object) -> TestResponse:
    """Set up a passkey on the device, as the page's script does."""
    page = "/security/passkeys/new"
    options = options_for(client, page, "/security/passkeys/options")
    return post(page, by=client, name="Laptop", credential=device.create(options, **lies))


def sign_in_by(client: FlaskClient, post: Post, device: Device, **lies: object) -> TestResponse:
    """Sign in with the device's passkey, as the page's script does."""
    options = options_for(client, "/sign-in", "/sign-in/passkey/options")
    return post(
        "/sign-in/passkey",
        page="/sign-in",
        by=client,
        credential=device.get(options, **lies),
    )


@pytest.fixture(scope="module")
def probe(_engine, settings, _clock):
    """The application with an address of each API that says who is asking."""
    app = create_app("all", settings=settings, engine=_engine, clock=_clock)
    app.testing = True

    def who():
        actor = current_actor()
        return {
            "kind": actor.kind.value,
            "scopes": sorted(actor.scopes),
            "trader": None if actor.trader_id is None else str(actor.trader_id),
        }

    def own():
        return who()

    app.add_url_rule("/api/v1/probe", "probe.api", requires(Permission.STATUS_READ)(who))
    app.add_url_rule("/trader/v1/probe", "probe.trader", requires(Permission.TRADER_API_READ)(own))
    return app


@pytest.fixture
def api(probe, engine, clock):
    return probe.test_client()


@pytest.fixture
def internal(work_as):
    with work_as(SETTER) as work:
        return service.create_client(work, name="Release system", scopes=INTERNAL)


@pytest.fixture
def of_trader(work_as):
    with work_as(SETTER) as work:
        return service.create_client(work, name="Filing system", scopes=TRADER, trader_id=new_id())


@pytest.fixture
def signing(work_as):
    """A client that proves itself by signatures, and its key."""
    key = OKPKey.generate_key("Ed25519")
    with work_as(SETTER) as work:
        client, secret = service.create_client(
            work, name="Signer", scopes=INTERNAL, jwk=key.as_dict(private=False)
        )
    assert secret is None
    return client, key
