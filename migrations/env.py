"""How Alembic reaches the database: one transaction, one lock, short waits."""

from alembic import context
from sqlalchemy import create_engine, text

from app.tables import Base

config = context.config
LOCK = 7_316_202_611


def run() -> None:
    connection = config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    engine = create_engine(config.attributes["url"])
    with engine.connect() as connection:
        _migrate(connection)
        connection.commit()
    engine.dispose()


def _migrate(connection):
    # Two processes that start at once take turns; a lock that is not to be had within a few
    # seconds ends the migration rather than the service.
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    # Row policies bind the owner too: changing rows fails then, rather than to change none.
    connection.execute(text("SET row_security = off"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in (None, "public"),
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})


run()
