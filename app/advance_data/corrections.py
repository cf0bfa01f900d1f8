"""The rows of a file that are not filed, as the file has them, with what is wrong in each."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from app.advance_data.abi.model import RawMessage
from app.advance_data.answers import MOST_READ
from app.advance_data.counting import ERROR
from app.advance_data.formats import ABI
from app.advance_data.models import Batch, FilingFault
from app.advance_data.queries import FaultFilter
from app.advance_data.reading import read_apart
from app.advance_data.rows import COLUMNS, PERSONAL_COLUMNS, RawRow
from app.advance_data.service.measuring import closing_of, corrections_of
from app.advance_data.stored import opened
from app.advance_data.workbook import MOST_ROWS
from app.advance_data.workflow import BatchState
from app.kernel.identifiers import masked
from app.work import Work


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """One row that is not filed: its cells as they were sent, and all its faults."""

    file_row: int
    line_no: int
    values: Mapping[str, str]
    faults: Sequence[FilingFault]

    def shown(self, column: str) -> str:
        """The cell as a page may show it: no social security number."""
        return shown_cell(column, self.values.get(column, ""))

    def of(self, column: str) -> list[FilingFault]:
        """What is wrong in one cell; an empty name asks for the row as a whole."""
        if column:
            return [one for one in self.faults if one.field == column]
        return [one for one in self.faults if one.field not in COLUMNS]


def shown_cell(column: str, text: str) -> str:
    """A cell as a page may show it."""
    return masked(text, identifier=column in PERSONAL_COLUMNS)


def may_be_corrected(batch: Batch) -> bool:
    """Whether rows of this batch can be corrected in the page.

    Not those of messages, whose records are no columns, and not those of files that are too large
    to be read again while somebody waits. A correction of one row was filed or not kept at all.
    """
    return (
        batch.state == BatchState.DONE
        and 0 < batch.rejected <= MOST_ROWS
        and batch.read <= MOST_READ
        and batch.media_type != ABI
        and batch.corrects_row is None
    )


def open_rows(work: Work, batch: Batch, wanted: FaultFilter | None = None) -> list[int]:
    """The rows that are still not filed, in the order of the file.

    With a filter those alone that have such a fault.
    """
    fault, error = FilingFault, aliased(FilingFault)
    refused = exists().where(
        error.batch_id == fault.batch_id,
        error.file_row == fault.file_row,
        error.severity == ERROR,
    )
    statement = (
        select(fault.file_row, func.min(fault.record))
        .where(fault.batch_id == batch.id, refused)
        .group_by(fault.file_row)
        .order_by(fault.file_row)
    )
    closing_rows = closing_of(work, batch, corrections_of(work, batch.id))
    found = [
        file_row
        for file_row, record in work.session.execute(statement)
        if not closing_rows.closes(file_row, record)
    ]
    if wanted is None or wanted == FaultFilter():
        return found
    having = set(
        work.session.scalars(
            select(fault.file_row).where(
                fault.batch_id == batch.id,
                *(
                    column == value
                    for column, value in (
                        (fault.code, wanted.code),
                        (fault.field, wanted.field),
                        (fault.severity, wanted.severity),
                    )
                    if value
                ),
            )
        )
    )
    return [one for one in found if one in having]


def broken_rows(work: Work, batch: Batch, file_rows: Sequence[int]) -> list[BrokenRow]:
    """These rows of the file, read from its kept bytes as far as the last of them."""
    if not file_rows:
        return []
    raw = _read(batch, frozenset(file_rows))
    faults = work.session.scalars(
        select(FilingFault)
        .where(FilingFault.batch_id == batch.id, FilingFault.file_row.in_(file_rows))
        .order_by(FilingFault.position)
    )
    found = {row: list(group) for row, group in groupby(faults, key=lambda one: one.file_row)}
    return [
        BrokenRow(
            number,
            raw[number].line_no,
            {column: raw[number].values.get(column, "") for column in COLUMNS},
            found.get(number, []),
        )
        for number in file_rows
        if number in raw
    ]


def _read(batch: Batch, wanted: frozenset[int]) -> dict[int, RawRow]:
    found: dict[int, RawRow] = {}
    with (
        opened(batch) as stream,
        closing(read_apart(stream, batch.media_type, batch.size)) as rows,
    ):
        for row in rows:
            if row.file_row in wanted and not isinstance(row, RawMessage):
                found[row.file_row] = row
                if len(found) == len(wanted):
                    break
    return found
