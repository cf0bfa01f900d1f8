"""A fresh proof before what cannot be taken back, without losing what was typed."""

from datetime import timedelta

import pytest
from flask import redirect
from wtforms import StringField

from app import create_app
from app.authz.permissions import Permission
from app.identity.step_up import StepUpForm, require_fresh
from app.web.access import requires
from app.web.fragments import render
from tests.factories.identity import code_at, sign_in

PAGE = """
{% extends "layout/portal.html" %}
{% block main %}
  {% from "macros/forms.html" import field, submit %}
  {% from "identity/step_up.html" import step_up %}
  <form method="post">{{ form.hidden_tag() }}{{ field(form.reason) }}{{ step_up(form) }}
  {{ submit("Decide") }}</form>
{% endblock %}
"""


class DecideForm(StepUpForm):
    reason = StringField("Reason")


@pytest.fixture(scope="module")
def deciding(_engine, settings, _clock):
    """The application with a form that needs a fresh proof, and a page that does."""
    app = create_app("all", settings=settings, engine=_engine, clock=_clock)
    app.testing = True
    loader = app.jinja_env.loader
    app.jinja_env.loader = _WithPage(loader)

    def decide():
        form = DecideForm()
        if form.validate_on_submit() and form.confirm():
            return redirect(f"/decided/{form.reason.data}", code=303)
        return render("decide.html", form=form, status=422 if form.errors else 200)

    def careful():
        require_fresh()
        return "careful"

    app.add_url_rule(
        "/decide", "probe.decide", requires(Permission.SIGNED_IN)(decide), methods=["GET", "POST"]
    )
    app.add_url_rule("/careful", "probe.careful", requires(Permission.SIGNED_IN)(careful))
    return app


class _WithPage:
    def __init__(self, inner):
        self.inner = inner

    def load(self, environment, name, globals=None):  # noqa: A002
        if name == "decide.html":
            return environment.from_string(PAGE, globals)
        return self.inner.load(environment, name, globals)


@pytest.fixture
def browser(deciding, ada, engine, clock):
    client = deciding.test_client()
    sign_in(client, ada)
    return client


def test_a_fresh_session_is_asked_nothing(browser, post):
    assert "code_again" not in browser.get("/decide").text
    answer = post("/decide", by=browser, reason="sound")
    assert (answer.status_code, answer.location) == (303, "/decided/sound")


def test_a_stale_one_is_asked_in_the_form_and_nothing_typed_is_lost(
    browser, clock, post, security_tags
):
    clock.advance(timedelta(minutes=5))
    assert "code_again" in browser.get("/decide").text
    answer = post("/decide", by=browser, reason="sound")
    assert answer.status_code == 422
    assert "confirm that it is you" in answer.text
    assert 'value="sound"' in answer.text

    answer = post("/decide", by=browser, reason="sound", code_again="000000")
    assert answer.status_code == 422
    assert "not right" in answer.text
    assert 'value="sound"' in answer.text

    answer = post("/decide", by=browser, reason="sound", code_again=code_at(clock.now()))
    assert (answer.status_code, answer.location) == (303, "/decided/sound")
    assert security_tags() == ["second-factor:failed", "step-up:failed", "step-up:succeeded"]

    # And it holds for five minutes more.
    clock.advance(timedelta(minutes=4, seconds=59))
    assert post("/decide", by=browser, reason="sound").status_code == 303
    clock.advance(timedelta(seconds=1))
    assert post("/decide", by=browser, reason="sound").status_code == 422


def test_five_wrong_proofs_lock_the_proof(browser, clock, post):
    clock.advance(timedelta(minutes=5))
    for _ in range(5):
        post("/decide", by=browser, reason="sound", code_again="000000")
    answer = post("/decide", by=browser, reason="sound", code_again=code_at(clock.now()))
    assert answer.status_code == 422
    assert "Wait 5 minutes" in answer.text


def test_a_page_sends_the_stale_to_confirm_and_back(browser, clock, post):
    assert browser.get("/careful").text == "careful"
    clock.advance(timedelta(minutes=5))
    answer = browser.get("/careful?a=1")
    assert answer.status_code == 303
    assert answer.location.startswith("/confirm?next=")
    wrong = post(answer.location, by=browser, code="000000")
    assert wrong.status_code == 422
    right = post(answer.location, by=browser, code=code_at(clock.now()))
    assert (right.status_code, right.location) == (303, "/careful?a=1")
    assert browser.get("/careful").text == "careful"
