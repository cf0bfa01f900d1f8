"""Signing up, verifying and a new password, through the pages."""

import re
from datetime import timedelta

import pytest
from wtforms import PasswordField

from app.identity import forms
from app.identity.models import LinkPurpose
from app.web.forms import Form
from tests.factories.identity import PASSWORD, code_at
from tests.identity.conftest import TOKEN

NEW = {"name": "Bea Holm", "email": "bea@example.com", "password": "nine slow barges"}


def test_a_new_person_signs_up_verifies_enrols_and_is_in(
    client, clock, post, newest_link, security_tags
):
    answer = post("/sign-up", **NEW)
    assert (answer.status_code, answer.location) == (303, "/sign-up/sent")
    assert "bea@example.com" in client.get("/sign-up/sent").text

    link = newest_link()
    # Looking at the link does not use it up: scanners of mail do that.
    assert client.get(link).status_code == 200
    assert client.get(link).status_code == 200
    answer = post(link, password=NEW["password"])
    assert (answer.status_code, answer.location) == (303, "/sign-in/go-on")

    # Nothing is open before the second factor, and what leads to it is.
    assert client.get("/security").location == "/sign-in?next=/security"
    assert client.get("/sign-in").location == "/sign-in/go-on"
    assert "Set up a passkey" in client.get("/sign-in/go-on").text
    shown = client.get("/security/authenticator").text
    key = re.search(r'id="authenticator-key">([^<]+)<', shown)[1].replace(" ", "")
    assert post("/security/authenticator", code="000000").status_code == 422
    codes = post("/security/authenticator", code=code_at(clock.now(), key))
    assert codes.status_code == 200
    assert len(re.findall(r"<code>[a-z2-9]{7}(?:-[a-z2-9]{7}){3}</code>", codes.text)) == 10

    page = client.get("/security")
    assert page.status_code == 200
    assert "bea@example.com" in page.text
    assert "sign-in:succeeded" in security_tags()
    # Once only.
    assert client.get(link).status_code == 410


def test_the_link_needs_the_password_of_the_sign_up(client, post, newest_link):
    """Somebody who signs up under another's address must not choose that person's password."""
    post("/sign-up", **NEW)
    link = newest_link()
    answer = post(link, password="what the owner would type")
    assert answer.status_code == 422
    assert "not the right password" in answer.text
    assert client.get("/security").status_code == 303
    # The refusal did not use the link up.
    assert post(link, password=NEW["password"]).status_code == 303


def test_a_newer_link_ends_the_older(post, client, newest_link):
    post("/sign-up", **NEW)
    first = newest_link()
    post("/sign-up", **NEW)
    assert client.get(first).status_code == 410
    assert client.get(newest_link()).status_code == 200


def test_a_link_ends_after_a_day(post, client, clock, newest_link):
    post("/sign-up", **NEW)
    clock.advance(timedelta(hours=23, minutes=59))
    assert client.get(newest_link()).status_code == 200
    clock.advance(timedelta(minutes=1))
    assert client.get(newest_link()).status_code == 410


def test_sign_up_does_not_tell_who_is_known(app, ada, post, letters):
    """The same answers, byte for byte, and one letter each, to the address itself."""
    bodies = []
    for email in (ada.email, "nobody@example.com"):
        browser = app.test_client()
        answer = post("/sign-up", by=browser, **{**NEW, "email": email})
        page = browser.get("/sign-up/sent").text.replace(email, "EMAIL")
        bodies.append((answer.status_code, answer.data, answer.location, _still(page)))
    assert bodies[0] == bodies[1]
    assert [(one.recipient, one.template) for one in letters()] == [
        (ada.email, "already-known"),
        ("nobody@example.com", "verify-mail"),
    ]


def test_reset_does_not_tell_who_is_known(app, ada, post, letters):
    bodies = []
    for email in (ada.email, "nobody@example.com"):
        browser = app.test_client()
        answer = post("/reset", by=browser, email=email)
        page = browser.get("/reset/sent").text.replace(email, "EMAIL")
        bodies.append((answer.status_code, answer.data, answer.location, _still(page)))
    assert bodies[0] == bodies[1]
    assert [one.template for one in letters()] == ["reset-password", "reset-unknown"]


def test_sign_up_over_a_known_address_changes_nothing(post, ada, client):
    post("/sign-up", **{**NEW, "email": ada.email})
    assert post("/sign-in", email=ada.email, password=NEW["password"]).status_code == 422
    assert post("/sign-in", email=ada.email, password=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "at least 12 characters"),
        ("passwordpassword", "tried first"),
        ("PasswordPassword", "tried first"),
        ("zzzzzzzzzzzzzzz", "tried first"),
        ("winter2026winter", "tried first"),
        ("1qaz2wsx3edc", "tried first"),
        ("P@ssw0rd12345", "tried first"),
        ("trustedtrader1", "tried first"),
        # Hard to guess anywhere but here.
        ("compliancebrokerfairway", "tried first"),
        ("correct horse battery staple", "tried first"),
        ("bea@example.com", "not your own email address"),
    ],
)
def test_a_poor_password_is_told_beside_its_field(post, letters, password, words):
    answer = post("/sign-up", **{**NEW, "password": password})
    assert answer.status_code == 422
    assert words in answer.text
    assert NEW["email"] in answer.text  # What was typed stays; the password alone is asked again.
    assert letters() == []


def test_every_mistake_of_a_form_is_told_at_once(post):
    answer = post("/sign-up", name="", email="beaexample", password="short")
    assert "Write your name." in answer.text
    assert "like ada@example.com" in answer.text
    assert "at least 12 characters" in answer.text


def test_a_reset_sets_the_password_ends_sessions_and_tells(
    app, ada, client, clock, post, come_in, letters, newest_link
):
    come_in(email=ada.email)
    assert client.get("/security").status_code == 200
    elsewhere = app.test_client()
    post("/reset", by=elsewhere, email=ada.email)
    link = newest_link()
    answer = post(link, by=elsewhere, password="a whole new harbour")
    assert answer.status_code == 303
    assert client.get("/security").status_code == 303
    assert letters()[-1].template == "password-changed"
    assert (
        post(link, by=elsewhere, page="/sign-in", password="another harbour yet").status_code == 410
    )
    assert (
        post("/sign-in", by=elsewhere, email=ada.email, password="a whole new harbour").status_code
        == 303
    )


def test_a_reset_link_ends_after_an_hour(ada, client, clock, post, newest_link):
    post("/reset", email=ada.email)
    clock.advance(timedelta(hours=1))
    assert client.get(newest_link()).status_code == 410


def test_a_link_opens_nothing_but_its_own_purpose(post, client, newest_link):
    post("/sign-up", **NEW)
    token = newest_link().removeprefix("/verify/")
    assert client.get(f"/reset/{token}").status_code == 410
    assert client.get(f"/join/{token}").status_code == 410
    assert LinkPurpose.VERIFY_MAIL == "verify-mail"


def test_signing_in_before_verifying_offers_the_letter_again(post, client, letters):
    post("/sign-up", **NEW)
    answer = post("/sign-in", email=NEW["email"], password=NEW["password"])
    assert answer.location == "/sign-up/unverified"
    page = client.get("/sign-up/unverified")
    assert "Send the letter again" in page.text
    assert client.get("/security").status_code == 303
    post("/sign-up/unverified")
    assert [one.template for one in letters()] == ["verify-mail", "verify-mail"]


def _still(page: str) -> str:
    """The page without its form token, which differs for everybody."""
    for token in set(TOKEN.findall(page)) | set(re.findall(r'X-CSRFToken": "([^"]+)"', page)):
        page = page.replace(token, "TOKEN")
    return page


def test_each_field_for_a_password_is_masked():
    kinds = [one for one in vars(forms).values() if isinstance(one, type) and issubclass(one, Form)]
    fields = {
        (kind.__name__, name): getattr(kind, name).field_class
        for kind in kinds
        for name in dir(kind)
        if "password" in name and hasattr(getattr(kind, name), "field_class")
    }
    assert len(fields) >= 4
    assert set(fields.values()) == {PasswordField}
