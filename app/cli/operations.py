"""Commands that run the installation: serve, worker, doctor, db."""

import os

import click
from sqlalchemy import text

from app.cli import serving
from app.cli.runtime import (
    RefusedError,
    migrate_to_head,
    refuse_altered_criteria,
    runtime,
)
from app.db import migrate


@click.command()
@click.option("--workers", default=min(4, os.cpu_count() or 1), help="Server processes.")
def serve(workers: int) -> None:
    """Start database, job worker and server; Ctrl-C stops it all."""
    serving.serve(workers=workers)


@click.command()
def worker() -> None:
    """Work on jobs until stopped."""
    serving.work_on_jobs()


@click.command()
def feeder() -> None:
    """Keep this host's copy of the register fresh; `serve` starts one by itself."""
    serving.feed()


@click.group()
def demo() -> None:
    """The demonstration's invented data."""


@demo.command(name="load")
def load() -> None:
    """Fill the empty demo database; `serve` does this by itself at the first start."""
    serving.load_demo()


@click.group(name="db")
def database() -> None:
    """Migrate the database, or check that it fits."""


@database.command(name="upgrade")
def upgrade() -> None:
    """Apply the migrations that are missing."""
    with runtime(check_demo=False) as run:
        done = migrate_to_head(run)
        click.echo("Migrated." if done else "Nothing to do.")


@database.command(name="check")
def check() -> None:
    """Exit with 1 unless the database is at the newest revision."""
    with runtime(check_demo=False) as run:
        found, wanted = migrate.current(run.app_url), migrate.head()
    if found != wanted:
        raise RefusedError(f"The database is at {found}, this version needs {wanted}.")
    click.echo(f"At {wanted}.")


@click.command()
def doctor() -> None:
    """Say what this installation runs on, and what is wrong with it."""
    with runtime(check_demo=False) as run, run.engine.connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
        role = connection.execute(
            text(
                "SELECT rolname, rolsuper OR rolbypassrls AS mighty FROM pg_roles"
                " WHERE rolname = current_user"
            )
        ).one()
        found, wanted = migrate.current(run.app_url), migrate.head()
        demo = run.settings.demo_mode
    click.echo(f"PostgreSQL   {version}")
    click.echo(f"Role         {role.rolname}")
    click.echo(f"Migrations   {found} (this version needs {wanted})")
    click.echo(f"Demo         {'yes' if demo else 'no'}")
    if role.mighty:
        raise RefusedError("The application's role is a superuser or bypasses row security.")
    if found != wanted:
        raise RefusedError("Run `fairway db upgrade`.")
    with runtime(check_demo=False) as run, run.work() as work:
        refuse_altered_criteria(work)
    click.echo("Criteria     every published version is as it was signed")
