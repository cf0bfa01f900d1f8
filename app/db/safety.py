"""What would let a login of this database reach further than its role: asked of the catalogue.

`fairway doctor` and `fairway db check` print it. Each finding is a sentence that names the login or
the table, and what to do.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, text

from app.db.session import PARTS, Role

# The same for everybody, or closed by privileges alone; why, says tests/guards/test_row_security.py.
WITHOUT_ROW_SECURITY: Final = frozenset(
    {
        "alembic_version",
        "log_checkpoint",
        "log_cosignature",
        "log_leaf",
        "log_node",
        "log_pending",
        "log_salt",
        "log_state",
        "lookup_block",
        "lookup_record",
        "reference_counter",
        "reference_list",
        "register_sequencer",
    }
)
ROLES: Final = ("fairway_app", *(str(part) for part in PARTS))

_MIGHT = text("""
SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS bypasses,
       rolcreaterole AS makes_roles, rolreplication AS replicates
FROM pg_roles WHERE rolname = session_user
""")
_OWNED = text("""
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'procrastinate') AND c.relkind IN ('r', 'p', 'v', 'm')
  AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = session_user)
""")
_MEMBER_OF = text("""
SELECT m.roleid::regrole::text FROM pg_auth_members m
WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = session_user) ORDER BY 1
""")
_UNFORCED = text("""
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
  AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1
""")
_KNOWN = text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)")
_MAY_BE = text("SELECT pg_has_role(session_user, :role, 'MEMBER')")
_MAKES = text("SELECT has_schema_privilege(session_user, 'public', 'CREATE')")


def findings(commands_url: str, logins: Mapping[Role, str]) -> Iterator[str]:
    """What is wrong with the logins and the tables, a sentence each.

    `commands_url` is the address of the commands' login, `logins` that of each role.
    """
    with _connected(commands_url) as connection:
        yield from of_tables(connection)
        absent = missing_roles(connection)
        for role in absent:
            yield f"The role {role} is missing. `fairway db roles` prints what makes it."
        yield from of_login(connection, may_be=frozenset(map(str, PARTS)))
    for role, url in logins.items():
        if url == commands_url or role in absent:
            continue
        with _connected(url) as connection:
            yield from of_login(connection, may_be=frozenset({str(role)}))
            if not connection.execute(_MAY_BE, {"role": str(role)}).scalar_one():
                name = connection.execute(_MIGHT).one().name
                yield f"The login {name} cannot act as {role}: grant it that role, and no other."


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def of_login(connection: Connection, *, may_be: frozenset[str]) -> Iterator[str]:
    """What the login of this connection can do past the rights of the roles that it may take."""
    login = connection.execute(_MIGHT).one()
    words = {
        "superuser": "is a superuser, whom no rule binds",
        "bypasses": "has BYPASSRLS, so no row policy binds it",
        "makes_roles": "may make roles (CREATEROLE), and with them any right",
        "replicates": "may replicate, which reads every row",
    }
    for what, why in words.items():
        if getattr(login, what):
            yield f"The login {login.name} {why}."
    if owned := connection.execute(_OWNED).scalar_one():
        yield f"The login {login.name} owns {owned} tables, so it can take their policies away."
    if connection.execute(_MAKES).scalar_one():
        yield f"The login {login.name} may create tables and functions in the schema public."
    for other in connection.execute(_MEMBER_OF).scalars():
        if other not in may_be:
            yield f"The login {login.name} may become {other} with SET ROLE: revoke that."


def of_tables(connection: Connection) -> Iterator[str]:
    """The tables whose rows are not kept apart, or not from their owner."""
    for name in connection.execute(_UNFORCED).scalars():
        if name not in WITHOUT_ROW_SECURITY:
            yield f"The table {name} lacks FORCE ROW LEVEL SECURITY."


def missing_roles(connection: Connection) -> list[str]:
    """Which of our roles the server does not know."""
    known = set(connection.execute(_KNOWN, {"names": list(ROLES)}).scalars())
    return [one for one in ROLES if one not in known]


def weaknesses(commands_url: str, logins: Mapping[Role, str]) -> Iterator[str]:
    """What is safe as long as no statement can be injected, a sentence for each role."""
    for role, url in logins.items():
        if url == commands_url:
            yield (
                f"{role} has no login of its own: SQL injected there could say RESET ROLE and see"
                f" every row. Set FAIRWAY_DATABASE_{role.name}_URL."
            )


def making_roles() -> str:
    """The SQL by which a superuser makes the roles, once."""
    owner = "CREATE ROLE fairway_owner LOGIN PASSWORD '…' NOSUPERUSER NOCREATEROLE;"
    rights = "LOGIN PASSWORD '…' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT"
    lines = [owner, *(f"CREATE ROLE {one} {rights};" for one in ROLES)]
    lines.append(f"GRANT {', '.join(ROLES[1:])} TO fairway_app;")
    lines += [f"ALTER ROLE {one} SET idle_in_transaction_session_timeout = '10s';" for one in ROLES]
    return "\n".join(lines)
