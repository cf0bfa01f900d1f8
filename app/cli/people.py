"""Commands about people and programs: staff invite, client create, revoke, quota and wake."""

import json
from dataclasses import replace
from pathlib import Path

import click

from app.authz.actor import Actor, ActorKind, AgencyRole
from app.casework.queries import open_cases_held_by
from app.cli.runtime import RefusedError, runtime
from app.erasure import erase_person
from app.identity import queries, service
from app.identity.models import ApiClient
from app.identity.queries import agency_roles, person_by_email
from app.traders.models import Trader
from app.traders.service import end_everywhere
from app.work import Work


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


@person.command(name="sign-out")
@click.argument("mail", required=False)
@click.option("--everybody", is_flag=True, help="Whoever is signed in, the operator too.")
def sign_out(mail: str | None, *, everybody: bool) -> None:
    """End the sessions of the person with the address MAIL, at once; they may sign in again.

    With --everybody those of all people, as after a key became known.
    """
    if everybody == bool(mail):
        raise RefusedError("Give one address, or --everybody.")
    with runtime() as run, run.work() as work:
        found = None if mail is None else person_by_email(work.session, mail)
        if mail is not None and found is None:
            raise RefusedError(f"Nobody here has the address {mail}.")
        count = service.sign_out(work, found)
    click.echo(f"Sessions ended: {count}.")


@person.command(name="end")
@click.argument("mail")
def end(mail: str) -> None:
    """End for good, and at once, the access of the person with the address MAIL who has departed.

    Every appointment, also the last officer's, and every session ends with it. What a company
    without an officer needs next is proposed in the console.
    """
    with runtime() as run, run.work() as work:
        found = person_by_email(work.session, mail)
        if found is None or found.ended_at is not None:
            raise RefusedError(f"Nobody with the address {mail} has access.")
        cases = open_cases_held_by(work.session, found.id)
        alone = end_everywhere(work, found)
        service.end_person(work, found)
        names = [work.session.get_one(Trader, one).name for one in alone]
    click.echo("Ended: every appointment and every session.")
    if cases:
        click.echo(
            f"These cases still wait for them, until a supervisor releases each: {', '.join(cases)}"
        )
    for name in names:
        click.echo(f"{name} has no officer now. Propose one in the console, under New officers.")


@person.command(name="erase")
@click.argument("mail")
@click.option("--by", required=True, metavar="MAIL", help="Who of the agency has decided it.")
@click.option("--reason", required=True, help="Without names: it stays in the log for good.")
def erase(mail: str, by: str, reason: str) -> None:
    """Erase what names the person with the address MAIL; what they did stays, without a name."""
    with runtime() as run, run.work() as work:
        found, officer = (person_by_email(work.session, one) for one in (mail, by))
        if found is None:
            raise RefusedError(f"Nobody with the address {mail} is known.")
        roles = frozenset() if officer is None else agency_roles(work.session, officer.id)
        if officer is None or officer.ended_at is not None or not roles or officer is found:
            raise RefusedError(f"{by} cannot decide this: name somebody of the agency.")
        deciding = Actor(
            ActorKind.PERSON, person_id=officer.id, name=officer.name, agency_roles=roles
        )
        left = erase_person(replace(work, actor=deciding), found, reason=reason)
    click.echo("Erased.")
    for place, count in left.items():
        click.echo(f"The name stands on in {place}, {count} times: a record that is kept.")


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
    """End a program for good; its tokens are refused at once."""
    with runtime() as run, run.work() as work:
        service.revoke_client(work, _named(work, client_id))
    click.echo("Revoked.")


@client.command(name="quota")
@click.argument("client_id")
@click.option("--per-minute", type=int, help="Without it, what its audience has.")
@click.option("--per-day", type=int, help="Without it, what its audience has.")
def quota(client_id: str, per_minute: int | None, per_day: int | None) -> None:
    """Give a program a quota of its own, or without options the usual one."""
    with runtime() as run, run.work() as work:
        found = _named(work, client_id)
        service.set_quota(work, found, per_minute=per_minute, per_day=per_day)
    click.echo("Set.")


@client.command(name="wake")
@click.argument("client_id")
def wake(client_id: str) -> None:
    """Let a program work again that was suspended because nobody used it."""
    with runtime() as run, run.work() as work:
        service.wake_client(work, _named(work, client_id))
    click.echo("Awake.")


def _named(work: Work, client_id: str) -> ApiClient:
    found = queries.client_named(work.session, client_id)
    if found is None:
        raise RefusedError(f"There is no client {client_id}.")
    return found
