"""What each database role may do with each table is written down, in `rights.txt`.

The file is made from the catalogue of a migrated database. A new table stands there with `-` for
every role that its migration gave nothing, so nobody gains or loses a right unread.
"""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

GOLDEN = Path(__file__).parent / "rights.txt"
ROLES = ("app", "portal", "api", "console", "worker", "entry")
TABLES = text("""
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS isolated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm')
  AND (n.nspname = 'public' OR n.nspname = 'procrastinate')
ORDER BY n.nspname DESC, c.relname
""")
PRIVILEGES = text("""
SELECT a.grantee::regrole::text AS role, a.privilege_type AS kind, '' AS col
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = :oid AND a.grantee <> 0
UNION ALL
SELECT a.grantee::regrole::text, a.privilege_type, t.attname
FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = :oid AND a.grantee <> 0
""")
EVERYBODY = text("""
SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a
WHERE a.grantee = 0 AND c.relnamespace IN ('public'::regnamespace, 'procrastinate'::regnamespace)
""")
POLICIES = text("""
SELECT polname AS name, polroles::regrole[]::text[] AS roles, polpermissive AS permissive,
       polcmd AS command, pg_get_expr(polqual, polrelid) AS seen,
       pg_get_expr(polwithcheck, polrelid) AS written
FROM pg_policy WHERE polrelid = :oid ORDER BY polpermissive DESC, polname
""")
FUNCTIONS = text("""
SELECT p.oid::regprocedure::text AS name, array_agg(a.grantee::regrole::text) AS roles
FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND a.grantee <> p.proowner
GROUP BY p.oid ORDER BY 1
""")
ORDER = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def short(expression: str | None) -> str:
    """A rule on one line, with what is asked of the token as a word in braces."""
    line = " ".join((expression or "true").split())
    line = re.sub(r"\( ?SELECT (fairway_\w+)\(\) AS fairway_\w+\)(::uuid\[\])?", r"{\1}", line)
    return line.replace("({fairway", "{fairway").replace("})", "}") if "({fairway" in line else line


def privileges(rows) -> str:
    """`SELECT, INSERT, UPDATE (state)`, in one order."""
    whole = {row.kind for row in rows if not row.col}
    by_column: dict[str, set[str]] = {}
    for row in rows:
        if row.col and row.kind not in whole:
            by_column.setdefault(row.kind, set()).add(row.col)
    parts = [
        kind if kind in whole else f"{kind} ({', '.join(sorted(by_column[kind]))})"
        for kind in ORDER
        if kind in whole or kind in by_column
    ]
    return ", ".join(parts) or "-"


def rules(policies, role: str) -> list[str]:
    """The rules that bind the role, the permissive first."""
    found = []
    for one in policies:
        if f"fairway_{role}" not in one.roles:
            continue
        words = [] if one.permissive else ["besides"]
        if one.command != "*":
            words.append({"r": "read", "a": "insert", "w": "update", "d": "delete"}[one.command])
        seen, written = short(one.seen), short(one.written)
        if one.seen is not None:
            words.append(f"rows: {seen}")
        if one.written is not None and written != seen:
            words.append(f"written: {written}")
        found.append(" ".join(words))
    return found


def described(connection) -> str:
    lines = []
    for table in connection.execute(TABLES).all():
        prefix = "" if table.schema == "public" else f"{table.schema}."
        lines += ["", f"{prefix}{table.name}" + ("" if table.isolated else " (every row)")]
        given = connection.execute(PRIVILEGES, {"oid": table.oid}).all()
        policies = connection.execute(POLICIES, {"oid": table.oid}).all()
        for role in ROLES:
            may = privileges([row for row in given if row.role == f"fairway_{role}"])
            lines.append(f"  {role:9}{may}")
            if may != "-" and table.isolated:
                lines += [
                    f"             {rule}" for rule in rules(policies, role) if rule != "rows: true"
                ]
    lines += ["", "functions that look past the rules"]
    for row in connection.execute(FUNCTIONS).all():
        roles = ", ".join(sorted(name.removeprefix("fairway_") for name in row.roles))
        lines.append(f"  {row.name}: {roles}")
    return "\n".join(lines).strip() + "\n"


def test_the_rights_of_every_role_are_those_under_review(super_engine):
    with super_engine.connect() as connection:
        wanted = described(connection)
    if not GOLDEN.exists() or GOLDEN.read_text() != wanted:
        GOLDEN.write_text(wanted)
        pytest.fail(
            "tests/guards/rights.txt was out of date; read the difference before you commit it."
            " A new table needs a line `fairway_allow(...)` in its migration for each role that"
            " has to do with it."
        )


def test_nobody_else_has_rights(super_engine):
    """A role that is not among ours would not be in the file."""
    with super_engine.connect() as connection:
        tables = connection.execute(TABLES).all()
        names = {
            row.role
            for table in tables
            for row in connection.execute(PRIVILEGES, {"oid": table.oid})
        }
        assert names == {"fairway_owner", *(f"fairway_{one}" for one in ROLES)}
        assert connection.execute(EVERYBODY).all() == []


def test_only_what_is_given_can_be_done(super_engine):
    """The lint can fail: a right more is a difference, and so is a rule that is wider."""
    with super_engine.connect() as connection:
        before = described(connection)
        for change in (
            "GRANT UPDATE (name) ON trader TO fairway_api",
            "ALTER POLICY api ON filing USING (true)",
            "CREATE TABLE forgotten (id int)",
            "GRANT EXECUTE ON FUNCTION fairway_person() TO fairway_api",
        ):
            point = connection.begin_nested()
            connection.execute(text(change))
            assert described(connection) != before, change
            point.rollback()
        assert described(connection) == before
