"""Row-level security: every table is listed, isolated, and holds against raw SQL.

The first half reads the catalogue, so that a new table fails until somebody has said whose its
rows are. The second half is an attacker who can run any SQL on the portal's connection as trader
A's officer, which is what an injection amounts to.
"""

# The attacker writes SQL by hand, and what is refused is told by the kind of the refusal.
# ruff: noqa: S608, PT017, ISC004

from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from app.authz.actor import system_actor
from app.db.embedded.databases import PARTS
from app.db.session import Principal, Role, transaction
from app.kernel.identifiers import Scheme
from app.kernel.ids import new_id
from tests.factories.documents import make_document
from tests.factories.identity import make_person, principal_of
from tests.factories.traders import (
    actor_at,
    add_bond,
    add_contact,
    add_identifier,
    add_site,
    make_trader,
)
from tests.guards.attacks import refused, rows_of

OF_A_TRADER = [
    "access_record",
    "agreement",
    "answer",
    "answer_evidence",
    "answer_revision",
    "answer_workbook",
    "api_client",
    "application",
    "application_return",
    "application_snapshot",
    "appointment",
    "assessment",
    "assessment_section",
    "audit_event",
    "batch",
    "batch_quality",
    "bond",
    "carried_answer",
    "casework_case",
    "client_credential",
    "colleague_comment",
    "consent",
    "contact",
    "criterion_review",
    "delegation",
    "determination",
    "document",
    "document_revision",
    "eligibility_check",
    "filing",
    "filing_fault",
    "follow_up_reminder",
    "information_request",
    "plan",
    "plan_action",
    "register_change",
    "register_entry",
    "returned_point",
    "site",
    "task_reply",
    "trader",
    "trader_identifier",
    "verification",
    "voyage_report",
]
OF_A_PERSON = [
    "authenticator",
    "message",
    "oidc_subject",
    "one_time_link",
    "passkey",
    "person",
    "recovery_code",
    "security_event",
    "staff_role",
    "web_session",
]
OF_THE_AGENCY = [
    "catalogue_publication",
    "client_assertion",
    "decision",
    "identifier_conflict",
    "issued_token",
    "policy_version",
    "rate_count",
    "succession",
    "token_denial",
    "webhook",
    "webhook_attempt",
    "webhook_delivery",
    "webhook_key",
]
# The same for everybody, so without row policies: counters, whose last number tells nothing.
OF_NOBODY = ["reference_counter", "reference_list", "register_sequencer"]
# Written by COPY, which row policies do not let through: the portal has no privilege on it.
OF_PROGRAMS = ["lookup_block", "lookup_record"]
# Hashes, which the database itself writes; the portal's privileges close what is not public.
OF_THE_LOG = [
    "log_checkpoint",
    "log_cosignature",
    "log_leaf",
    "log_node",
    "log_pending",
    "log_salt",
    "log_state",
]
DEFINERS = {
    "fairway_client",
    "fairway_client_filings",
    "fairway_client_may",
    "fairway_client_of_agency",
    "fairway_client_own",
    "fairway_client_reach",
    "fairway_is_officer",
    "fairway_own",
    "fairway_people_events",
    "fairway_people_security",
    "fairway_person",
    "fairway_reach",
    "fairway_invited",
    "fairway_founded",
    "fairway_colleagues",
    "fairway_rivalry",
    "fairway_staff",
    "fairway_unfold_lookups",
    "fairway_wait_for_seal",
}
# The portal's row rules; `true` stands for a table whose reading its privileges close.
OPEN_RULES = {"identifier_conflict", "message"}


@pytest.fixture
def catalogue(super_engine):
    def ask(statement, **values):
        with super_engine.connect() as connection:
            return connection.execute(text(statement), values).all()

    return ask


def test_every_table_is_listed_once(catalogue):
    found = catalogue(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'alembic_version'"
    )
    listed = [*OF_A_TRADER, *OF_A_PERSON, *OF_THE_AGENCY, *OF_NOBODY, *OF_PROGRAMS, *OF_THE_LOG]
    assert len(listed) == len(set(listed))
    assert {name for (name,) in found} == set(listed)


def test_row_security_is_on_and_binds_the_owner_too(catalogue):
    found = catalogue(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        " AND relnamespace = 'public'::regnamespace"
    )
    assert {name for (name,) in found} == {*OF_A_TRADER, *OF_A_PERSON, *OF_THE_AGENCY}


def test_what_has_no_rule_is_out_of_the_portals_sight(catalogue):
    for table in OF_PROGRAMS:
        [(may,)] = catalogue(f"SELECT has_table_privilege('fairway_portal', '{table}', 'SELECT')")
        assert not may, table


def test_the_portal_has_one_rule_for_each_table_and_it_holds_for_writing(catalogue):
    found = catalogue(
        "SELECT tablename, cmd, qual, with_check FROM pg_policies"
        " WHERE 'fairway_portal' = ANY (roles) AND permissive = 'PERMISSIVE'"
        " AND schemaname = 'public'"
    )
    assert sorted(row.tablename for row in found) == sorted(
        [*OF_A_TRADER, *OF_A_PERSON, *OF_THE_AGENCY]
    )
    assert {row.cmd for row in found} == {"ALL"}
    assert {row.tablename for row in found if row.qual == "true"} == OPEN_RULES
    assert not [row.tablename for row in found if row.with_check is None]


def test_what_is_asked_of_the_token_is_asked_once_for_a_statement(catalogue):
    """A call outside of a subquery would be made for every row."""
    found = catalogue(
        "SELECT tablename, qual FROM pg_policies WHERE 'fairway_portal' = ANY (roles)"
    )
    for row in found:
        for function in DEFINERS:
            for before in (row.qual or "").split(f"{function}()")[:-1]:
                assert before.endswith("SELECT "), (row.tablename, row.qual)


def test_nobody_else_has_a_policy(catalogue):
    found = catalogue("SELECT DISTINCT unnest(roles) FROM pg_policies")
    assert {name for (name,) in found} <= {"fairway_app", "fairway_owner", *PARTS}
    owners = catalogue("SELECT tablename, cmd FROM pg_policies WHERE 'fairway_owner' = ANY (roles)")
    assert {row.cmd for row in owners} == {"SELECT"}


def test_the_roles_can_do_nothing_that_row_security_does_not_see(catalogue):
    mighty = catalogue(
        "SELECT rolname FROM pg_roles"
        " WHERE rolname LIKE 'fairway%' AND rolname NOT IN ('fairway_super', 'fairway_owner')"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"
    )
    assert mighty == []
    members = catalogue(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text LIKE 'fairway%'"
    )
    assert {tuple(row) for row in members} == {("fairway_app", part) for part in PARTS}
    excess = catalogue(
        "SELECT table_name FROM information_schema.role_table_grants"
        " WHERE (grantee = 'PUBLIC' OR grantee LIKE 'fairway%' AND grantee <> 'fairway_owner')"
        " AND table_schema = 'public'"
        " AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES')"
    )
    assert excess == []
    for role in ("fairway_app", *PARTS):
        [(makes,)] = catalogue("SELECT has_schema_privilege(:role, 'public', 'CREATE')", role=role)
        assert not makes, role


def test_no_view_and_no_function_leads_around_the_policies(catalogue):
    views = catalogue(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND"
        " (relkind = 'm' OR relkind = 'v'"
        " AND NOT coalesce('security_invoker=true' = ANY (reloptions), false))"
    )
    assert views == []
    definers = catalogue(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef"
        " AND pronamespace IN ('public'::regnamespace, 'procrastinate'::regnamespace)"
    )
    assert {row.proname for row in definers} == DEFINERS
    assert {tuple(row.proconfig) for row in definers} == {
        ("search_path=pg_catalog, public, pg_temp",)
    }


def test_no_function_that_looks_into_a_table_can_be_shown_another(catalogue):
    """A temporary table comes before all others where the search path does not name it last."""
    looking = catalogue(
        "SELECT DISTINCT p.proname, coalesce(p.proconfig[1], '') AS path"
        " FROM pg_proc p JOIN pg_class c ON c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p')"
        " AND p.prosrc ~* ('\\m(from|join|into|update)\\s+' || c.relname || '\\M')"
        " WHERE p.pronamespace = 'public'::regnamespace"
    )
    assert {name for name, _ in looking} > {"fairway_own", "fairway_require_site"}
    assert {row for row in looking if not row.path.endswith(", pg_temp")} == set()


# The attacker.


class Sides:
    """A's officer, who attacks, and B, a competitor with a row in every table of the profile."""

    def __init__(self, work_as):
        with work_as(system_actor("test")) as work:
            self.officer = make_person(work, name="Ada Brook")
            other = make_person(work, name="Bea Rival")
            self.a, self.b = self._side(work, self.officer, "1"), self._side(work, other, "2")
            self.actor = actor_at(work.session, self.officer)
            self.other = actor_at(work.session, other)

    @staticmethod
    def _side(work, officer, digit):
        trader = make_trader(work, officer, name=f"Trader {digit}")
        add_identifier(work, trader, Scheme.IOR, f"{digit}2-345678900")
        add_site(work, trader)
        add_contact(work, trader)
        add_bond(work, trader)
        make_document(work, trader.id)
        return trader.id


@pytest.fixture
def sides(app, work_as):
    del app  # It says where files are kept.
    return Sides(work_as)


@pytest.fixture
def portal_url(app_url):
    """The portal's own login, which can take no other role."""
    return make_url(app_url).set(username="fairway_portal")


@pytest.fixture
def console(portal_url, engine, clock):
    """`console(principal)` is a raw connection on which the attacker can run what they like."""
    raw = create_engine(portal_url)

    @contextmanager
    def begin(principal):
        with raw.connect() as connection:
            connection.execute(
                text(
                    "SELECT set_config('app.principal', :name, true),"
                    " set_config('app.session', :sid, true), set_config('test.now', :now, true)"
                ),
                {"name": principal.name, "sid": principal.session, "now": clock.at.isoformat()},
            )
            yield connection

    yield begin
    raw.dispose()


PROFILE = ["trader_identifier", "site", "contact", "bond", "document", "document_revision"]


def test_the_officer_of_a_sees_a_and_nothing_of_b(sides, console, engine, clock):
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        for table in ("trader", *PROFILE, "appointment"):
            assert rows_of(connection, table, sides.a) == 1, table
            assert rows_of(connection, table, sides.b) == 0, table


def test_no_table_shows_a_row_of_b_to_select_star(sides, console, engine, clock):
    """Whatever a table's columns are called, B's id stands in no row that A can read."""
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        for table in (*OF_A_TRADER, *OF_A_PERSON, *OF_THE_AGENCY):
            point = connection.begin_nested()
            try:
                found = connection.execute(text(f"SELECT t::text FROM {table} t")).all()
            except DBAPIError as error:
                assert isinstance(error.orig, psycopg.errors.InsufficientPrivilege)
                point.rollback()
                continue
            assert str(sides.b) not in str(found), table


@pytest.mark.parametrize("table", PROFILE)
def test_b_can_be_neither_changed_nor_deleted_nor_written_for(sides, console, engine, clock, table):
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        for statement in (
            f"UPDATE {table} SET trader_id = trader_id WHERE trader_id = :b",
            f"DELETE FROM {table} WHERE trader_id = :b",
            f"UPDATE {table} SET trader_id = :b WHERE trader_id = :a",
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
            f"'id', gen_random_uuid(), 'trader_id', CAST(:b AS text)))).* FROM {table} t LIMIT 1",
            f"SELECT 1 FROM {table} WHERE trader_id = :b FOR UPDATE",
        ):
            assert refused(connection, statement, a=sides.a, b=sides.b), statement
        assert not refused(connection, f"SELECT 1 FROM {table} WHERE trader_id = :a", a=sides.a)


def test_a_revision_cannot_be_hung_on_the_document_of_b(
    sides, console, engine, clock, super_engine
):
    """A foreign key alone would let it: it is checked past every policy."""
    with super_engine.connect() as connection:
        document = connection.execute(
            text("SELECT id FROM document WHERE trader_id = :b"), {"b": sides.b}
        ).scalar_one()
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        hang = (
            "INSERT INTO document_revision SELECT (jsonb_populate_record(t, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', 9, 'document_id', CAST(:document AS text)))).*"
            " FROM document_revision t"
        )
        assert refused(connection, hang, document=document)
        own = connection.execute(text("SELECT id FROM document")).scalar_one()
        assert not refused(connection, hang, document=own)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE site",
        "COPY site TO STDOUT",
        "SET ROLE fairway_app",
        "SET ROLE fairway_owner",
        "SELECT set_config('role', 'fairway_app', true)",
        "SET row_security = off",
        "ALTER TABLE site DISABLE ROW LEVEL SECURITY",
        "DROP POLICY portal ON site",
        "CREATE VIEW mine AS SELECT * FROM site",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_there_is_no_way_out_of_the_role(sides, console, engine, clock, statement):
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        if statement.startswith("COPY"):
            with connection.connection.cursor().copy(statement) as copy:
                assert str(sides.b).encode() not in b"".join(bytes(part) for part in copy)
        elif statement.startswith("SET row_security"):
            # Without policies the query fails rather than shows more.
            connection.execute(text(statement))
            with pytest.raises(DBAPIError, match="row-level security"):
                rows_of(connection, "site", sides.b)
        else:
            with pytest.raises(DBAPIError) as error:
                connection.execute(text(statement))
            assert isinstance(error.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("token", ["", "guessed", "0" * 64])
def test_a_token_that_is_not_held_opens_nothing(sides, console, token):
    with console(Principal(f"person:{sides.other.person_id}", token)) as connection:
        for table in ("trader", *PROFILE):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_naming_b_in_every_setting_opens_nothing(sides, console, super_engine):
    """What the attacker can read or guess of B: ids, and the hash of a token, but no token."""
    with super_engine.connect() as connection:
        known = connection.execute(text("SELECT id::text, token_hash FROM web_session")).all()
    for guess in (str(sides.b), str(sides.other.person_id), *(one for row in known for one in row)):
        with console(Principal(f"person:{sides.other.person_id}", guess)) as connection:
            connection.execute(text("SELECT set_config('app.org', :b, true)"), {"b": str(sides.b)})
            assert rows_of(connection, "site", sides.b) == 0


@pytest.mark.parametrize("end", ["idle", "expired", "revoked", "person", "appointment"])
def test_a_stolen_token_that_is_over_opens_nothing(
    sides, console, engine, clock, super_engine, end
):
    stolen = principal_of(engine, sides.other, clock.now())
    with console(stolen) as connection:
        assert rows_of(connection, "site", sides.b) == 1
    kill = {
        "revoked": "UPDATE web_session SET revoked_at = :now",
        "person": "UPDATE person SET ended_at = :now",
        "appointment": "UPDATE appointment SET state = 'ended', ended_at = :now",
        "expired": "UPDATE web_session SET expires_at = :now",
    }.get(end)
    if kill is None:
        clock.at += timedelta(minutes=30)
    else:
        with super_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(kill), {"now": clock.at})
    with console(stolen) as connection:
        for table in ("trader", *PROFILE):
            assert rows_of(connection, table, sides.b) == 0, table


def test_the_setting_of_a_transaction_is_empty_after_it_and_fails_closed(sides, engine, clock):
    """After the transaction the setting is an empty text, not null; it belongs to nobody."""
    officer = principal_of(engine, sides.actor, clock.now())
    with transaction(engine, officer) as db:
        assert db.execute(text("SELECT count(*) FROM site")).scalar_one() == 1
    with transaction(engine, Principal(officer.name, "", Role.PORTAL)) as db:
        assert db.execute(text("SELECT fairway_reach()")).scalar_one() == []
        assert db.execute(text("SELECT count(*) FROM site")).scalar_one() == 0


def test_a_person_cannot_appoint_themselves_at_b(sides, console, engine, clock):
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        assert refused(
            connection,
            "INSERT INTO appointment (id, trader_id, person_id, role, state, version)"
            " VALUES (gen_random_uuid(), :b, :me, 'officer', 'active', 1)",
            b=sides.b,
            me=sides.actor.person_id,
        )
        assert refused(
            connection,
            "UPDATE appointment SET trader_id = :b WHERE person_id = :me",
            b=sides.b,
            me=sides.actor.person_id,
        )
        assert refused(
            connection,
            "INSERT INTO staff_role (person_id, role, given_at) VALUES (:me, 'reviewer', now())",
            me=sides.actor.person_id,
        )


def test_a_competitors_identifier_is_found_in_a_word_and_only_by_who_claims_it(
    sides, console, engine, clock, work_as
):
    ask = text(
        "SELECT fairway_rivalry(i.scheme, i.lookup_key, :by) FROM (VALUES (:s, :k)) i(scheme, lookup_key)"
    )
    with work_as(system_actor("test")) as work:
        scheme, key = work.session.execute(
            text("SELECT scheme, lookup_key FROM trader_identifier WHERE trader_id = :b"),
            {"b": sides.b},
        ).one()
    facts = {"s": scheme, "k": key}
    with console(principal_of(engine, sides.actor, clock.now())) as connection:
        assert connection.execute(ask, {**facts, "by": sides.a}).scalar_one() == "none"
        assert connection.execute(ask, {**facts, "by": sides.b}).scalar_one() == "none"
        assert connection.execute(ask, {**facts, "by": new_id()}).scalar_one() == "none"


def test_without_the_policy_the_same_attack_reads_b(sides, console, engine, clock, super_engine):
    """The suite can fail: with the policies of one table off, its rows of B appear."""
    officer = principal_of(engine, sides.actor, clock.now())
    with super_engine.begin() as connection:
        connection.execute(text("ALTER TABLE site DISABLE ROW LEVEL SECURITY"))
    try:
        with console(officer) as connection:
            assert rows_of(connection, "site", sides.b) == 1
    finally:
        with super_engine.begin() as connection:
            connection.execute(text("ALTER TABLE site ENABLE ROW LEVEL SECURITY"))
