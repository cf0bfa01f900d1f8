"""Roles and databases in a cluster; made by the superuser, over one autocommit connection each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

SUPER: Final = "fairway_super"
OWNER: Final = "fairway_owner"
APP: Final = "fairway_app"
# What the application takes for the length of one transaction, or logs in as: one for each kind of
# actor, with rights of its own (ADR 25).
PARTS: Final = tuple(f"fairway_{part}" for part in ("portal", "api", "console", "worker", "entry"))
ROLES: Final = (SUPER, OWNER, APP, *PARTS)
DATABASE: Final = "fairway"
EXTENSIONS: Final = ("pg_trgm", "btree_gist", "unaccent", "citext")
PORT: Final = 5432  # Only a part of the socket's file name; nothing listens on TCP.


def connect(socket_dir: Path, database: str = "postgres") -> psycopg.Connection:
    """Connect as the superuser."""
    return psycopg.connect(
        host=str(socket_dir), port=PORT, dbname=database, user=SUPER, autocommit=True
    )


def provision(socket_dir: Path) -> None:
    """Create what is missing of roles and database; each becomes visible only when complete."""
    with connect(socket_dir) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for role in (OWNER, APP, *PARTS):
            if role not in roles:
                _create_role(connection, role)
        # The application takes a part's role for the length of one transaction; inherited, the
        # policies of all of them would bind it always.
        connection.execute(sql.SQL("ALTER ROLE {} NOINHERIT").format(sql.Identifier(APP)))
        connection.execute(sql.SQL("GRANT {} TO {}").format(_names(PARTS), sql.Identifier(APP)))
        if DATABASE in databases:
            # It may have been made by an earlier version, which knew fewer parts.
            _let_connect(connection, DATABASE)
    if DATABASE not in databases:
        unfinished = f"{DATABASE}_unfinished"
        drop(socket_dir, unfinished)
        create(socket_dir, unfinished)
        with connect(socket_dir) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(unfinished), sql.Identifier(DATABASE)
                )
            )


def create(socket_dir: Path, name: str, template: str | None = None) -> None:
    """Create a database of `fairway_owner`: empty with our extensions, or a template's copy."""
    database = sql.Identifier(name)
    with connect(socket_dir) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                database, sql.Identifier(OWNER), sql.Identifier(template or "template1")
            )
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        _let_connect(connection, name)
    if template is None:
        with connect(socket_dir, name) as connection:
            for extension in EXTENSIONS:
                connection.execute(
                    sql.SQL("CREATE EXTENSION {} SCHEMA public").format(sql.Identifier(extension))
                )


def drop(socket_dir: Path, name: str) -> None:
    """Drop a database if it exists, and close the connections to it."""
    with connect(socket_dir) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _names(roles: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, roles))


def _let_connect(connection: psycopg.Connection, database: str) -> None:
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(database), _names((APP, *PARTS))
        )
    )


def _create_role(connection: psycopg.Connection, role: str) -> None:
    name = sql.Identifier(role)
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    with connection.transaction():
        connection.execute(sql.SQL(f"CREATE ROLE {{}} {rights}").format(name))
        if role != OWNER:
            # A forgotten transaction must not hold locks and old row versions.
            connection.execute(
                sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '10s'").format(
                    name
                )
            )
