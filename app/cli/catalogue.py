"""Commands about criteria catalogues."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import click

from app.authz.actor import Actor, ActorKind
from app.casework.queries.criteria import AT_ONCE, judged, partner_ids
from app.catalogues.loader import CatalogueFaultsError, catalogues, find_faults
from app.catalogues.model import UnknownIdError
from app.cli.runtime import RefusedError, runtime
from app.identity.queries import agency_roles, person_by_email
from app.publications import queries, service
from app.work import Work


@click.group()
def catalogue() -> None:
    """Criteria catalogues as files."""


@catalogue.command(name="check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The version before, when it is not one of the shipped files.",
)
def check(file: Path, against: Path | None) -> None:
    """Explain every fault of a catalogue file, with its line, and what it misstates as a change."""
    try:
        faults = find_faults(file, against)
    except CatalogueFaultsError as error:
        raise RefusedError(f"The version before has faults of its own.\n{error}") from error
    for fault in faults:
        click.echo(str(fault))
    if faults:
        raise RefusedError(f"{len(faults)} faults.")
    click.echo("Sound.")


@catalogue.command(name="publish")
@click.argument("what", metavar="FILE_OR_ID")
@click.option("--as", "mail", required=True, metavar="MAIL", help="Who proposes it.")
@click.option("--note", required=True, help="Why, for the person who signs second.")
def publish(what: str, mail: str, note: str) -> None:
    """Propose that a version be used; another person publishes it in the console.

    FILE_OR_ID is a file, or a shipped version such as importer-2026.2.
    """
    raw, name = _bytes_of(what)
    with runtime() as run, run.work() as work:
        found = service.propose(
            replace(work, actor=_acting(work, mail)),
            key=work.new_id(),
            raw=raw,
            name=name,
            note=note,
        )
        where = f"{run.settings.address}/console/catalogues/{found.catalogue_id}/{found.version}"
        click.echo(
            f"Proposed as {found.reference}. Somebody else publishes or declines it:\n{where}"
        )


@catalogue.command(name="impact")
@click.argument("catalogue_id")
@click.argument("version")
def impact(catalogue_id: str, version: str) -> None:
    """Judge every partner's last answers by a version, and write one CSV row for each."""
    out = csv.writer(sys.stdout)
    out.writerow(("trader", "held", "before", "after", "unknown", "not_met"))
    with runtime() as run, run.work() as work:
        try:
            found = queries.known_version(work.session, catalogue_id, version)
        except UnknownIdError as error:
            raise RefusedError(f"There is no {catalogue_id} {version} here.") from error
        partners = partner_ids(work.session, found, work.now)
        for start in range(0, len(partners), AT_ONCE):
            for one in judged(work.session, found, partners[start : start + AT_ONCE], work.now):
                out.writerow(
                    (
                        one.trader.id,
                        one.held,
                        one.before.tier,
                        one.after.tier,
                        " ".join(one.after.unknown),
                        " ".join(one.after.not_met),
                    )
                )
            work.session.expunge_all()


def _bytes_of(what: str) -> tuple[bytes, str]:
    path = Path(what)
    if path.is_file():
        return path.read_bytes(), path.name
    for one in catalogues():
        if f"{one.id}-{one.version}" == what:
            return service.shipped_bytes(one.id, one.version), f"{what}.yaml"
    raise RefusedError(f"{what} is neither a file nor a version that is shipped.")


def _acting(work: Work, mail: str) -> Actor:
    found = person_by_email(work.session, mail)
    roles = frozenset() if found is None else agency_roles(work.session, found.id)
    if found is None or found.ended_at is not None or not roles:
        raise RefusedError(f"{mail} is nobody of the agency.")
    return Actor(ActorKind.PERSON, person_id=found.id, name=found.name, agency_roles=roles)
