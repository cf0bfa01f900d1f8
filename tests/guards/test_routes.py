"""Every route declares its permission, and the list of them is under review."""

from pathlib import Path

import pytest
from flask import Blueprint

from app.web.access import UndeclaredRouteError, check_declared, permission_of
from app.web.requests import SAFE_METHODS

GOLDEN = Path(__file__).parent / "routes.txt"


def lines(app) -> list[str]:
    found = []
    for rule in app.url_map.iter_rules():
        permission = permission_of(app, rule.endpoint)
        assert permission is not None, rule.endpoint
        found += [
            f"{method:7}{rule.rule:90}{rule.endpoint:40}{permission.value}".rstrip()
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        ]
    return sorted(found, key=lambda line: (line.split()[1], line))


def test_the_routes_are_those_under_review(app):
    wanted = "\n".join(lines(app)) + "\n"
    if not GOLDEN.exists() or GOLDEN.read_text() != wanted:
        GOLDEN.write_text(wanted)
        pytest.fail(
            "tests/guards/routes.txt was out of date; read the difference before you commit it."
        )


def test_an_undeclared_route_stops_the_factory(app):
    blueprint = Blueprint("forgotten", __name__)
    blueprint.add_url_rule("/forgotten", view_func=lambda: "open to all", endpoint="page")
    bare = type(app)("bare", doc_ui=False)
    bare.register_blueprint(blueprint)
    with pytest.raises(UndeclaredRouteError, match=r"forgotten\.page"):
        check_declared(bare)


def test_public_routes_are_few_and_known(app):
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if permission_of(app, rule.endpoint).value == "public"
    }
    # An invitation is opened from a letter, before anyone has signed in.
    allowed = (
        "identity.",
        "oidc.",
        "oauth.",
        "probes.",
        "static",
        "home.start",
        "traders.invitation",
        "status_api.description",
        "status_api.documentation",
        "trader_api.description",
        "trader_api.documentation",
        "status_api.keys",
    )
    assert [name for name in sorted(public) if not name.startswith(allowed)] == []


def test_moves_are_never_made_by_a_safe_method(app):
    """Routes named like a verb of change answer POST alone."""
    verbs = ("submit", "approve", "decline", "suspend", "withdraw", "take", "release", "remove")
    wrong = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.rstrip("/").rsplit("/", 1)[-1] in verbs
        and rule.methods & (SAFE_METHODS - {"OPTIONS", "HEAD"})
    ]
    assert wrong == []
