"""Rows of a batch written many at a time."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql

from app.advance_data.faults import RowFault
from app.advance_data.kinds import with_faults
from app.advance_data.models import Batch, FilingFault
from app.db.base import Base
from app.work import Work

FAULT_COLUMNS: Final = (
    *("batch_id", "position", "file_row", "line_no", "record", "field"),
    *("code", "severity", "value", "message", "fix", "spec_ref"),
)


def keep_faults(work: Work, batch: Batch, faults: Sequence[RowFault]) -> None:
    """Write what was found of a batch behind what was found before, and count it by kind."""
    start = batch.faults
    rows = [
        (
            batch.id,
            position,
            fault.file_row,
            fault.line_no,
            fault.record,
            fault.field,
            fault.code,
            fault.severity.value,
            fault.value,
            fault.message,
            fault.fix,
            fault.spec_ref,
        )
        for position, fault in enumerate(faults, start)
    ]
    copy(work, FilingFault, FAULT_COLUMNS, rows)
    if faults:
        batch.kinds = with_faults(batch.kinds, faults)
        batch.faults = start + len(faults)


def copy(
    work: Work,
    model: type[Base],
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]] | str,
    **same: object,
) -> None:
    """Write new rows the fastest way that PostgreSQL has; triggers, constraints and policies hold.

    `rows` are tuples, or lines of COPY's text format as `copy_line` makes them; `same` are the
    columns that have one value in all of them. PostgreSQL copies into no table with row policies,
    so the rows are copied beside it first.
    """
    if not rows:
        return
    beside, table = (
        sql.Identifier(f"incoming_{model.__tablename__}"),
        sql.Identifier(model.__tablename__),
    )
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    every = sql.SQL(", ").join(map(sql.Identifier, (*columns, *same)))
    given = sql.SQL(", ").join((*map(sql.Identifier, columns), *map(sql.Literal, same.values())))
    connection = work.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - a checked-out connection has its driver's.
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
            ).format(beside, listed, table)
        )
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(beside, listed)
        with cursor.copy(into) as copy:
            if isinstance(rows, str):
                copy.write(rows)
            else:
                for row in rows:
                    copy.write_row(row)
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(table, every, given, beside)
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(beside))
