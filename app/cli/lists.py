"""Commands about lists of codes that age: tariffs, ports, warehouses."""

from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import click

from app.advance_data.lists import ListKind, ListRefusedError
from app.advance_data.queries import newest_lists
from app.advance_data.service import load_list
from app.cli.runtime import RefusedError, runtime
from app.kernel.codes import countries


@click.group()
def reference() -> None:
    """Lists of codes that warnings about filings rest on."""


@reference.command(name="load")
@click.argument("kind", type=click.Choice([kind.value for kind in ListKind]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day of the list itself; that of the file's last change, if it is not given.",
)
@click.option("--shrink", is_flag=True, help="It is meant that the list loses half of its codes.")
def load(kind: str, file: Path, as_of: datetime | None, shrink: bool) -> None:  # noqa: FBT001
    """Make FILE, a CSV with a header, the list of its KIND for all batches from now on."""
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    day = (as_of or changed).date()
    try:
        with (
            file.open(encoding="utf-8-sig", newline="") as lines,
            runtime() as run,
            run.work() as work,
        ):
            row = load_list(
                work, ListKind(kind), lines, as_of=day, filename=file.name, shrink=shrink
            )
            click.echo(f"{row.number:,} codes of {kind}, as of {day}. {row.sha256[:12]}")
    except ListRefusedError as refusal:
        raise RefusedError("\n".join(refusal.reasons)) from None
    except UnicodeDecodeError:
        raise RefusedError("The file is not encoded in UTF-8.") from None


@reference.command(name="list")
def listed() -> None:
    """Say which list of each kind is in use, and how old it is."""
    with runtime() as run, run.work() as work:
        newest, today = newest_lists(work.session), work.now.date()
    embedded = version("pycountry")
    year, month, day = (int(part) for part in embedded.split(".")[:3])
    _say("countries", len(countries()), date(2000 + year, month, day), today, "pycountry")
    for kind in ListKind:
        one = newest.get(kind)
        if one is None:
            click.echo(f"{kind.value:<12} none: no code of this kind is warned of")
        else:
            _say(kind.value, one.number, one.as_of, today, one.filename)


def _say(kind: str, number: int, as_of: date, today: date, source: str) -> None:
    age = (today - as_of).days
    click.echo(f"{kind:<12} {number:>8,} codes  as of {as_of}  {age:,} days old  {source}")
