"""Commands about people and programs: staff invite, client create, client revoke."""

import json
from pathlib import Path

import click
from sqlalchemy import select

from app.authz.actor import AgencyRole
from app.cli.runtime import RefusedError, runtime
from app.identity import service
from app.identity.models import ApiClient
from app.identity.queries import person_by_email


@click.group()
def staff() -> None:
    """The agency's own people."""


@staff.command(name="invite")
@click.argument("mail")
@click.option("--role", type=click.Choice([role.value for role in AgencyRole]), required=True)
def invite(mail: str, role: str) -> None:
    """Send MAIL a link that gives a role at the agency, and print it too."""
    with runtime() as run, run.work() as work:
        _, address = service.invite_staff(work, mail, AgencyRole(role), site=run.settings.address)
    click.echo(f"Invited. The link, which also goes out by mail:\n{address}")


@click.group()
def person() -> None:
    """Everybody who signs in."""


@person.command(name="recover")
@click.argument("mail")
def recover(mail: str) -> None:
    """Send MAIL a link to set up a new second factor, and print it. Check who asks first."""
    with runtime() as run, run.work() as work:
        found = person_by_email(work.session, mail)
        if found is None or found.ended_at is not None:
            raise RefusedError(f"Nobody with the address {mail} has access.")
        address = service.invite_back(work, found, site=run.settings.address)
    click.echo(f"The link, which also goes out by mail:\n{address}")


@click.group()
def client() -> None:
    """Programs that use the APIs."""


@client.command(name="create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="May be repeated.")
@click.option("--trader", type=click.UUID, help="The one trader that the program speaks for.")
@click.option("--jwk", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def create(name: str, scopes: tuple[str, ...], trader: object, jwk: Path | None) -> None:
    """Register a program and print its id and its secret, which is shown this once only."""
    key = None if jwk is None else json.loads(jwk.read_text("utf-8"))
    with runtime() as run, run.work() as work:
        made, secret = service.create_client(
            work,
            name=name,
            scopes=scopes,
            trader_id=trader,  # type: ignore[arg-type]  # click has made a UUID of it.
            jwk=key,
        )
    click.echo(f"client_id      {made.client_id}")
    click.echo(f"client_secret  {secret or '(none: private_key_jwt)'}")


@client.command(name="revoke")
@click.argument("client_id")
def revoke(client_id: str) -> None:
    """Suspend a program; its tokens are refused at once."""
    with runtime() as run, run.work() as work:
        found = work.session.scalars(
            select(ApiClient).where(ApiClient.client_id == client_id)
        ).one_or_none()
        if found is None:
            raise RefusedError(f"There is no client {client_id}.")
        service.revoke_client(work, found)
    click.echo("Revoked.")
