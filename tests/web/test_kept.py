"""Nothing typed is lost when the session ends, and no stranger's form is ever kept."""

import re
from datetime import timedelta

import pytest

from app.authz.actor import system_actor
from app.traders.models import Site
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader

OURS = {"Origin": "http://localhost"}
TYPED = {
    "name": "Pier 9 <warehouse>",
    "kind": "warehouse",
    "country": "US",
    "address_line": "9 Pier Street",
    "city": "Oakland",
    "region": "CA",
    "postal_code": "94607",
    "password_again": "never to be shown",
}


@pytest.fixture
def scene(client, work_as):
    """An officer signed in, and the path of the form for a new site."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader = make_trader(work, officer)
        path = f"/traders/{trader.id}/sites/new"
    sign_in(client, officer)
    return officer, path


def token_of(html: str) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)[1]


def fields_of(html: str) -> dict[str, str]:
    found = re.findall(r'<textarea name="([^"]+)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    return {name: value.replace("&lt;", "<").replace("&gt;", ">") for name, value in found}


def test_a_form_that_outlived_its_session_can_be_sent_again(client, scene, clock, work_as):
    officer, path = scene
    page = client.get(path).text
    typed = {
        **TYPED,
        "csrf_token": token_of(page),
        "key": re.search(r'name="key"[^>]*value="([^"]+)"', page)[1],
    }
    clock.advance(timedelta(hours=13))
    kept = client.post(path, data=typed, headers=OURS)
    assert kept.status_code == 401
    assert "never to be shown" not in kept.text
    carried = fields_of(kept.text)
    assert carried["name"] == TYPED["name"]

    sign_in(client, officer)
    again = client.post(path, data=carried, headers=OURS)
    assert again.status_code == 400
    done = client.post(
        path, data={**fields_of(again.text), "csrf_token": token_of(again.text)}, headers=OURS
    )
    assert done.status_code == 303
    with work_as(system_actor("test")) as work:
        assert [site.name for site in work.session.query(Site)] == [TYPED["name"]]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://elsewhere.example"}, {"Referer": "https://localhost.evil/"}]
)
def test_a_strangers_form_is_never_kept(client, scene, headers, work_as):
    _, path = scene
    answer = client.post(path, data=TYPED, headers=headers)
    assert answer.status_code == 400
    assert TYPED["name"] not in answer.text
    assert "9 Pier Street" not in answer.text
    with work_as(system_actor("test")) as work:
        assert work.session.query(Site).count() == 0


def test_a_background_save_says_so_and_leaves_the_page_alone(client, scene, clock):
    _, path = scene
    clock.advance(timedelta(hours=13))
    answer = client.post(
        path, data=TYPED, headers={**OURS, "HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert answer.status_code == 401
    assert answer.headers["HX-Retarget"] == "#alerts"
    assert "HX-Redirect" not in answer.headers


def test_signing_in_with_an_old_token_is_refused_plainly(client):
    answer = client.post(
        "/sign-in", data={"email": "a@example.com", "password": "secret words"}, headers=OURS
    )
    assert answer.status_code == 400
    assert "secret words" not in answer.text
    assert "a@example.com" not in answer.text
