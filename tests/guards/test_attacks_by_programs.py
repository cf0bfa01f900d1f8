"""Any SQL on the programs' own connection, by whoever holds one program's token.

An injection into the traders' API or the internal API amounts to this. The attacker holds the token
of company A's program, of a broker's, or of the agency's, and knows the ids of company B's rows.
"""

# The attacker writes SQL by hand, and what is refused is told by the kind of the refusal.
# ruff: noqa: S608, PT017, ISC004

from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from app.authz.actor import AgencyRole, system_actor
from app.identity.scopes import Audience
from app.identity.service import create_client
from app.kernel.identifiers import Scheme
from tests.factories.advance_data import make_batch, rows
from tests.factories.delegations import make_pair
from tests.factories.delegations import offer as offer_delegation
from tests.factories.identity import make_person
from tests.factories.programs import INTERNAL, TRADER, credential_in, token_of
from tests.factories.traders import add_identifier, add_site, make_trader
from tests.guards.attacks import refused, rows_of
from tests.guards.test_rights import TABLES

OWN = ("trader", "trader_identifier", "batch", "filing")


class Sides:
    """A and B are competitors, `pair` an importer and its broker; each of the three has a program."""

    def __init__(self, work_as, api):
        with work_as(system_actor("test")) as work:
            self.a, a_program = self._side(work, "1")
            self.b, b_program = self._side(work, "2")
            self.pair = make_pair(work)
            broker = self._program(work, self.pair.broker_id)
            agency = create_client(work, name="Release", scopes=INTERNAL)
            make_person(work, roles=[AgencyRole.SUPERVISOR])
        self.tokens = {
            "a": token_of(api, a_program),
            "b": token_of(api, b_program),
            "broker": token_of(api, broker),
            "agency": token_of(api, agency),
        }
        self.programs = {"a": a_program[0], "b": b_program[0], "broker": broker[0]}

    @staticmethod
    def _program(work, trader_id):
        return create_client(work, name="Filing system", scopes=TRADER, trader_id=trader_id)

    @classmethod
    def _side(cls, work, digit):
        number = f"{digit}1-345678900"
        trader = make_trader(work, make_person(work), name=f"Trader {digit}")
        add_identifier(work, trader, Scheme.IOR, number, verified=True)
        add_site(work, trader)
        make_batch(work, trader, rows(2, importer_number=number))
        return trader.id, cls._program(work, trader.id)


@pytest.fixture
def sides(app, work_as):
    return Sides(work_as, app.test_client())


@pytest.fixture
def attack(app_url, clock):
    """`attack(token)` is a raw connection of the programs' login, which can take no other role."""
    raw = create_engine(make_url(app_url).set(username="fairway_api"))

    @contextmanager
    def begin(token):
        with raw.connect() as connection:
            connection.execute(
                text(
                    "SELECT set_config('app.principal', 'client:attacker', true),"
                    " set_config('app.session', :token, true), set_config('test.now', :now, true)"
                ),
                {"token": token, "now": clock.at.isoformat()},
            )
            yield connection

    yield begin
    raw.dispose()


def everything(connection):
    """All rows of all tables that the connection can read at all, as one text."""
    found = []
    for table in connection.execute(TABLES).all():
        point = connection.begin_nested()
        try:
            rows_ = connection.execute(text(f"SELECT t::text FROM {table.schema}.{table.name} t"))
            found.append(f"{table.name}: {rows_.all()}")
        except DBAPIError as error:
            assert isinstance(error.orig, psycopg.errors.InsufficientPrivilege), error.orig
            point.rollback()
    return "\n".join(found)


def test_a_traders_program_reads_its_own_trader_and_nothing_else(sides, attack):
    with attack(sides.tokens["a"]) as connection:
        for table in OWN:
            assert rows_of(connection, table, sides.a) >= 1, table
            assert rows_of(connection, table, sides.b) == 0, table
        read = everything(connection)
    assert str(sides.a) in read
    for foreign in (sides.b, sides.pair.trader_id, sides.pair.broker_id):
        assert str(foreign) not in read


def test_it_reads_of_the_own_trader_no_more_than_the_api_gives(sides, attack):
    """Sites, people, applications, letters and the record are no business of a program's."""
    with attack(sides.tokens["a"]) as connection:
        for table in (
            "site",
            "person",
            "appointment",
            "application",
            "message",
            "audit_event",
            "document",
            "client_credential",
            "web_session",
            "issued_token",
        ):
            assert refused(connection, f"SELECT 1 FROM {table}"), table


@pytest.mark.parametrize("who", ["a", "broker"])
def test_nothing_is_written_for_another_trader(sides, attack, who):
    with attack(sides.tokens[who]) as connection:
        for statement in (
            "UPDATE batch SET trader_id = :b",
            "UPDATE batch SET filename = 'x' WHERE trader_id = :b",
            "DELETE FROM batch",
            "DELETE FROM filing",
            "UPDATE filing SET content = '{}'",
            "UPDATE trader SET name = 'x'",
            "UPDATE delegation SET state = 'active'",
            "UPDATE api_client SET scopes = '{status:read}'",
            "INSERT INTO issued_token (token_hash, jti, credential_id, expires_at)"
            " SELECT 'x', 'x', gen_random_uuid(), now()",
            "INSERT INTO batch SELECT (jsonb_populate_record(t, jsonb_build_object("
            "'id', gen_random_uuid(), 'reference', 'BT-2026-99999', 'trader_id', CAST(:b AS text)"
            "))).* FROM batch t LIMIT 1",
            "INSERT INTO filing SELECT (jsonb_populate_record(t, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', 9, 'trader_id', CAST(:b AS text)"
            "))).* FROM filing t LIMIT 1",
        ):
            assert refused(connection, statement, b=sides.b), statement


def test_a_filing_cannot_be_hung_on_the_batch_of_b(sides, attack, super_engine):
    """A foreign key alone would let it: it is checked past every policy."""
    with super_engine.connect() as connection:
        foreign = connection.execute(
            text("SELECT id FROM batch WHERE trader_id = :b"), {"b": sides.b}
        ).scalar_one()
    hang = (
        "INSERT INTO filing SELECT (jsonb_populate_record(t, jsonb_build_object("
        "'id', gen_random_uuid(), 'number', 9, 'batch_id', CAST(:batch AS text),"
        " 'file_row', 9, 'receipt', 'none'))).* FROM filing t LIMIT 1"
    )
    with attack(sides.tokens["a"]) as connection:
        assert refused(connection, hang, batch=foreign)
        own = connection.execute(text("SELECT id FROM batch")).scalar_one()
        assert not refused(connection, hang, batch=own)


def test_no_event_is_recorded_in_the_name_of_another(sides, attack):
    insert = (
        "INSERT INTO audit_event (id, at, tag, actor_kind, actor_name, client_id, trader_id,"
        " subject_kind, subject_id, request_id, data) VALUES (gen_random_uuid(), now(),"
        " 'batch:received', 'client', 'x', :client, :trader, 'batch', gen_random_uuid(), '', '{}')"
    )
    own, other = sides.programs["a"].id, sides.programs["b"].id
    with attack(sides.tokens["a"]) as connection:
        assert not refused(connection, insert, client=own, trader=sides.a)
        assert refused(connection, insert, client=other, trader=sides.a)
        assert refused(connection, insert, client=own, trader=sides.b)
        assert refused(connection, insert, client=None, trader=sides.a)


def test_a_broker_reaches_a_client_while_the_delegation_lives(sides, attack, work_as, super_engine):
    def in_reach():
        with attack(sides.tokens["broker"]) as connection:
            return rows_of(connection, "trader", sides.pair.trader_id)

    assert in_reach() == 0
    with work_as(system_actor("test")) as work:
        offered = offer_delegation(work, sides.pair).id
    assert in_reach() == 0
    for change, reached in (
        ("state = 'active', accepted_at = now()", 1),
        (
            "valid_until = now() - interval '100 years', valid_from = now() - interval '101 years'",
            0,
        ),
        ("valid_until = now() + interval '100 years'", 1),
        ("valid_from = now() + interval '99 years'", 0),
        ("valid_from = now() - interval '100 years', state = 'revoked'", 0),
    ):
        with super_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                text(f"UPDATE delegation SET {change} WHERE id = :id"), {"id": offered}
            )
        assert in_reach() == reached, change
    with attack(sides.tokens["a"]) as connection:
        assert rows_of(connection, "trader", sides.pair.trader_id) == 0


def test_the_agencys_program_reads_the_register_and_not_what_traders_file(sides, attack):
    with attack(sides.tokens["agency"]) as connection:
        for table in ("trader", "trader_identifier"):
            assert rows_of(connection, table, sides.a) == 1
            assert rows_of(connection, table, sides.b) == 1
        for table in ("batch", "filing", "filing_fault"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        assert refused(connection, "UPDATE register_entry SET tier = 1")
        assert refused(connection, "INSERT INTO register_change SELECT * FROM register_change")
        assert refused(connection, "SELECT 1 FROM determination")


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("a", "/trader/v1/status"),
        ("broker", "/trader/v1/status"),
        ("agency", "/api/v1/changes?after=0"),
    ],
)
def test_a_request_of_a_program_runs_in_its_role(app, sides, engine, who, path):
    """What holds for the login holds for the requests only because they take that role."""
    roles = set()

    def note(connection, _cursor, statement, *_rest):
        if "register_sequencer" in statement:
            cursor = connection.connection.cursor()
            roles.add(cursor.execute("SELECT current_user").fetchone()[0])

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = app.test_client().get(
            path, headers={"Authorization": f"Bearer {sides.tokens[who]}"}
        )
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    assert roles == {"fairway_api"}


@pytest.mark.parametrize("guess", ["", "guessed", "0" * 64])
def test_a_token_that_is_not_held_opens_nothing(sides, attack, super_engine, guess):
    with super_engine.connect() as connection:
        known = connection.execute(text("SELECT token_hash, jti FROM issued_token")).all()
        known += connection.execute(text("SELECT id::text, client_id FROM api_client")).all()
    assert known
    for name in (guess, str(sides.b), *(one for row in known for one in row)):
        with attack(name) as connection:
            for table in OWN:
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


@pytest.mark.parametrize(
    "end", ["over", "token denied", "client suspended", "credential revoked", "credential over"]
)
def test_a_stolen_token_that_is_over_opens_nothing(sides, attack, clock, super_engine, end):
    stolen = sides.tokens["b"]
    with attack(stolen) as connection:
        assert rows_of(connection, "filing", sides.b) == 2
    kill = {
        "token denied": "INSERT INTO token_denial (jti, expires_at)"
        " SELECT jti, expires_at FROM issued_token",
        "client suspended": "UPDATE api_client SET state = 'suspended'",
        "credential revoked": "UPDATE client_credential SET revoked_at = :now",
        "credential over": "UPDATE client_credential SET expires_at = :now",
    }.get(end)
    if kill is None:
        clock.at += timedelta(minutes=10)
    else:
        with super_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(kill), {"now": clock.at})
    with attack(stolen) as connection:
        for table in OWN:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_a_token_that_the_signing_key_made_and_nobody_issued_opens_nothing(
    app, sides, attack, clock
):
    forged = app.extensions["fairway_signer"].issue(
        client_id=sides.programs["b"].client_id,
        scopes=TRADER,
        audience=Audience.TRADER,
        jti="1" * 32,
        now=clock.now(),
        credential_id=credential_in(sides.tokens["b"]),
    )
    with attack(forged) as connection:
        assert rows_of(connection, "filing", sides.b) == 0
    answer = app.test_client().get(
        "/trader/v1/status", headers={"Authorization": f"Bearer {forged}"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "statement",
    [
        "RESET ROLE",
        "SET ROLE fairway_app",
        "SET ROLE fairway_portal",
        "SET ROLE fairway_owner",
        "SELECT set_config('role', 'fairway_app', true)",
        "TRUNCATE filing",
        "SELECT fairway_person()",
        "SELECT fairway_own()",
        "ALTER TABLE filing DISABLE ROW LEVEL SECURITY",
        "DROP POLICY api ON filing",
        "CREATE VIEW mine AS SELECT * FROM filing",
        "SELECT args FROM procrastinate.procrastinate_jobs",
        "UPDATE procrastinate.procrastinate_jobs SET args = '{}'",
        "DELETE FROM procrastinate.procrastinate_jobs",
    ],
)
def test_there_is_no_way_out_of_the_role(sides, attack, statement):
    with attack(sides.tokens["a"]) as connection:
        if statement == "RESET ROLE":
            connection.execute(text(statement))
            assert rows_of(connection, "filing", sides.b) == 0
            assert connection.execute(text("SELECT current_user")).scalar_one() == "fairway_api"
        else:
            with pytest.raises(DBAPIError) as error:
                connection.execute(text(statement))
            assert isinstance(error.value.orig, psycopg.errors.InsufficientPrivilege)


def test_without_the_policy_the_same_attack_reads_b(sides, attack, super_engine):
    """The suite can fail: with the policies of one table off, its rows of B appear."""
    with super_engine.begin() as connection:
        connection.execute(text("ALTER TABLE filing DISABLE ROW LEVEL SECURITY"))
    try:
        with attack(sides.tokens["a"]) as connection:
            assert rows_of(connection, "filing", sides.b) == 2
    finally:
        with super_engine.begin() as connection:
            connection.execute(text("ALTER TABLE filing ENABLE ROW LEVEL SECURITY"))
