"""Run the migrations, as the owner of the tables; the application itself never may.

The library is imported where it is used: most processes migrate nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration for one database, without an ini file."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, under an advisory lock with short lock time-outs."""
    from alembic import command  # noqa: PLC0415

    command.upgrade(configuration(owner_url), revision)


def downgrade(owner_url: str, revision: str) -> None:
    """Take the database back to `revision`, for tests."""
    from alembic import command  # noqa: PLC0415

    command.downgrade(configuration(owner_url), revision)


def head() -> str:
    """The newest revision in the tree."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found is None:
        msg = "There is no migration."
        raise RuntimeError(msg)
    return found


def current(url: str) -> str | None:
    """The revision that the database is at, `None` for an empty one."""
    from alembic.migration import MigrationContext  # noqa: PLC0415

    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
