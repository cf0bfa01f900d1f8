"""Run the migrations, as the owner of the tables; the application itself never may."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration for one database, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, under an advisory lock with short lock time-outs."""
    command.upgrade(configuration(owner_url), revision)


def downgrade(owner_url: str, revision: str) -> None:
    """Take the database back to `revision`, for tests."""
    command.downgrade(configuration(owner_url), revision)


def head() -> str:
    """The newest revision in the tree."""
    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found is None:
        msg = "There is no migration."
        raise RuntimeError(msg)
    return found


def current(url: str) -> str | None:
    """The revision that the database is at, `None` for an empty one."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
