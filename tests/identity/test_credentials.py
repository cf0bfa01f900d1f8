"""Credentials of programs: several at a time, each with its own end, and no proof works twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import text
from structlog.testing import capture_logs

from app.authz.actor import system_actor
from app.identity import client_rules, service
from app.identity.models import ApiClient, ClientCredential
from app.identity.scopes import Audience
from app.identity.tokens import Signer
from app.kernel.errors import ConflictError, NotReadyError
from app.kernel.ids import new_id
from app.work import move
from tests.factories.programs import (
    INTERNAL,
    TRADER,
    ask,
    basic,
    bearer,
    challenge,
    credential_in,
    note_issued,
    proof,
    show,
)
from tests.identity.conftest import SETTER

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


class Program:
    """A client in the test, by either proof: how it asks, and what it holds."""

    def __init__(self, api, clock, work_as, *, signs, **facts):
        self.api, self.clock, self.work_as = api, clock, work_as
        self.key = OKPKey.generate_key("Ed25519") if signs else None
        facts = {"scopes": INTERNAL, **facts}
        with work_as(SETTER) as work:
            self.row, self.secret = service.create_client(
                work, name="Release system", jwk=self.public, **facts
            )
        self.probe = "/trader/v1/probe" if self.row.trader_id else "/api/v1/probe"

    @property
    def public(self):
        return None if self.key is None else self.key.as_dict(private=False)

    def ask(self, *, client=None):
        client = client or self.row
        if self.key is None:
            return ask(self.api, client, self.secret)
        return show(self.api, proof(self.clock, client, self.key))

    def token(self):
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        return answer.json["access_token"]

    def call(self, token):
        return self.api.get(self.probe, headers=bearer(token))

    def renew(self, overlap):
        """Rotate to another of the same kind; `self` goes on with the new one."""
        earlier = Held(self)
        self.key = self.key and OKPKey.generate_key("Ed25519")
        with self.work_as(SETTER) as work:
            client = work.session.get_one(ApiClient, self.row.id)
            _, self.secret = service.rotate_credential(
                work, client, overlap=overlap, jwk=self.public
            )
        return earlier

    def change(self, act):
        with self.work_as(SETTER) as work:
            act(work, work.session.get_one(ApiClient, self.row.id))


class Held(Program):
    """What somebody kept of a program: its secret or key as it was."""

    def __init__(self, program):
        self.__dict__ |= program.__dict__


@pytest.fixture(params=[False, True], ids=["secret", "key"])
def make_program(request, api, clock, work_as):
    def make(**facts):
        return Program(api, clock, work_as, signs=request.param, **facts)

    return make


@pytest.fixture
def program(make_program):
    return make_program()


def refused(answer):
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    return answer.json


ENDS = {
    "its credential revoked": lambda work, client: service.revoke_credential(
        work,
        client,
        work.session.query(ClientCredential).filter_by(api_client_id=client.id).one(),
    ),
    "replaced at once": lambda work, client: service.rotate_credential(
        work, client, overlap=timedelta()
    ),
    "suspended": lambda work, client: move(work, client, "suspend"),
    "revoked": service.revoke_client,
}


@pytest.mark.parametrize("end", sorted(ENDS))
def test_what_has_ended_opens_nothing(program, end, make_program):
    token, other = program.token(), make_program()
    kept = other.token()
    assert program.call(token).status_code == 200
    program.change(ENDS[end])
    challenge(program.call(token))
    words = refused(program.ask())
    for address in ("/oauth/revoke", "/oauth/introspect"):
        if program.secret:
            answer = program.api.post(address, auth=basic((program.row, program.secret)), data={})
            assert refused(answer) == words
    # Whoever never had anything is answered alike, and the neighbour goes on.
    with program.work_as(SETTER) as work:
        stranger = ApiClient(id=work.new_id(), client_id="fw-nobody")
    assert refused(program.ask(client=stranger)) == words
    assert other.call(kept).status_code == 200
    assert other.ask().status_code == 200


def test_anothers_credential_opens_nothing(make_program, work_as):
    ours, theirs = make_program(), make_program()
    assert refused(ours.ask(client=theirs.row)) == refused(theirs.ask(client=ours.row))
    assert ours.ask().status_code == theirs.ask().status_code == 200


def test_a_token_names_a_credential_of_its_own_client(make_program, settings, clock, work_as):
    ours, theirs = make_program(), make_program()
    kept = {one: credential_in(one.token()) for one in (ours, theirs)}
    for holder, expected in ((ours, 200), (theirs, 401)):
        token = Signer.of(settings).issue(
            client_id=ours.row.client_id,
            scopes=INTERNAL,
            audience=Audience.INTERNAL,
            jti=(jti := new_id().hex),
            now=clock.now(),
            credential_id=kept[holder],
        )
        with work_as(system_actor("test")) as work:
            note_issued(work, token, jti, kept[holder])
        assert ours.call(token).status_code == expected


def test_a_traders_program_speaks_for_that_trader_alone(make_program):
    ours = make_program(scopes=TRADER, trader_id=new_id())
    theirs = make_program(scopes=TRADER, trader_id=new_id())
    assert ours.call(ours.token()).json["trader"] == str(ours.row.trader_id)
    assert ours.call(theirs.token()).json["trader"] == str(theirs.row.trader_id)
    challenge(ours.api.get("/api/v1/probe", headers=bearer(ours.token())))
    refused(ours.ask(client=theirs.row))


def test_after_a_rotation_both_work_until_the_stated_time(program, clock):
    old_token = program.token()
    old = program.renew(7 * DAY)
    assert program.ask().status_code == 200
    clock.advance(7 * DAY - SECOND)
    last = old.token()
    assert program.call(last).status_code == 200
    challenge(program.call(old_token))
    clock.advance(SECOND)
    refused(old.ask())
    # The token has ten minutes to go by its own word; it ends with what brought it.
    challenge(program.call(last))
    assert program.call(program.token()).status_code == 200


def test_without_overlap_the_old_one_ends_at_once_and_the_new_ones_token_does_not(program):
    token = program.token()
    old = program.renew(timedelta())
    challenge(program.call(token))
    refused(old.ask())
    assert program.call(program.token()).status_code == 200


def test_a_later_rotation_never_lets_an_old_one_live_longer(program, clock):
    first = program.renew(DAY)
    second = program.renew(30 * DAY)
    clock.advance(DAY)
    refused(first.ask())
    assert second.ask().status_code == 200


def test_one_of_several_can_be_revoked_alone(program, work_as):
    old = program.renew(30 * DAY)
    tokens = old.token(), program.token()
    with work_as(SETTER) as work:
        one = work.session.get_one(ClientCredential, credential_in(tokens[0]))
        client = work.session.get_one(ApiClient, program.row.id)
        service.revoke_credential(work, client, one)
        ended = one.revoked_at
        service.revoke_credential(work, client, one)
        assert one.revoked_at == ended
    challenge(program.call(tokens[0]))
    refused(old.ask())
    assert program.call(tokens[1]).status_code == 200
    assert program.ask().status_code == 200


def test_at_most_five_live_at_a_time_and_thirty_days_beside(program, clock):
    for _ in range(client_rules.CREDENTIALS_MAX - 1):
        program.renew(30 * DAY)
    with pytest.raises(NotReadyError) as caught:
        program.renew(DAY)
    assert [one.code for one in caught.value.problems] == ["many"]
    program.renew(timedelta())
    with pytest.raises(NotReadyError) as caught:
        program.renew(30 * DAY + SECOND)
    assert [one.field for one in caught.value.problems] == ["overlap"]


def test_a_key_that_was_ended_never_comes_back(api, clock, work_as):
    program = Program(api, clock, work_as, signs=True)
    old = program.renew(timedelta())
    again = {**old.public, "kid": "another name"}
    for jwk in (old.public, again, program.public):
        with work_as(SETTER) as work:
            client = work.session.get_one(ApiClient, program.row.id)
            with pytest.raises(NotReadyError) as caught:
                service.rotate_credential(work, client, overlap=DAY, jwk=jwk)
        assert [one.code for one in caught.value.problems] == ["known"]


def test_a_revoked_client_gets_nothing_new(program):
    program.change(service.revoke_client)
    with pytest.raises(ConflictError):
        program.renew(DAY)
    with pytest.raises(ConflictError):
        program.change(service.wake_client)


def test_a_double_click_makes_one_client_and_one_credential(work_as):
    keys = new_id(), new_id()
    secrets = []
    for _ in range(2):
        with work_as(SETTER) as work:
            client, first = service.create_client(work, name="X", scopes=INTERNAL, key=keys[0])
            _, second = service.rotate_credential(work, client, overlap=DAY, key=keys[1])
            secrets += [first, second]
    assert [bool(one) for one in secrets] == [True, True, False, False]
    with work_as(SETTER) as work:
        assert work.session.query(ApiClient).count() == 1
        assert work.session.query(ClientCredential).count() == 2


def test_a_company_has_twenty_clients_at_most(work_as):
    trader = new_id()
    with work_as(SETTER) as work:
        rows = [
            service.create_client(work, name="X", scopes=TRADER, trader_id=trader)[0]
            for _ in range(client_rules.CLIENTS_MAX)
        ]
        with pytest.raises(NotReadyError):
            service.create_client(work, name="X", scopes=TRADER, trader_id=trader)
        service.create_client(work, name="X", scopes=TRADER, trader_id=new_id())
        service.revoke_client(work, rows[0])
        service.create_client(work, name="X", scopes=TRADER, trader_id=trader)


@pytest.mark.parametrize("turn", range(5))
def test_of_one_proof_sent_many_times_at_once_one_is_taken(probe, engine, clock, signing, turn):
    signed = proof(clock, *signing)
    gate = Barrier(8)

    def send(_):
        gate.wait()
        return show(probe.test_client(), signed).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [200] + [401] * 7


def test_the_header_may_name_the_key_and_never_a_wrong_one(api, clock, work_as):
    keys = [ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")]
    named = {**keys[0].as_dict(private=False), "kid": "mine"}
    with work_as(SETTER) as work:
        client, _ = service.create_client(work, name="Signer", scopes=INTERNAL, jwk=named)
        service.rotate_credential(work, client, overlap=DAY, jwk=keys[1].as_dict(private=False))

    def send(key, algorithm, kid):
        now = int(clock.now().timestamp())
        claims = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": "http://localhost:8000/oauth/token",
            "jti": new_id().hex,
            "exp": now + 60,
        }
        header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
        return show(api, jwt.encode(header, claims, key, algorithms=[algorithm])).status_code

    assert send(keys[0], "ES256", None) == send(keys[1], "Ed25519", None) == 200
    assert send(keys[0], "ES256", "mine") == 200
    assert send(keys[0], "ES256", keys[0].thumbprint()) == 200
    assert send(keys[1], "Ed25519", keys[1].thumbprint()) == 200
    assert send(keys[1], "Ed25519", "mine") == 401
    assert send(keys[0], "ES256", "nobody's") == 401


@pytest.mark.parametrize(
    "audience",
    [
        ["http://localhost:8000/oauth/token", "https://elsewhere.example/token"],
        ["https://elsewhere.example/token"],
        [],
        "",
        7,
        {"http://localhost:8000": 1},
    ],
)
def test_a_proof_is_for_us_and_nobody_besides(api, clock, signing, audience):
    answer = show(api, proof(clock, *signing, aud=audience))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("jti", ["", "x" * 257, "a\0b", ["x"], {"x": 1}, True])
def test_the_name_of_a_proof_is_a_short_text(api, clock, signing, jti):
    assert show(api, proof(clock, *signing, jti=jti)).status_code == 401


@pytest.mark.parametrize("sub", ["", "a\0b", ["x"], 7, "fw-nobody"])
def test_a_proof_of_a_strange_name_is_refused(api, clock, signing, sub):
    assert show(api, proof(clock, *signing, sub=sub, iss=sub)).status_code == 401


def test_no_secret_is_in_the_record_the_log_or_any_table(
    api, clock, work_as, super_engine, caplog, capsys
):
    with capture_logs() as lines:
        program = Program(api, clock, work_as, signs=False)
        secrets = [program.secret]
        tokens = [program.token()]
        for overlap in (DAY, timedelta()):
            program.renew(overlap)
            secrets.append(program.secret)
            tokens.append(program.token())
        assert program.call(tokens[-1]).status_code == 200
        refused(ask(api, program.row, secrets[0]))
        challenge(program.call(tokens[0]))
        program.change(service.revoke_client)
        refused(program.ask())
    printed = capsys.readouterr()
    said = f"{lines}{caplog.text}{printed.out}{printed.err}"
    with super_engine.connect() as connection:
        tables = connection.scalars(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname IN ('public', 'procrastinate')"
            )
        ).all()
        for table in tables:
            rows = connection.scalars(text(f"SELECT t::text FROM {table} t")).all()  # noqa: S608
            said += "".join(rows)
    assert program.row.client_id in said
    for value in (*secrets, *tokens, *(one.rsplit(".", 1)[1] for one in tokens)):
        assert value not in said
