"""How long a session lasts, who can end it, and that its token changes at sign-in."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.authz.actor import AgencyRole
from app.db.session import transaction
from app.identity import service
from app.identity.models import Person, WebSession
from app.identity.secret_values import digest
from app.identity.tasks import prune
from tests.factories.identity import PASSWORD, make_person, sign_in
from tests.identity.conftest import READER, SETTER, TOKEN

MINUTE = timedelta(minutes=1)


@pytest.fixture
def reviewer(work_as):
    with work_as(SETTER) as work:
        return make_person(work, name="Rae Cole", roles=[AgencyRole.REVIEWER])


def is_in(client) -> bool:
    answer = client.get("/security")
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def test_thirty_minutes_of_nothing_end_a_session(ada, client, clock, security_tags):
    sign_in(client, ada)
    clock.advance(29 * MINUTE)
    assert is_in(client)
    clock.advance(29 * MINUTE)
    assert is_in(client)  # Use postpones it.
    clock.advance(30 * MINUTE)
    assert not is_in(client)
    assert security_tags() == ["session:expired"]
    # Ended is ended: the record is made once, and the session does not come back.
    assert not is_in(client)
    assert security_tags() == ["session:expired"]


def test_fifteen_minutes_end_a_session_of_the_agency(reviewer, client, clock):
    sign_in(client, reviewer)
    clock.advance(14 * MINUTE)
    assert is_in(client)
    clock.advance(15 * MINUTE)
    assert not is_in(client)


def test_twelve_hours_end_a_session_whatever_its_use(ada, client, clock):
    sign_in(client, ada)
    for _ in range(35):
        clock.advance(20 * MINUTE)
        assert is_in(client)
    clock.advance(19 * MINUTE)
    assert is_in(client)  # 11 hours and 59 minutes.
    clock.advance(MINUTE)
    assert not is_in(client)


LASTS = re.compile(r'data-idle="(\d+)"\s+data-whole="(\d+)"')


def test_a_page_tells_how_long_the_session_goes_on(ada, reviewer, client, clock):
    assert not LASTS.search(client.get("/sign-in").text)  # Nobody is warned who is not signed in.
    sign_in(client, ada)
    told = [LASTS.search(client.get("/security").text).groups()]
    for _ in range(35):
        clock.advance(20 * MINUTE)
        told.append(LASTS.search(client.get("/security").text).groups())
    # Never more than is left in all, and a minute less than idleness allows.
    assert [(int(idle), int(whole)) for idle, whole in (told[0], told[1], told[-1])] == [
        (29 * 60, 12 * 3600),
        (29 * 60, 12 * 3600 - 20 * 60),
        (20 * 60, 20 * 60),
    ]
    sign_in(client, reviewer)
    assert LASTS.search(client.get("/security").text).groups() == ("840", "43200")


def test_staying_signed_in_postpones_the_end(ada, client, clock, post):
    sign_in(client, ada)
    page = client.get("/security").text
    token = TOKEN.search(page)[1]
    clock.advance(29 * MINUTE)
    answer = client.post("/session/stay", data={"csrf_token": token})
    assert answer.json == {"lasts": [29 * 60, 12 * 3600 - 29 * 60]}
    clock.advance(29 * MINUTE)
    assert is_in(client)
    # A page elsewhere cannot keep a session going.
    assert client.post("/session/stay").status_code == 400
    clock.advance(30 * MINUTE)
    assert client.post("/session/stay", data={"csrf_token": token}).status_code in {400, 401, 303}
    assert not is_in(client)


def test_the_next_page_says_that_the_session_has_ended(ada, client, clock):
    sign_in(client, ada)
    clock.advance(31 * MINUTE)
    page = client.get("/security", follow_redirects=True)
    assert "Your session has ended" in page.text
    assert "Your session has ended" not in client.get("/sign-in").text


def test_a_session_is_touched_at_most_once_a_minute(ada, client, clock, engine):
    session_id = sign_in(client, ada)
    began = clock.now()

    def seen():
        with transaction(engine, READER) as db:
            return db.get(WebSession, session_id).last_seen_at

    clock.advance(timedelta(seconds=59))
    assert is_in(client)
    assert seen() == began
    clock.advance(timedelta(seconds=1))
    assert is_in(client)
    assert seen() == clock.now()


def test_signing_in_changes_the_token_and_the_form_token(ada, app, client, come_in, engine):
    before_page = client.get("/sign-in").text
    before = client.get_cookie("fairway").value
    come_in(email=ada.email)
    after = client.get_cookie("fairway").value
    assert before != after
    planted = app.test_client()
    planted.set_cookie("fairway", before)
    assert not is_in(planted)
    assert TOKEN.search(before_page)[1] != TOKEN.search(client.get("/security").text)[1]
    with transaction(engine, READER) as db:
        kept = list(db.execute(select(WebSession.token_hash)).scalars())
    assert digest(after) in kept
    assert after not in kept
    assert digest(before) not in kept


def test_the_cookie_is_fenced_in(ada, client, post):
    answer = post("/sign-in", email=ada.email, password=PASSWORD)
    header = answer.headers["Set-Cookie"]
    assert header.startswith("fairway=")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in header
    assert "Secure" not in header
    assert "Domain" not in header


def test_a_person_who_has_left_is_out_at_once(ada, client, work_as):
    sign_in(client, ada)
    assert is_in(client)
    with work_as(SETTER) as work:
        service.end_person(work, work.session.get(Person, ada.id))
    assert not is_in(client)


def test_ended_at_alone_is_enough(ada, client, work_as, post, app):
    sign_in(client, ada)
    with work_as(SETTER) as work:
        work.session.get(Person, ada.id).ended_at = work.now
    assert not is_in(client)
    other = app.test_client()
    assert post("/sign-in", by=other, email=ada.email, password=PASSWORD).status_code == 422


def test_one_session_can_be_ended_from_another(ada, app, client, post, security_tags):
    sign_in(client, ada)
    elsewhere = app.test_client()
    other_id = sign_in(elsewhere, ada)
    assert str(other_id) in client.get("/security").text
    answer = post(f"/security/sessions/{other_id}/end", page="/security")
    assert answer.status_code == 303
    assert is_in(client)
    assert not is_in(elsewhere)
    assert security_tags() == ["session:revoked"]


def test_all_other_sessions_can_be_ended(ada, app, client, post):
    sign_in(client, ada)
    others = [app.test_client() for _ in range(2)]
    for other in others:
        sign_in(other, ada)
    post("/security/sessions/end-others", page="/security")
    assert "2 other sessions have ended" in client.get("/security").text
    assert not any(is_in(other) for other in others)


def test_nobody_ends_a_session_of_somebody_else(ada, app, client, post, work_as):
    with work_as(SETTER) as work:
        bea = make_person(work)
    sign_in(client, ada)
    elsewhere = app.test_client()
    foreign = sign_in(elsewhere, bea)
    answers = [
        post(f"/security/sessions/{one}/end", page="/security")
        for one in (foreign, "00000000-0000-7000-8000-000000000000")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert is_in(elsewhere)


def test_a_changed_password_ends_the_other_sessions_and_tells(ada, app, client, post, letters):
    sign_in(client, ada)
    elsewhere = app.test_client()
    sign_in(elsewhere, ada)
    wrong = post("/security/password", present="wrong", password="another calm harbour")
    assert wrong.status_code == 422
    assert is_in(elsewhere)
    right = post("/security/password", present=PASSWORD, password="another calm harbour")
    assert right.status_code == 303
    assert is_in(client)
    assert not is_in(elsewhere)
    assert [one.template for one in letters()] == ["password-changed"]


def test_signing_out_clears_what_our_scripts_keep_in_the_browser(ada, client, post):
    post("/sign-in", email=ada.email, password=PASSWORD)
    answer = post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert client.get("/security").status_code == 303


def test_programs_and_static_files_open_no_session(app, ada, engine):
    client = app.test_client()
    client.get("/.well-known/jwks.json")
    client.get("/static/mark.svg").close()
    with transaction(engine, READER) as db:
        assert db.scalar(select(func.count()).select_from(WebSession)) == 0
    client.get("/sign-in")
    with transaction(engine, READER) as db:
        assert db.scalar(select(func.count()).select_from(WebSession)) == 1


def test_sessions_of_nobody_are_pruned_after_two_hours(ada, client, clock, work_as):
    client.get("/sign-in")
    with work_as(SETTER) as work:
        prune(work)
        assert work.session.scalar(select(func.count()).select_from(WebSession)) == 1
    clock.advance(timedelta(hours=2))
    with work_as(SETTER) as work:
        prune(work)
        assert work.session.scalar(select(func.count()).select_from(WebSession)) == 0


def test_a_made_up_cookie_opens_nothing(client):
    client.set_cookie("fairway", "made-up")
    client.set_cookie("remember_token", "1|forged")
    assert not is_in(client)
