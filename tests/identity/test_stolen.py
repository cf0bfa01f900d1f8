"""A stolen, spent or expired credential of every kind opens nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.authz.actor import AgencyRole
from app.identity import service
from app.identity.models import Person
from app.identity.rules import Method
from tests.factories.authenticator import Device
from tests.factories.identity import PASSWORD, code_at, make_person, sign_in
from tests.identity.conftest import SETTER, TOKEN, enrol, options_for, sign_in_by

MINUTE = timedelta(minutes=1)
NEVER_ASKED = {"rpId": "localhost", "challenge": "AAAA"}


class Stage:
    """Ada with a passkey, and what a thief can try."""

    def __init__(self, app, post, clock, work_as, ada):
        self.app, self.post, self.clock, self.work_as, self.ada = app, post, clock, work_as, ada
        self.device = Device()
        self.hers = app.test_client()
        sign_in(self.hers, ada)
        codes = enrol(self.hers, post, self.device).text
        self.codes = [line.split("<")[0] for line in codes.split("<code>")[1:]]
        assert len(self.codes) == 10
        self.thief = app.test_client()

    def steal_cookie(self):
        self.thief.set_cookie("fairway", self.hers.get_cookie("fairway").value)

    def give_password(self, by=None):
        answer = self.post("/sign-in", by=by or self.thief, email=self.ada.email, password=PASSWORD)
        assert answer.location == "/sign-in/go-on"

    def give(self, field: str, value: str, by=None):
        path = {"code": "/sign-in/code", "recovery_code": "/sign-in/recovery-code"}[field]
        return self.post(path, page="/sign-in/go-on", by=by or self.thief, **{field: value})

    def asked(self, by=None):
        return options_for(by or self.thief, "/sign-in", "/sign-in/passkey/options")

    def answer(self, credential: str, by=None):
        return self.post(
            "/sign-in/passkey", page="/sign-in", by=by or self.thief, credential=credential
        )

    def end(self):
        with self.work_as(SETTER) as work:
            service.end_person(work, work.session.get(Person, self.ada.id))


@pytest.fixture
def stage(app, post, clock, work_as, ada):
    return Stage(app, post, clock, work_as, ada)


def expired_session(stage):
    stage.steal_cookie()
    for _ in range(37):
        stage.clock.advance(20 * MINUTE)
        stage.hers.get("/security")


def idle_session(stage):
    stage.steal_cookie()
    stage.clock.advance(30 * MINUTE)


def revoked_session(stage):
    stage.steal_cookie()
    elsewhere = stage.app.test_client()
    sign_in(elsewhere, stage.ada)
    stage.post("/security/sessions/end-others", page="/security", by=elsewhere)


def session_of_an_ended_person(stage):
    stage.steal_cookie()
    stage.end()


def token_from_before_the_step_up(stage):
    stage.steal_cookie()
    stage.clock.advance(6 * MINUTE)
    code = code_at(stage.clock.now())
    assert stage.post("/confirm", by=stage.hers, code=code).status_code == 303
    assert stage.hers.get("/security").status_code == 200


def half_authenticated_session(stage):
    stage.give_password()


def half_session_enrolling_a_factor_of_its_own(stage):
    stage.give_password()
    assert stage.thief.get("/security/passkeys/new").status_code == 403
    assert stage.thief.get("/security/authenticator").status_code == 403


def password_of_staff(stage):
    with stage.work_as(SETTER) as work:
        make_person(work, email="rae@agency.example", roles=[AgencyRole.REVIEWER])
    stage.post("/sign-in", by=stage.thief, email="rae@agency.example", password=PASSWORD)


def phishable_session_of_staff(stage):
    with stage.work_as(SETTER) as work:
        person = make_person(work, roles=[AgencyRole.REVIEWER])
    sign_in(stage.thief, person, Method.PASSWORD_TOTP)


def code_used_before(stage):
    code = code_at(stage.clock.now())
    stage.give_password(stage.app.test_client())
    other = stage.app.test_client()
    stage.give_password(other)
    assert stage.give("code", code, other).status_code == 303
    stage.give_password()
    assert stage.give("code", code).status_code == 422


def code_older_than_one_used(stage):
    other = stage.app.test_client()
    stage.give_password(other)
    assert stage.give("code", code_at(stage.clock.now()), other).status_code == 303
    stage.give_password()
    earlier = code_at(stage.clock.now() - timedelta(seconds=30))
    assert stage.give("code", earlier).status_code == 422


def code_of_two_minutes_ago(stage):
    stage.give_password()
    assert stage.give("code", code_at(stage.clock.now() - 2 * MINUTE)).status_code == 422


def sixth_code_in_five_minutes(stage):
    stage.give_password()
    for _ in range(5):
        assert stage.give("code", "000000").status_code == 422
    answer = stage.give("code", code_at(stage.clock.now()))
    assert "Wait 5 minutes" in answer.text


def recovery_code_used_before(stage):
    other = stage.app.test_client()
    stage.give_password(other)
    assert stage.give("recovery_code", stage.codes[0].upper(), other).status_code == 303
    stage.give_password()
    assert stage.give("recovery_code", stage.codes[0]).status_code == 422


def recovery_code_of_an_older_set(stage):
    assert (
        stage.post("/security/recovery-codes", page="/security", by=stage.hers).status_code == 200
    )
    stage.give_password()
    assert stage.give("recovery_code", stage.codes[1]).status_code == 422


def replayed_assertion(stage):
    other = stage.app.test_client()
    credential = stage.device.get(stage.asked(other))
    assert stage.answer(credential, other).status_code == 303
    stage.asked()
    assert stage.answer(credential).status_code == 422


def challenge_used_twice(stage):
    options = stage.asked()
    assert stage.answer(stage.device.get(options, verified=False)).status_code == 422
    assert stage.answer(stage.device.get(options)).status_code == 422


def challenge_of_another_session(stage):
    options = stage.asked(stage.app.test_client())
    stage.asked()
    assert stage.answer(stage.device.get(options)).status_code == 422


def challenge_of_five_minutes_ago(stage):
    options = stage.asked()
    stage.clock.advance(5 * MINUTE)
    assert stage.answer(stage.device.get(options)).status_code == 422


def no_challenge_at_all(stage):
    assert stage.answer(stage.device.get(NEVER_ASKED)).status_code == 422


def another_origin(stage):
    lie = stage.device.get(stage.asked(), origin="https://fairway.example.evil")
    assert stage.answer(lie).status_code == 422


def another_site(stage):
    assert stage.answer(stage.device.get(stage.asked(), rp_id="evil.example")).status_code == 422


def unverified_user(stage):
    assert stage.answer(stage.device.get(stage.asked(), verified=False)).status_code == 422


def another_key(stage):
    forged = stage.device.get(stage.asked(), key=Device().key)
    assert stage.answer(forged).status_code == 422


def counter_of_a_copy(stage):
    assert sign_in_by(stage.app.test_client(), stage.post, stage.device).status_code == 303
    stage.device.count = 0
    assert stage.answer(stage.device.get(stage.asked())).status_code == 422


def another_persons_handle(stage):
    lie = stage.device.get(stage.asked(), handle="AAAAAAAAAAAAAAAAAAAAAA")
    assert stage.answer(lie).status_code == 422


def removed_passkey(stage):
    page = stage.hers.get("/security").text
    path = page.split('action="/security/passkeys/')[1].split('"')[0]
    assert stage.post(f"/security/passkeys/{path}", page="/security", by=stage.hers)
    assert stage.answer(stage.device.get(stage.asked())).status_code == 422


def passkey_of_an_ended_person(stage):
    stage.end()
    assert stage.answer(stage.device.get(stage.asked())).status_code == 422


def garbage_for_a_passkey(stage):
    for text in (
        "",
        "[]",
        "{}",
        "null",
        '{"rawId": 1}',
        '{"rawId":"AA","response":7}',
        "x" * 30_000,
    ):
        stage.asked()
        assert stage.answer(text).status_code == 422


def link_used_before(stage):
    with stage.work_as(SETTER) as work:
        address = service.invite_back(
            work, work.session.get(Person, stage.ada.id), site="http://localhost:8000"
        )
    path = address.removeprefix("http://localhost:8000")
    assert stage.post(path, by=stage.app.test_client(), password=PASSWORD).status_code == 303
    assert stage.thief.get(path).status_code == 410


def link_without_the_password(stage):
    with stage.work_as(SETTER) as work:
        address = service.invite_back(
            work, work.session.get(Person, stage.ada.id), site="http://localhost:8000"
        )
    path = address.removeprefix("http://localhost:8000")
    assert stage.post(path, by=stage.thief, password="a guess of a thief").status_code == 422


TRICKS = (
    expired_session,
    idle_session,
    revoked_session,
    session_of_an_ended_person,
    token_from_before_the_step_up,
    half_authenticated_session,
    half_session_enrolling_a_factor_of_its_own,
    password_of_staff,
    phishable_session_of_staff,
    code_used_before,
    code_older_than_one_used,
    code_of_two_minutes_ago,
    sixth_code_in_five_minutes,
    recovery_code_used_before,
    recovery_code_of_an_older_set,
    replayed_assertion,
    challenge_used_twice,
    challenge_of_another_session,
    challenge_of_five_minutes_ago,
    no_challenge_at_all,
    another_origin,
    another_site,
    unverified_user,
    another_key,
    counter_of_a_copy,
    another_persons_handle,
    removed_passkey,
    passkey_of_an_ended_person,
    garbage_for_a_passkey,
    link_used_before,
    link_without_the_password,
)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda one: one.__name__)
def test_it_opens_nothing(stage, trick):
    trick(stage)
    for page in ("/security", "/traders/new", "/console/"):
        answer = stage.thief.get(page)
        assert answer.status_code == 303, page
        assert answer.location.startswith("/sign-in?next="), page


def test_the_honest_way_opens(stage):
    """Without this, every test above could pass because nothing works."""
    assert stage.answer(stage.device.get(stage.asked())).status_code == 303
    assert stage.thief.get("/security").status_code == 200


def test_two_answers_at_once_to_one_challenge_are_one_sign_in(stage):
    """The challenge is taken under a lock: both requests have read it before either is done."""
    options = stage.asked()
    token = TOKEN.search(stage.thief.get("/sign-in").text)[1]
    cookie = stage.thief.get_cookie("fairway").value
    answers = [stage.device.get(options) for _ in range(4)]
    stage.device.count = 0

    def send(credential):
        browser = stage.app.test_client()
        browser.set_cookie("fairway", cookie)
        data = {"csrf_token": token, "credential": credential}
        return browser.post("/sign-in/passkey", data=data).status_code

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, answers))
    assert outcomes.count(303) == 1, outcomes
