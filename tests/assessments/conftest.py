"""A trader's people in front of browsers, and what a browser would send of a section's page."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.authz.actor import TraderRole, system_actor
from app.identity.models import Person
from tests.factories.assessments import make_assessment
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import appoint_person, make_trader
from tests.guards.markup import checked, text_of

RADIO = {"yes", "no", "mine", "theirs"}


@dataclass
class Answered:
    """An answer: its status, where it leads, and its page."""

    status: int
    location: str
    html: str
    headers: dict[str, str]

    @cached_property
    def tree(self):
        return checked(self.html, whole=True)

    @property
    def words(self) -> str:
        return text_of(self.tree)

    def fields(self) -> dict[str, str | list[str]]:
        """Names and values of the section's form, as a browser would send them untouched."""
        form = next(
            one for one in self.tree.iter("form") if "section-form" in (one.get("class") or "")
        )
        values: dict[str, list[str]] = {}
        for one in form.iter():
            name = one.get("name")
            if name is None or one.tag == "button" or one.get("type") == "file":
                continue
            if one.tag == "textarea":
                # A parser drops the line break after the tag, as browsers do.
                value = one.text or ""
            elif one.tag == "select":
                value = ""
            elif one.get("type") == "radio":
                if one.get("checked") is None:
                    continue
                value = one.get("value", "")
            else:
                value = one.get("value", "")
            values.setdefault(name, []).append(value)
        return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


@dataclass
class Browser:
    """A browser without script, on one assessment."""

    client: FlaskClient
    base: str

    def get(self, path: str = "", **headers: str) -> Answered:
        return self._answered(self.client.get(self.base + path, headers=headers))

    def post(self, path: str, data: dict, **headers: str) -> Answered:
        # An empty hidden control stands before radio buttons, and a browser sends both.
        data = {
            name: ["", value] if isinstance(value, str) and value in RADIO else value
            for name, value in data.items()
        }
        boundary, body = encode_multipart(data)
        return self._answered(
            self.client.post(
                self.base + path,
                data=body,
                headers=headers,
                content_type=f"multipart/form-data; boundary={boundary}",
            )
        )

    def autosave(self, path: str, criterion: str, data: dict) -> Answered:
        """What htmx sends when a control of a criterion changes."""
        return self.post(
            f"{path}/save?criterion={criterion}",
            data,
            **{"HX-Request": "true", "HX-Request-Type": "partial"},
        )

    @staticmethod
    def _answered(response) -> Answered:
        return Answered(
            response.status_code,
            response.headers.get("Location", ""),
            response.text,
            dict(response.headers),
        )


@dataclass
class Scene:
    """A trader with an officer, a preparer and a viewer, and one open assessment."""

    trader_id: UUID
    assessment_id: UUID
    officer: Person
    preparer: Person
    viewer: Person
    stranger: Person
    browser: Callable[[Person], Browser]

    @property
    def base(self) -> str:
        return f"/traders/{self.trader_id}/assessments/{self.assessment_id}"


@pytest.fixture
def scene(app, work_as) -> Scene:
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Olive Ford")
        preparer = make_person(work, name="Pat Quay")
        viewer = make_person(work, name="Vera Lock")
        stranger = make_person(work, name="Stan Ranger")
        trader = make_trader(work, officer)
        make_trader(work, stranger, name="Other Imports LLC")
        appoint_person(work, trader, officer, preparer, TraderRole.PREPARER)
        appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        assessment = make_assessment(work, trader)
        trader_id, assessment_id = trader.id, assessment.id

    def browser(person: Person) -> Browser:
        client = app.test_client()
        sign_in(client, person)
        return Browser(client, f"/traders/{trader_id}/assessments/{assessment_id}")

    return Scene(trader_id, assessment_id, officer, preparer, viewer, stranger, browser)


def chosen(content: bytes, name: str) -> FileStorage:
    """A file as a browser sends it."""
    return FileStorage(io.BytesIO(content), name)
