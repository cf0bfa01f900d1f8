"""A person in front of a browser without JavaScript: reads a page, fills its form, sends it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask.testing import FlaskClient

from app.authz.actor import system_actor
from app.identity.models import Person
from tests.factories.identity import make_person, sign_in

XHTML = "{http://www.w3.org/1999/xhtml}"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Page:
    """An answer, and its HTML as a tree."""

    status: int
    location: str
    text: str

    @property
    def tree(self) -> Element:
        return html5lib.parse(self.text)

    def words(self) -> str:
        """The text of the page with single blanks."""
        return " ".join("".join(self.tree.itertext()).split())

    def fields(self, action: str = "") -> dict[str, str]:
        """Names and values of the main form, as a browser would send them untouched."""
        main = next(e for e in self.tree.iter(f"{XHTML}main"))
        form = next(
            e for e in main.iter(f"{XHTML}form") if (e.get("action") or "").endswith(action)
        )
        values = {}
        for e in form.iter():
            name = e.get("name")
            if name is None:
                continue
            if e.tag == f"{XHTML}select":
                chosen = [o for o in e.iter(f"{XHTML}option") if o.get("selected") is not None]
                values[name] = chosen[0].get("value", "") if chosen else ""
            elif e.get("type") in {"radio", "checkbox"}:
                if e.get("checked") is not None:
                    values[name] = e.get("value", "on")
            else:
                values[name] = e.get("value", "")
        return values


@dataclass
class Visitor:
    """One browser."""

    client: FlaskClient

    def get(self, path: str, **headers: str) -> Page:
        return self._page(self.client.get(path, headers=headers))

    def post(self, path: str, data: dict[str, str]) -> Page:
        return self._page(self.client.post(path, data=data))

    def send(self, path: str, **typed: str) -> Page:
        """Open the form at `path`, type, and send it."""
        return self.post(path, {**self.get(path).fields(), **typed})

    @staticmethod
    def _page(response) -> Page:
        return Page(response.status_code, response.headers.get("Location", ""), response.text)


@pytest.fixture
def person_of(work_as) -> Callable[..., Person]:
    """Make a committed person."""

    def make(**values):
        with work_as(system_actor("test")) as work:
            return make_person(work, **values)

    return make


@pytest.fixture
def visit(app) -> Callable[[Person | None], Visitor]:
    """A browser of its own for a person, signed in; for nobody when `None`."""

    def open_browser(person: Person | None = None) -> Visitor:
        client = app.test_client()
        if person is not None:
            sign_in(client, person)
        return Visitor(client)

    return open_browser
