"""Commands that run the installation: serve, worker, doctor, db."""

import os

import click
from sqlalchemy import make_url, text

from app.cli import serving
from app.cli.runtime import (
    RefusedError,
    migrate_to_head,
    refuse_altered_criteria,
    runtime,
)
from app.db import migrate, safety


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
    """Exit with 1 unless the database is at the newest revision and its logins are bound."""
    with runtime(check_demo=False) as run:
        found, wanted = migrate.current(run.app_url), migrate.head()
        wrong = list(safety.findings(run.app_url, run.logins))
    for one in wrong:
        click.echo(one, err=True)
    if found != wanted:
        raise RefusedError(f"The database is at {found}, this version needs {wanted}.")
    if wrong:
        raise RefusedError("A login or a table is not as it must be.")
    click.echo(f"At {wanted}.")


@database.command(name="roles")
def roles() -> None:
    """Print the SQL by which a superuser makes the roles on a server of your own."""
    click.echo(safety.making_roles())


@click.command()
def doctor() -> None:
    """Say what this installation runs on, and what is wrong with it."""
    with runtime(check_demo=False) as run:
        with run.engine.connect() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
            role = connection.execute(text("SELECT session_user")).scalar_one()
        found, wanted = migrate.current(run.app_url), migrate.head()
        demo = run.settings.demo_mode
        wrong = list(safety.findings(run.app_url, run.logins))
        weak = list(safety.weaknesses(run.app_url, run.logins))
        apart = {make_url(url).username or "" for url in run.logins.values()} - {role}
    click.echo(f"PostgreSQL   {version}")
    click.echo(f"Role         {role} (commands)")
    click.echo(f"Logins       {', '.join(sorted(apart)) or 'that one for everything'}")
    click.echo(f"Migrations   {found} (this version needs {wanted})")
    click.echo(f"Demo         {'yes' if demo else 'no'}")
    for one in weak:
        click.echo(f"Weaker       {one}")
    for one in wrong:
        click.echo(f"Wrong        {one}", err=True)
    if wrong:
        raise RefusedError("A login or a table is not as it must be.")
    if found != wanted:
        raise RefusedError("Run `fairway db upgrade`.")
    with runtime(check_demo=False) as run, run.work() as work:
        refuse_altered_criteria(work)
    click.echo("Criteria     every published version is as it was signed")
