"""The pages about programs: own, foreign and absent ones; a secret that shows once; step-up."""

import json
import re
from datetime import timedelta

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import select, text

from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.identity import client_rules, service
from app.identity.models import ApiClient, ClientCredential
from app.identity.scopes import Audience
from app.kernel.ids import new_id
from app.notifications.models import Message
from app.work import move
from tests.factories.identity import code_at, give_authenticator, make_person, prove_again, sign_in
from tests.factories.programs import ask
from tests.factories.traders import appoint_person, make_trader

SECRET = re.compile(r'<code class="secret">([\w-]{40,})</code>')
SYSTEM = system_actor("test")


def status(app, client, secret):
    return ask(app.test_client(), client, secret).status_code


def rows(work_as, model, **where):
    with work_as(SYSTEM) as work:
        statement = select(model).filter_by(**where).order_by(model.id)
        return list(work.session.scalars(statement))


def letters(work_as):
    return [
        (one.recipient, one.subject, one.body)
        for one in rows(work_as, Message)
        if one.template == "api-client"
    ]


def register(browser, base, **typed):
    form = browser.get(f"{base}/new").fields()
    return browser.client.post(
        f"{base}/new", data={**form, "name": "New system", "scopes": ["filings:read"], **typed}
    )


def key(*, private=False):
    return json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=private))


def test_an_officer_registers_a_program_and_sees_its_secret_once(browser, base, app, work_as):
    assert "No program is registered" in browser.get(base).words()
    answer = register(browser, base)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    secret = SECRET.search(answer.text)[1]
    client = rows(work_as, ApiClient)[0]
    assert (client.name, client.scopes) == ("New system", ["filings:read"])
    assert status(app, client, secret) == 200
    page = browser.get(base)
    assert "New system" in page.words()
    assert "Read batches and filings" in page.words()
    assert "1 of 100,000" in page.words()
    shown = browser.get(f"{base}/{client.id}")
    assert shown.status == 200
    assert client.client_id in shown.text
    assert secret not in page.text + shown.text
    assert "Olga Officer" in shown.words()


def test_a_form_sent_twice_makes_one_program_and_shows_no_secret_again(browser, base, work_as):
    form = browser.get(f"{base}/new").fields() | {"name": "X", "scopes": "status:self"}
    first, second = (browser.client.post(f"{base}/new", data=form) for _ in range(2))
    assert SECRET.search(first.text)
    assert second.status_code == 303
    assert (
        "the secret was shown in the answer to the first time"
        in browser.get(second.headers["Location"]).words()
    )
    assert len(rows(work_as, ApiClient)) == len(rows(work_as, ClientCredential)) == 1


def test_a_program_can_come_with_a_key(browser, base, work_as):
    answer = register(browser, base, proof="key", jwk=key())
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"])
    assert "can prove itself with the key" in page.words()
    assert rows(work_as, ClientCredential)[0].secret_hash is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "Give the program a name."),
        ({"name": "x" * 101}, "Use 100 characters or fewer."),
        ({"scopes": []}, "Choose at least one thing."),
        ({"scopes": ["status:read"]}, "valid choice"),
        ({"proof": "key"}, "Paste the public key, or choose a secret."),
        ({"proof": "key", "jwk": "no json"}, "Paste one JSON Web Key."),
        ({"proof": "key", "jwk": "[]"}, "Paste one JSON Web Key."),
        ({"proof": "key", "jwk": '{"kty": "nonsense"}'}, "This is not a JSON Web Key."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(browser, base, work_as, typed, words):
    answer = register(browser, base, **typed)
    assert answer.status_code == 422
    assert words in answer.text
    if typed.get("name") is None:
        assert 'value="New system"' in answer.text
    assert rows(work_as, ApiClient) == []


def test_a_private_key_is_refused_and_not_sent_back(browser, base, work_as):
    private = key(private=True)
    answer = register(browser, base, proof="key", jwk=private)
    assert answer.status_code == 422
    assert "This file holds a secret key" in answer.text
    assert json.loads(private)["d"] not in answer.text
    assert rows(work_as, ApiClient) == []


def test_a_rotation_leaves_the_old_one_the_chosen_time(browser, base, app, program, clock, work_as):
    client, old = program
    answer = browser.send(f"{base}/{client.id}/rotate", overlap="1")
    new = SECRET.search(answer.text)[1]
    assert status(app, client, old) == status(app, client, new) == 200
    page = browser.get(f"{base}/{client.id}").words()
    assert "Works until 25 November 2026, 12:00 UTC" in page
    clock.advance(timedelta(days=1))
    assert status(app, client, old) == 401
    assert status(app, client, new) == 200
    subjects = [subject for _, subject, _ in letters(work_as)]
    assert subjects == [
        "New API client: Filing system",
        "New secret or key of an API client: Filing system",
    ]
    assert "until 25 November 2026, 12:00 UTC" in letters(work_as)[1][2]
    assert "By: Olga Officer" in letters(work_as)[1][2]
    assert old not in str(letters(work_as))
    assert new not in str(letters(work_as))


def test_one_secret_is_revoked_after_a_page_that_asks(browser, base, app, program, work_as):
    client, secret = program
    credential = rows(work_as, ClientCredential)[0]
    address = f"{base}/{client.id}/revoke/{credential.id}"
    asked = browser.get(address).words()
    assert "Secret of Filing system, made on 24 November 2026, 12:00 UTC." in asked
    assert "It was never used." in asked
    assert "Whoever proves themselves with it" in asked
    assert status(app, client, secret) == 200
    assert "Last used on 24 November 2026, 12:00 UTC." in browser.get(address).words()
    assert browser.send(address).status == 303
    assert status(app, client, secret) == 401
    page = browser.get(f"{base}/{client.id}").words()
    assert "Cannot come in" in page
    assert "Revoked on 24 November 2026" in page
    assert browser.send(address).status == 303
    assert [subject for _, subject, _ in letters(work_as)][1:] == [
        "A secret or key was revoked: Filing system"
    ]


def test_a_program_is_revoked_for_good(browser, base, app, program, work_as):
    client, secret = program
    assert browser.send(f"{base}/{client.id}/revoke").status == 303
    assert browser.send(f"{base}/{client.id}/revoke").status == 303
    assert status(app, client, secret) == 401
    page = browser.get(f"{base}/{client.id}")
    assert "/rotate" not in page.text
    assert "/revoke" not in page.text
    assert browser.get(f"{base}/{client.id}/rotate").status == 409
    assert [subject for _, subject, _ in letters(work_as)][1:] == [
        "API client revoked: Filing system"
    ]


def test_an_officer_wakes_a_suspended_program(browser, officer, base, app, program, clock, work_as):
    client, secret = program
    rules = client_rules.RULES[Audience.TRADER]
    for days in (rules.warn_after, rules.notice):
        clock.advance(days)
        with work_as(SYSTEM) as work:
            service.review_idle(work, work.session.get_one(ApiClient, client.id))
    assert status(app, client, secret) == 401
    told = letters(work_as)[1:]
    assert {one[0] for one in told} == {"olga@example.com"}
    assert [one[1] for one in told] == [
        "Nobody uses this API client: Filing system",
        "API client suspended: Filing system",
    ]
    assert "suspended on 22 February 2027" in told[0][2]
    assert "By: Fairway" in told[1][2]
    sign_in(browser.client, officer)
    prove_again(browser.client)
    page = browser.get(f"{base}/{client.id}").words()
    assert "Suspended" in page
    assert "Whose turn You" in page
    assert browser.send(f"{base}/{client.id}/wake").status == 303
    assert status(app, client, secret) == 200
    assert letters(work_as)[-1][1] == "API client works again: Filing system"


ACTS = (
    "new",
    "{client}/rotate",
    "{client}/revoke",
    "{client}/wake",
    "{client}/revoke/{one}",
)


@pytest.mark.parametrize("act", ACTS)
def test_every_change_asks_for_a_fresh_proof_and_keeps_what_was_typed(
    browser, base, officer, program, clock, work_as, act
):
    with work_as(SYSTEM) as work:
        give_authenticator(work, officer)
        if act.endswith("wake"):
            move(work, work.session.get_one(ApiClient, program[0].id), "suspend")

    def written():
        return [one.id for model in (AuditEvent, ClientCredential) for one in rows(work_as, model)]

    before = written()
    clock.advance(timedelta(minutes=6))
    one = rows(work_as, ClientCredential)[0].id
    address = f"{base}/" + act.format(client=program[0].id, one=one)
    typed = {"name": "Typed with care", "scopes": "filings:read"} if act == "new" else {}
    answer = browser.send(address, **typed)
    assert answer.status == 422
    assert "type the code of your authenticator app" in answer.words()
    assert answer.fields().get("name", "") == typed.get("name", "")
    wrong = browser.send(address, **typed, code_again="000000")
    assert wrong.status == 422
    assert written() == before
    right = browser.send(address, **typed, code_again=code_at(clock.now()))
    assert right.status in {200, 303}
    assert set(before) < set(written())


@pytest.mark.parametrize("role", [one for one in TraderRole if one is not TraderRole.OFFICER])
def test_only_an_officer_has_anything_to_do_with_programs(
    visit, trader, officer, base, program, work_as, role
):
    with work_as(SYSTEM) as work:
        person = make_person(work)
        appoint_person(work, trader, officer, person, role)
    visitor = visit(person)
    for path in ("", "/new", f"/{program[0].id}", f"/{program[0].id}/rotate"):
        assert visitor.get(base + path).status == 403
    assert "/api-access" not in visitor.get(f"/traders/{trader.id}/advance-data").text


def test_what_is_foreign_is_as_absent_as_what_never_was(
    browser, base, visit, program, work_as, app, officer
):
    with work_as(SYSTEM) as work:
        stranger = make_person(work)
        other = make_trader(work, stranger, name="Other Imports LLC")
    visitor = visit(stranger)
    prove_again(visitor.client)
    own = f"/traders/{other.id}/api-access"
    one = rows(work_as, ClientCredential)[0].id
    theirs = program[0].id
    agency = service_client(work_as)
    for foreign in (theirs, agency.id, new_id()):
        for path in ("", "/rotate", "/revoke", "/wake", f"/revoke/{one}"):
            for start in (own, base):
                assert visitor.get(f"{start}/{foreign}{path}").status == 404, path
    # Another company's credential under one's own client is absent too.
    registered = SECRET.search(register(visitor, own).text)
    assert registered
    mine = rows(work_as, ApiClient, trader_id=other.id)[0]
    assert visitor.get(f"{own}/{mine.id}/revoke/{one}").status == 404
    # So is a credential of one's own under another client of one's own.
    register(browser, base)
    second = next(
        one for one in rows(work_as, ApiClient, trader_id=program[0].trader_id) if one.id != theirs
    )
    assert browser.get(f"{base}/{second.id}/revoke/{one}").status == 404
    assert browser.get(f"{base}/{theirs}/revoke/{one}").status == 200
    assert status(app, *program) == 200


def service_client(work_as):
    with work_as(SYSTEM) as work:
        return service.create_client(work, name="Release system", scopes=["status:read"])[0]


def test_a_programme_manager_manages_the_agencys_programs(manager, app, work_as):
    base = "/console/api-clients"
    form = manager.get(f"{base}/new").fields()
    answer = manager.post(
        f"{base}/new", {**form, "name": "Release system", "scopes": "status:read"}
    )
    secret = SECRET.search(answer.text)[1]
    client = rows(work_as, ApiClient)[0]
    assert client.trader_id is None
    assert status(app, client, secret) == 200
    assert "Release system" in manager.get(base).words()
    assert manager.send(f"{base}/{client.id}/quota", per_minute="2").status == 303
    assert [status(app, client, secret) for _ in range(2)] == [200, 429]
    assert "2 of 2" in manager.get(f"{base}/{client.id}").words()
    assert manager.send(f"{base}/{client.id}/quota", per_minute="0").status == 422
    assert manager.send(f"{base}/{client.id}/quota", per_minute="many").status == 422
    assert manager.send(f"{base}/{client.id}/quota", per_minute="").status == 303
    assert status(app, client, secret) == 200
    new = SECRET.search(manager.send(f"{base}/{client.id}/rotate", overlap="0").text)[1]
    assert (status(app, client, secret), status(app, client, new)) == (401, 200)
    assert manager.send(f"{base}/{client.id}/revoke").status == 303
    assert status(app, client, new) == 401
    assert {one[0] for one in letters(work_as)} == {"pia@agency.example"}
    assert [one[1] for one in letters(work_as)] == [
        "New API client: Release system",
        "Quota of an API client changed: Release system",
        "Quota of an API client changed: Release system",
        "New secret or key of an API client: Release system",
        "API client revoked: Release system",
    ]


@pytest.mark.parametrize(
    ("role", "looks"),
    [
        (AgencyRole.REVIEWER, False),
        (AgencyRole.SUPERVISOR, True),
        (AgencyRole.AUDITOR, True),
    ],
)
def test_the_others_at_the_agency_look_at_most(visit, work_as, program, role, looks):
    client = service_client(work_as)
    with work_as(SYSTEM) as work:
        person = make_person(work, roles=[role])
    visitor = visit(person)
    base = "/console/api-clients"
    assert (
        visitor.get(base).status
        == visitor.get(f"{base}/{client.id}").status
        == (200 if looks else 403)
    )
    for path in ("new", f"{client.id}/rotate", f"{client.id}/revoke", f"{client.id}/quota"):
        assert visitor.get(f"{base}/{path}").status == 403
    if looks:
        page = visitor.get(f"{base}/{client.id}")
        assert "/rotate" not in page.text
        assert "/quota" not in page.text
        # A trader's program is none of the agency's.
        assert visitor.get(f"{base}/{program[0].id}").status == 404
    assert ("/console/api-clients" in visitor.get("/console/").text) is looks


def test_no_secret_stays_behind_the_pages(browser, base, program, super_engine, work_as, caplog):
    seen = [program[1]]
    seen.append(SECRET.search(register(browser, base).text)[1])
    for overlap in ("30", "0"):
        page = browser.send(f"{base}/{program[0].id}/rotate", overlap=overlap)
        seen.append(SECRET.search(page.text)[1])
    said = caplog.text
    with super_engine.connect() as connection:
        tables = connection.scalars(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname IN ('public', 'procrastinate')"
            )
        ).all()
        for table in tables:
            said += "".join(connection.scalars(text(f"SELECT t::text FROM {table} t")))  # noqa: S608
    assert program[0].client_id in said
    assert len(set(seen)) == 4
    assert [one for one in seen if one in said] == []


def test_the_officers_of_the_company_get_the_letters_and_nobody_else(
    browser, base, officer, trader, work_as
):
    with work_as(SYSTEM) as work:
        second = make_person(work, name="Oto Second", email="oto@example.com")
        appoint_person(work, trader, officer, second, TraderRole.OFFICER)
        viewer = make_person(work, email="vera@example.com")
        appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        make_person(work, email="pm@example.com", roles=[AgencyRole.PROGRAMME_MANAGER])
        make_trader(work, make_person(work, email="else@example.com"), name="Elsewhere LLC")
    register(browser, base)
    assert sorted(one[0] for one in letters(work_as)) == ["olga@example.com", "oto@example.com"]
    assert all("API client: New system (fw-" in one[2] for one in letters(work_as))
