"""Commands about criteria catalogues."""

from pathlib import Path

import click

from app.catalogues.check import check_file
from app.cli.runtime import RefusedError


@click.group()
def catalogue() -> None:
    """Criteria catalogues as files."""


@catalogue.command(name="check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Explain every fault of a catalogue file, with its line."""
    faults = check_file(file)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        raise RefusedError(f"{len(faults)} faults.")
    click.echo("Sound.")
