"""Two at once, a database that is away, and a site behind https."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app import create_app
from app.db.session import make_engine
from app.identity import rate_store
from app.identity.models import Person
from tests.factories.identity import PASSWORD
from tests.identity.conftest import SETTER, TOKEN

SPAN = timedelta(minutes=1)


def prepared(app, path):
    """A browser that has fetched `path`, and its form token."""
    browser = app.test_client()
    return browser, TOKEN.search(browser.get(path).text)[1]


def test_two_clicks_on_one_link_are_one_use(app, ada, post, newest_link):
    post("/reset", email=ada.email)
    link = newest_link()
    browsers = [prepared(app, link) for _ in range(4)]

    def click(pair):
        browser, token = pair
        data = {"csrf_token": token, "password": "a whole new harbour"}
        return browser.post(link, data=data).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(click, browsers)) == [303, 410, 410, 410]


def test_parallel_guesses_are_counted_before_they_are_judged(app, ada, engine, security_tags):
    browsers = [prepared(app, "/sign-in") for _ in range(8)]

    def guess(pair):
        browser, token = pair
        data = {"csrf_token": token, "email": ada.email, "password": "wrong"}
        return browser.post("/sign-in", data=data).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, browsers))
    assert sorted(answers) == [422] * 5 + [429] * 3
    assert security_tags().count("sign-in:locked") == 1


def test_the_same_address_signing_up_twice_at_once_is_one_person(app, work_as, letters):
    browsers = [prepared(app, "/sign-up") for _ in range(4)]

    def sign_up(pair):
        browser, token = pair
        data = {
            "csrf_token": token,
            "name": "Bea Holm",
            "email": "bea@example.com",
            "password": "nine slow barges",
        }
        return browser.post("/sign-up", data=data).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(sign_up, browsers))
    assert answers == [303] * 4
    with work_as(SETTER) as work:
        assert work.session.query(Person).count() == 1


def test_a_count_is_exact_under_load(engine, clock):
    now = clock.now()

    def hit(_):
        return rate_store.count(engine, "k", now=now, lasts=SPAN).count

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(hit, range(40))) == list(range(1, 41))
    assert rate_store.count(engine, "k", now=now + SPAN, lasts=SPAN).count == 1


def test_without_a_database_the_answer_is_503_and_a_page(settings, clock):
    away = make_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    app = create_app("all", settings=settings, engine=away, clock=clock)
    browser = app.test_client()
    browser.set_cookie("fairway", "some token")
    for path in ("/security", "/sign-in"):
        answer = browser.get(path)
        assert answer.status_code == 503
        assert "Fairway" in answer.text
    answer = browser.get("/api/v1/anything", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 404


@pytest.fixture
def https(settings, engine, clock):
    return create_app(
        "all",
        settings=settings.model_copy(update={"public_url": "https://fairway.example"}),
        engine=engine,
        clock=clock,
    )


def test_behind_https_the_cookie_is_bound_to_this_host(https, ada):
    browser = https.test_client()
    base = "https://fairway.example"
    page = browser.get("/sign-in", base_url=base)
    header = page.headers["Set-Cookie"]
    assert header.startswith("__Host-fairway=")
    assert "Secure" in header
    assert "Path=/" in header
    assert "Domain" not in header
    answer = browser.post(
        "/sign-in",
        base_url=base,
        headers={"Referer": f"{base}/sign-in"},
        data={
            "csrf_token": TOKEN.search(page.text)[1],
            "email": ada.email,
            "password": PASSWORD,
        },
    )
    assert answer.status_code == 303
    assert "Secure" in answer.headers["Set-Cookie"]
