"""The command line, `fairway ...`: thin commands around services.

Exit codes: 0 done, 1 refused with reasons, 2 wrong usage.
"""

import sys

import click

from app.cli.catalogue import catalogue
from app.cli.lists import reference
from app.cli.operations import database, demo, doctor, feeder, serve, worker
from app.cli.partners import register
from app.cli.people import client, person, staff
from app.cli.record import audit
from app.cli.runtime import RefusedError
from app.config import UnknownSettingError
from app.db.embedded import ClusterError
from app.kernel.errors import DomainError, NotReadyError


@click.group()
def fairway() -> None:
    """Fairway: the trusted-trader partnership portal."""


for command in (
    serve,
    worker,
    feeder,
    doctor,
    database,
    demo,
    staff,
    person,
    client,
    catalogue,
    register,
    audit,
    reference,
):
    fairway.add_command(command)


def main() -> None:
    """Entry point of `fairway`."""
    try:
        fairway()
    except NotReadyError as error:
        for problem in error.problems:
            click.echo(problem.message % problem.params, err=True)
        sys.exit(1)
    except DomainError as error:
        click.echo(error.message % error.params, err=True)
        sys.exit(1)
    except (RefusedError, ClusterError, UnknownSettingError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
