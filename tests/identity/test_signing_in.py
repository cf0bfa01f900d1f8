"""Signing in: its limits, its lock, its form token, and where it leads."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from app.db.session import transaction
from app.identity import limits
from app.identity.models import Person
from app.identity.passwords import HASHER, hash_password, needs_rehash
from tests.factories.identity import PASSWORD, make_person, sign_in
from tests.identity.conftest import READER, SETTER, TOKEN


def test_the_right_password_opens_and_the_wrong_does_not(ada, client, post, come_in, security_tags):
    answer = post("/sign-in", email=ada.email, password="wrong")
    assert answer.status_code == 422
    assert "Email address or password is not right." in answer.text
    assert 'value="ada@example.com"' in answer.text
    assert client.get("/security").status_code == 303

    assert come_in(email="ADA@Example.com").status_code == 303
    assert client.get("/security").status_code == 200
    assert security_tags() == ["sign-in:failed", "sign-in:half-done", "sign-in:succeeded"]


def test_an_unknown_address_answers_like_a_wrong_password(ada, app, post):
    pages = []
    for email in (ada.email, "nobody@example.com"):
        answer = post("/sign-in", by=app.test_client(), email=email, password="wrong")
        pages.append((answer.status_code, len(answer.text.replace(email, ""))))
    assert pages[0] == pages[1]


def test_five_failures_lock_this_address_for_ten_minutes(ada, clock, post, security_tags):
    for _ in range(5):
        assert post("/sign-in", email=ada.email, password="wrong").status_code == 422
    locked = post("/sign-in", email=ada.email, password=PASSWORD)
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "600"
    assert "Too many attempts" in locked.text
    assert 'value="ada@example.com"' in locked.text
    assert security_tags() == [*["sign-in:failed"] * 5, "sign-in:locked"]

    # Trying on does not make it longer.
    clock.advance(timedelta(minutes=9, seconds=59))
    assert post("/sign-in", email=ada.email, password=PASSWORD).headers["Retry-After"] == "1"
    clock.advance(timedelta(seconds=1))
    assert post("/sign-in", email=ada.email, password=PASSWORD).status_code == 303


def test_the_lock_does_not_tell_who_is_known(ada, post):
    for email in (ada.email, "nobody@example.com"):
        answers = [post("/sign-in", email=email, password="wrong").status_code for _ in range(5)]
        assert answers == [422] * 5


def test_a_success_forgets_the_failures_before_it(ada, app, post):
    for _ in range(4):
        post("/sign-in", email=ada.email, password="wrong")
    assert (
        post("/sign-in", by=app.test_client(), email=ada.email, password=PASSWORD).status_code
        == 303
    )
    for _ in range(4):
        answer = post("/sign-in", by=app.test_client(), email=ada.email, password="wrong")
        assert answer.status_code == 422


def test_eleven_failures_from_one_address_wait(client, clock, post, security_tags):
    for number in range(10):
        post("/sign-in", email=f"person-{number}@example.com", password="wrong")
    clock.advance(timedelta(minutes=1))
    answer = post("/sign-in", email="one-more@example.com", password="wrong")
    assert answer.status_code == 429
    assert 200 <= int(answer.headers["Retry-After"]) <= 240
    assert security_tags()[-1] == "rate:limited"
    clock.advance(timedelta(minutes=4, seconds=1))
    assert post("/sign-in", email="one-more@example.com", password="wrong").status_code == 422


def test_many_people_behind_one_address_can_sign_in(app, post, work_as):
    with work_as(SETTER) as work:
        people = [make_person(work) for _ in range(12)]
    for person in people:
        answer = post("/sign-in", by=app.test_client(), email=person.email, password=PASSWORD)
        assert answer.status_code == 303


def test_five_resets_a_day_for_one_address(ada, clock, post):
    for _ in range(5):
        assert post("/reset", email=ada.email).status_code == 303
    assert post("/reset", email="ADA@example.com").status_code == 429
    clock.advance(timedelta(days=1, seconds=1))
    assert post("/reset", email=ada.email).status_code == 303


def test_limits_can_be_lifted_for_browser_journeys(app, ada, post):
    app.config["LIMITS_ON"] = False
    try:
        for _ in range(12):
            assert post("/sign-in", email=ada.email, password="wrong").status_code == 422
    finally:
        app.config["LIMITS_ON"] = True


@pytest.mark.parametrize("token", [None, "", "ImZvcmdlZCI.forged.forged"])
def test_without_the_form_token_nothing_happens_and_the_page_says_so(ada, client, token):
    client.get("/sign-in")
    data = {"email": ada.email, "password": PASSWORD}
    if token is not None:
        data["csrf_token"] = token
    answer = client.post("/sign-in", data=data)
    assert answer.status_code == 400
    assert "reload the page" in answer.text
    assert client.get("/security").status_code == 303


def test_a_form_token_of_another_session_is_refused(app, ada, client, post):
    foreign = TOKEN.search(app.test_client().get("/sign-in").text)
    assert foreign
    client.get("/sign-in")
    answer = client.post(
        "/sign-in", data={"csrf_token": foreign[1], "email": ada.email, "password": PASSWORD}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/security", "/security"),
        ("/traders/1?page=2", "/traders/1?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("///evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/%5Cevil.example", "/"),
        ("/\t/evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
    ],
)
def test_next_leads_only_to_this_site(ada, client, come_in, wanted, leads_to):
    # %5C reaches the server as a backslash, since the address is decoded once.
    sent = wanted if "%" in wanted else quote(wanted, safe="")
    path = f"/sign-in?next={sent}"
    assert come_in(path, email=ada.email).location == leads_to
    assert client.get(path).location == leads_to


def test_a_page_that_needs_signing_in_leads_back(ada, client, come_in):
    answer = client.get("/security?page=2")
    assert answer.status_code == 303
    assert come_in(answer.location, email=ada.email).location == "/security?page=2"


def test_signing_out_ends_the_session_for_good(ada, app, client, post):
    sign_in(client, ada)
    cookie = client.get_cookie("fairway").value
    assert post("/sign-out", page="/security").status_code == 303
    other = app.test_client()
    other.set_cookie("fairway", cookie)
    assert other.get("/security").status_code == 303


def test_a_hash_of_other_parameters_is_renewed(work_as, client, post):
    with work_as(SETTER) as work:
        person = make_person(work)
        person.password_hash = PasswordHasher(time_cost=1, memory_cost=8_192).hash(PASSWORD)
        work.session.flush()
    assert needs_rehash(person.password_hash)
    assert post("/sign-in", email=person.email, password=PASSWORD).status_code == 303
    with work_as(SETTER) as work:
        renewed = work.session.get(Person, person.id).password_hash
    assert not needs_rehash(renewed)
    assert HASHER.verify(renewed, PASSWORD)


def test_the_hash_is_argon2id_in_the_small_profile():
    assert hash_password("seven quiet harbours").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_emails_are_counted_under_a_name_that_is_not_theirs(app, ada, engine, post):
    post("/sign-in", email=ada.email, password="wrong")
    with transaction(engine, READER) as db:
        keys = list(db.execute(text("SELECT key FROM rate_count")).scalars())
    assert keys
    assert not [key for key in keys if "ada" in key]
    with app.app_context():
        assert any(limits.keyed("Ada@example.com ") in key for key in keys)
