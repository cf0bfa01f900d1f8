"""Rows of a batch written many at a time."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psycopg import sql

from app.advance_data.faults import RowFault
from app.advance_data.models import Batch, FilingFault
from app.db.base import Base
from app.work import Work


def keep_faults(work: Work, batch: Batch, start: int, faults: Sequence[RowFault]) -> None:
    """Write what was found of a batch, from position `start` on."""
    rows = [
        {
            "batch_id": batch.id,
            "position": position,
            **asdict(fault),
            "severity": fault.severity.value,
        }
        for position, fault in enumerate(faults, start)
    ]
    copy(work, FilingFault, rows)


def copy(work: Work, model: type[Base], rows: list[dict[str, Any]]) -> None:
    """Write new rows the fastest way that PostgreSQL has; triggers, constraints and policies hold.

    PostgreSQL copies into no table with row policies, so the rows are copied beside it first.
    """
    if not rows:
        return
    beside, table = (
        sql.Identifier(f"incoming_{model.__tablename__}"),
        sql.Identifier(model.__tablename__),
    )
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in rows[0])
    connection = work.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - a checked-out connection has its driver's.
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DROP").format(
                beside, table
            )
        )
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(beside, columns)
        with cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(table, columns, columns, beside)
        )
        cursor.execute(sql.SQL("TRUNCATE {}").format(beside))
