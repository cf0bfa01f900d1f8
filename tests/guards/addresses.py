"""Every route of the application's own map, with its address for a set of ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

import pytest
from werkzeug.routing import Rule

from app.web.access import API_PREFIXES, permission_of
from tests.guards.scene import Ids

OPEN_TO_HOLDERS = {
    "static": "A public file.",
    "traders.invitation": "Whoever holds the token of a letter may read what it invites to.",
    "traders.accept_invitation": "The same; its own tests show that it takes the invited address.",
    "identity.verify": "The token of a letter is the permission.",
    "identity.verify_with_password": "The token of a letter is the permission.",
    "identity.reset": "The token of a letter is the permission.",
    "identity.reset_with_password": "The token of a letter is the permission.",
    "identity.join": "The token of a letter is the permission.",
    "identity.join_with_password": "The token of a letter is the permission.",
    "oidc.start": "Whoever signs in begins here; the argument names a provider, no row.",
    "oidc.callback": "The state in the browser's own session is the permission.",
    "oidc.stopped": "It tells a browser about its own attempt.",
    "oidc.first": "The identity that waits in the browser's own session is the permission.",
    "oidc.begin_first": "The same.",
    "identity.recover": "The token of a letter is the permission.",
    "identity.recover_with_password": "The token of a letter and the password are.",
    "demo.message": "The demonstration's mailbox is open to whoever sits at the machine.",
}
NEVER = UUID("01a20000-0000-7000-8000-000000000000")


@dataclass(frozen=True)
class Cell:
    """One route asked with one method."""

    rule: Rule
    method: str
    permission: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    @property
    def area(self) -> str:
        """Who answers here: `open`, `console`, `api` or, for everything else, `trader`."""
        if self.rule.endpoint in OPEN_TO_HOLDERS:
            return "open"
        if self.rule.rule.startswith("/console/"):
            return "console"
        return "api" if self.rule.rule.startswith(API_PREFIXES[:2]) else "trader"

    def address(self, ids: Mapping[str, str]) -> str:
        """The address with these ids; an argument that has none fails the test."""
        endpoint = self.rule.endpoint
        keys = {
            name: next(
                (
                    key
                    for key in (f"{endpoint}.{name}", f"{endpoint.split('.')[0]}.{name}", name)
                    if key in ids
                ),
                None,
            )
            for name in self.rule.arguments
        }
        unlisted = [name for name, key in keys.items() if key is None]
        if unlisted:
            pytest.fail(f"UNLISTED in tests/guards/scene.py: {unlisted} of {self.rule.rule}")
        built = self.rule.build({name: ids[key] for name, key in keys.items()})
        assert built is not None, str(self)
        return built[1]


def cells(app, *areas: str, ids_only: bool = True) -> list[Cell]:
    """The routes of these areas. HEAD runs the same view as GET, and OPTIONS runs none."""
    found = [
        Cell(rule, method, permission_of(app, rule.endpoint).value)
        for rule in app.url_map.iter_rules()
        if rule.arguments or not ids_only
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]
    found = [one for one in found if one.area in areas]
    assert found
    return found


def absent(ids: Ids) -> Ids:
    """The same names, each with an id that nothing has; codes and numbers stay."""
    return {
        name: str(uuid5(NEVER, name)) if re.fullmatch(r"[0-9a-f-]{36}", value) else value
        for name, value in ids.items()
    }
