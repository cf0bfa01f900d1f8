"""What the tests of this feature share: form tokens, letters, browsers and an open API address."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from app.audit.models import SecurityEvent
from app.authz.actor import system_actor
from app.db.session import Principal, transaction
from app.identity.models import Person
from app.notifications.models import Message
from tests.factories.identity import make_person

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
        return make_person(work, name="Ada Brook", email="ada@example.com")
