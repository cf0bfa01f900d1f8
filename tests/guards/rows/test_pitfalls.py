"""Ways around row policies that PostgreSQL leaves open, each tried in the scene of two companies.

docs/adr/0018-row-security.md has the list of all of them, with the test of each.
"""

import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.session import PARTS
from tests.guards.rows.particular import Who, by, person, program, trader
from tests.guards.rows.probes import ATTACKERS
from tests.guards.rows.world import uuid_of

# ruff: noqa: S608

HOUSE = Path(__file__).parents[3]
A = by("portal", "a")


@pytest.fixture
def attack(probes):
    """`attack(who)` takes the attacker's role for the rest of the test; rolled back at its end."""
    point = probes.connection.begin_nested()

    def begin(who):
        probes.enter(who)
        return probes.connection

    yield begin
    point.rollback()


SHADOWS = {
    "appointment": (
        A,
        """SELECT CAST(:b AS uuid) AS trader_id, CAST(:me AS uuid) AS person_id,
        'active' AS state, 'officer' AS role, NULL AS invited_email""",
    ),
    "delegation": (
        A,
        """SELECT CAST(:b AS uuid) AS trader_id, CAST(:a AS uuid) AS broker_id, 'active' AS state,
        now() - interval '9 years' AS valid_from, now() + interval '9 years' AS valid_until""",
    ),
    "web_session": (
        Who("portal", "a word of one's own", "v"),
        """SELECT encode(sha256('a word of one''s own'), 'hex') AS token_hash,
        CAST(:bea AS uuid) AS person_id, CAST(NULL AS timestamptz) AS revoked_at,
        now() + interval '9 years' AS expires_at, now() + interval '9 years' AS last_seen_at,
        'passkey' AS method, CAST('{}' AS jsonb) AS data""",
    ),
    "staff_role": (
        Who("console", "token of a", "v"),
        "SELECT CAST(:me AS uuid) AS person_id, 'reviewer' AS role",
    ),
    "api_client": (
        by("api", "a"),
        "SELECT CAST(:program AS uuid) AS id, CAST(:b AS uuid) AS trader_id, 'active' AS state",
    ),
}


@pytest.mark.parametrize("table", SHADOWS)
def test_a_temporary_table_misleads_no_function(attack, table):
    """`pg_temp` is searched first where the path of a SECURITY DEFINER function does not name it."""
    who, content = SHADOWS[table]
    connection = attack(who)
    connection.execute(
        text(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {content}"),
        {
            "a": trader("a"),
            "b": trader("b"),
            "me": person("a"),
            "bea": person("b"),
            "program": program("a"),
        },
    )
    connection.execute(text(f"GRANT SELECT ON pg_temp.{table} TO PUBLIC"))
    assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
    seen = connection.execute(
        text("SELECT count(*) FROM public.batch WHERE trader_id = :b"), {"b": trader("b")}
    )
    assert seen.scalar_one() == 0


def foreign_words(probes):
    """What stands in the text columns of B's rows, by table."""
    for table in probes.tables.values():
        columns = probes.may(A, table, "SELECT")
        for name, column in table.columns.items():
            value = table.rows.get("b", {}).get(name)
            if column.kind == "S" and name in columns and isinstance(value, str) and "b" in value:
                yield table.name, name, value


def test_an_error_prints_no_value_of_a_hidden_row(probes):
    """A cast that fails tells the value; it must not be tried on rows before the policy is."""
    asked, told = 0, []
    for table, column, value in foreign_words(probes):
        for order in ("", f' ORDER BY "{column}"'):
            statement = f'SELECT 1 FROM {table} WHERE CAST("{column}"::text AS int) > 0{order}'
            answer = str(probes.attempt(A, statement))
            asked += 1
            if value in answer:
                told.append(f"{table}.{column}: {answer}")
    assert told == []
    assert asked > 100
    assert "invalid input syntax" in answer


def test_a_function_of_ones_own_sees_no_hidden_row(probes, attack):
    """However cheap it says it is, a function that is not leakproof waits for the policy."""
    connection = attack(A)
    connection.execute(text("CREATE TEMPORARY TABLE heard (row text) ON COMMIT DROP"))
    connection.execute(
        text(
            "CREATE FUNCTION pg_temp.look(given text) RETURNS boolean LANGUAGE plpgsql"
            " COST 0.0000001 AS $$ BEGIN INSERT INTO heard VALUES (given); RETURN true; END $$"
        )
    )
    for table in ("site", "trader", "person", "batch", "answer"):
        connection.execute(text(f"SELECT 1 FROM {table} t WHERE pg_temp.look(CAST(t AS text))"))
    heard = connection.execute(text("SELECT row FROM heard")).scalars().all()
    assert len(heard) >= 5
    assert any(str(trader("a")) in said for said in heard)
    foreign = {str(one) for one in (trader("b"), person("b"), uuid_of("assessment", "b"))}
    assert not [said for said in heard if any(one in said for one in foreign)]


def test_statistics_tell_nothing_of_hidden_rows(probes, attack):
    """The most common values of a column stand in a view, for who may read the whole column."""
    probes.connection.execute(text("ANALYZE site"))
    asked = text("SELECT count(*) FROM pg_stats WHERE tablename = 'site'")
    assert probes.connection.execute(asked).scalar_one() > 0
    for role in ATTACKERS:
        connection = attack(Who(role, "", "v"))
        assert connection.execute(asked).scalar_one() == 0, role
        with pytest.raises(DBAPIError, match="permission denied"), connection.begin_nested():
            connection.execute(text("SELECT count(*) FROM pg_statistic"))
        connection.execute(text("RESET ROLE"))


def test_a_prepared_plan_serves_the_next_person_their_own_rows(probes, attack):
    """The plan was made for somebody else's token, and for somebody else's role."""
    connection = attack(A)
    connection.execute(text("PREPARE sites AS SELECT trader_id FROM site"))
    for _ in range(7):
        assert connection.execute(text("EXECUTE sites")).scalars().all() == [trader("a")]
    for who, wanted in (
        (by("portal", "k"), {trader("k"), trader("a")}),
        (Who("portal", "", "v"), set()),
        (Who("console", "", "v"), set()),
    ):
        probes.connection.execute(text("RESET ROLE"))
        attack(who)
        assert set(connection.execute(text("EXECUTE sites")).scalars()) == wanted
    connection.execute(text("DEALLOCATE sites"))


KNOWS_NO_POLICY = r"WITH HOLD|withhold=True|\bNOTIFY \w+, |pg_notify\(|\blo_\w+\(|lobject\("


def test_nothing_that_knows_no_policy_is_used(probes):
    """A kept cursor, a payload and a large object are anybody's on the connection or the server."""
    said = [
        str(path.relative_to(HOUSE))
        for path in (HOUSE / "app").rglob("*.py")
        if re.search(KNOWS_NO_POLICY, path.read_text())
    ]
    assert said == []
    functions = probes.connection.execute(
        text(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND prosrc ~ 'pg_notify|NOTIFY'"
        )
    ).scalars()
    assert set(functions) <= {"fairway_tell_feeders"}


@pytest.mark.parametrize("role", PARTS)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE MATERIALIZED VIEW public.kept AS SELECT 1",
        "CREATE RULE r AS ON INSERT TO site DO ALSO NOTHING",
        "CREATE TRIGGER t BEFORE INSERT ON site FOR EACH ROW EXECUTE FUNCTION fairway_refuse_change()",
        "ALTER TABLE site NO FORCE ROW LEVEL SECURITY",
        "CREATE STATISTICS s ON name, kind FROM site",
        "TRUNCATE site",
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "COPY site FROM PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT lo_export(1, 'x')",
    ],
)
def test_no_role_can_put_anything_in_the_way(probes, attack, role, statement):
    connection = attack(Who(role.removeprefix("fairway_"), "", "v"))
    with pytest.raises(DBAPIError) as error, connection.begin_nested():
        connection.execute(text(statement))
    assert isinstance(error.value.orig, psycopg.errors.InsufficientPrivilege), error.value.orig


def test_on_conflict_changes_no_hidden_row(probes):
    """The key is B's: the statement fails whole, and says so as it does of any duplicate."""
    table = probes.tables["site"]
    row = table.rows["a"] | {"id": table.rows["b"]["id"]}
    names = ", ".join(row)
    values = ", ".join(f"CAST(:{name} AS {table.columns[name].type})" for name in row)
    for what in ("DO UPDATE SET name = 'taken'", "DO NOTHING"):
        outcome = probes.attempt(
            A, f"INSERT INTO site ({names}) VALUES ({values}) ON CONFLICT (id) {what}", row
        )
        assert outcome in {None, 0}, what


def test_returning_shows_no_row_that_reading_would_not(probes):
    """What is written unread, by a policy or by a privilege, is not read back by RETURNING."""
    for name in ("message", "identifier_conflict"):
        table = probes.tables[name]
        row = probes.fresh(A, table, "a")
        names = ", ".join(row)
        values = ", ".join(f"CAST(:{one} AS {table.columns[one].type})" for one in row)
        insert = f"INSERT INTO {name} ({names}) VALUES ({values})"
        assert probes.attempt(A, f"{insert} RETURNING id", row) is None
        assert probes.attempt(A, insert, row) == 1


RANDOM = "random, and never shown before it is there"
COUNTED = "numbers of ours, which tell how many there are"
SECRET = "the hash of a secret, or a public key to one"
OPEN_KEYS = {
    "api_client client_id": RANDOM,
    "application reference": COUNTED,
    "appointment token_hash": SECRET,
    "batch reference": COUNTED,
    "casework_case reference": COUNTED,
    "filing receipt": RANDOM,
    "identifier_conflict lookup_key, scheme": "Only who claims an identifier has its keyed hash, and"
    " that somebody else claims it, fairway_rivalry tells in a word.",
    "oidc_subject issuer, subject": "the provider's, and bound when the person has come from there",
    "one_time_link token_hash": SECRET,
    "passkey credential_id": SECRET,
    "person email": "No person can be inserted here; one's own address could be tried on others, and"
    " the entry's answers to a known and an unknown address are the same.",
    "register_change seq": COUNTED,
    "trader_identifier lookup_key, scheme": "only of verified ones, which `claiming` and"
    " `withdrawing` keep from being written here",
    "web_session token_hash": SECRET,
}
"""Keys that hold no company. A refusal says that somebody has the same; why that tells nothing."""


def test_a_unique_key_holds_the_company_or_cannot_be_guessed(probes):
    """`duplicate key` is an answer about somebody else's row."""
    indexes = probes.connection.execute(
        text(
            "SELECT i.indrelid::regclass::text AS name, array_agg(a.attname::text) AS columns"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
            " WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
            " AND c.relrowsecurity GROUP BY i.indexrelid, 1"
        )
    ).all()
    found = set()
    for index in indexes:
        table = probes.tables[index.name]
        writes = probes.may(A, table, "INSERT") or probes.may(A, table, "UPDATE")
        bound = {one for one, (target, _) in table.references.items() if target in probes.tables}
        if writes and index.columns != ["id"] and not bound & set(index.columns):
            found.add(f"{index.name} {', '.join(sorted(index.columns))}")
    assert found == OPEN_KEYS.keys()
