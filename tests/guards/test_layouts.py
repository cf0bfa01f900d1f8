"""The frame of every page and the error pages: valid, with their landmarks, in plain words."""

from types import SimpleNamespace

import pytest
from flask import render_template_string
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from app.kernel.errors import Problem
from tests.guards.markup import SITE, by_id, checked, show, text_of

TITLE = "Sites \N{EN DASH} Fairway"


class SiteForm(Form):
    city = StringField("City", [InputRequired("Enter the city")])


FRAME = '{% extends "layout/@.html" %}{% block title %}Sites{% endblock %}'
FRAME += "{% block main %}<h1>Sites</h1>{% endblock %}"
SIGNED_IN = {
    "current_person": SimpleNamespace(name="Ann <Lee>", email="ann@example.test"),
    "acting_for": SimpleNamespace(id=1, name="Harbourline & Sons"),
    "navigation": [SimpleNamespace(label="Home", href="/", current=True)],
    "footer_links": [SimpleNamespace(label="Help", href="/help")],
    "demo": True,
    "app_version": "1.2.3",
}


@pytest.mark.parametrize("layout", ["portal", "console", "plain"])
@pytest.mark.parametrize("context", [{}, SIGNED_IN], ids=["nobody", "somebody"])
def test_a_frame_is_a_valid_page_with_its_landmarks(layout, context):
    tree = checked(show(FRAME.replace("@", layout), **context), whole=True)
    assert text_of(next(tree.iter("title"))) == TITLE
    for landmark in ("header", "main", "footer"):
        assert len(list(tree.iter(landmark))) == 1
    assert by_id(tree, "live").get("aria-live") == "polite"
    assert by_id(tree, "alerts").get("aria-live") == "assertive"
    assert len(list(tree.iter("h1"))) == 1
    body = next(tree.iter("body"))
    assert "X-CSRFToken" in body.get("hx-headers:inherited")
    assert layout in body.get("class").split()
    words = text_of(body)
    assert ("Acting for: Harbourline & Sons" in words) == (layout == "portal" and bool(context))
    assert ("Ann <Lee>" in words) == (layout != "plain" and bool(context))
    assert ("Demonstration" in words) == bool(context)


def test_a_page_with_errors_says_so_in_its_title():
    source = FRAME.replace("@", "portal")
    form = SiteForm()
    assert not form.validate()
    for context in ({"form_errors": ["x"]}, {"form": form}):
        tree = checked(show(source, **context), whole=True)
        assert text_of(next(tree.iter("title"))) == f"Error: {TITLE}"


def test_messages_of_the_last_action_are_shown_once():
    browser = SITE.test_client()
    with browser.session_transaction() as session:
        session["_flashes"] = [("success", "Saved <it>"), ("error", "Not sent")]
    with SITE.test_request_context():
        environ = browser.get_cookie("session", domain="localhost")
    with SITE.test_request_context(headers={"Cookie": f"session={environ.value}"}):
        tree = checked(render_template_string(FRAME.replace("@", "portal")), whole=True)
    shown = [
        (node.get("role"), text_of(node))
        for node in tree.iter("div")
        if "usa-alert" in (node.get("class") or "").split()
    ]
    assert shown == [("status", "Saved <it>"), ("alert", "Not sent")]


CODES = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503)


@pytest.mark.parametrize("template", ["error", "fragment"])
def test_every_error_has_words_of_its_own_and_a_way_on(template):
    seen = set()
    for code in CODES:
        html = show(
            f'{{% include "errors/{template}.html" %}}',
            code=code,
            message="Because <of> this.",
            problems=[Problem("%(count)s left.", params={"count": 2})],
            reference="R-1",
        )
        tree = checked(html, whole=template == "error")
        words = text_of(tree)
        assert "Because <of> this." in words
        assert "2 left." in words
        assert ("R-1" in words) == (template == "error")
        seen.add(words)
    assert len(seen) == len(CODES)


def test_an_error_page_needs_no_session():
    html = show('{% include "errors/error.html" %}', code=503, message="", reference="R-1")
    assert "csrf" not in html.lower()
