"""What the attacks in raw SQL ask of a connection, whatever role it has."""

# ruff: noqa: S608, PT017

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


def rows_of(connection, table, trader_id):
    """How many rows of the trader the connection finds in the table."""
    column = "id" if table == "trader" else "trader_id"
    return connection.execute(
        text(f"SELECT count(*) FROM {table} WHERE {column} = :id"),
        {"id": trader_id},
    ).scalar_one()


def refused(connection, statement, **values):
    """Whether the statement is refused for want of a right, or touches no row."""
    point = connection.begin_nested()
    try:
        return connection.execute(text(statement), values).rowcount == 0
    except DBAPIError as error:
        assert isinstance(error.orig, psycopg.errors.InsufficientPrivilege), error.orig
        return True
    finally:
        point.rollback()
