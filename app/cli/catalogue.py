"""Commands about criteria catalogues."""

from pathlib import Path

import click

from app.catalogues.loader import CatalogueFaultsError, find_faults
from app.cli.runtime import RefusedError


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
