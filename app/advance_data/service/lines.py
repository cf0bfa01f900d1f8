"""Filings as lines of COPY, a chunk at a time, and their hashes in the batch's tree."""

import hashlib
from collections.abc import Callable
from typing import Final

from app.advance_data.models import Batch, Filing
from app.advance_data.receipts import entry_of
from app.advance_data.screening import ReadyRow
from app.advance_data.service.copying import copy
from app.audit.merkle import Frontier, leaf_hash
from app.work import Work

COLUMNS: Final = (
    *("id", "file_row", "line_no", "filing_ref", "number", "action", "importer_shown", "content"),
    *("sha256", "receipt"),
)


class BrokenLineError(ValueError):
    """A value would end its column or its line; by their form none can."""


class Lines:
    """The filings of one chunk. What is the same for all of them is asked of the batch once."""

    def __init__(self, work: Work, batch: Batch) -> None:
        self.tree = Frontier(batch.accepted, map(bytes.fromhex, batch.subtrees))
        self._work = work
        self._batch = batch
        self._before = f"{batch.reference}-"
        self._new_id: Callable[[], object] = work.new_id
        self._lines: list[str] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, row: ReadyRow, number: int) -> None:
        """File a row as the `number`-th of its reference."""
        file_row, line_no, reference, action, importer, content = row
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        receipt = f"{self._before}{file_row:07d}"
        entry = entry_of(receipt, reference, number, action, sha256, self._work.now)
        self.tree.add(leaf_hash(entry.encode()))
        self._lines.append(
            f"{self._new_id()}\t{file_row}\t{line_no}\t{reference}\t{number}\t{action}"
            f"\t{importer.shown}\t{content}\t{sha256}\t{receipt}\n"
        )

    def keep(self) -> None:
        """Write them, and the tree with them into the batch's row."""
        text, batch = "".join(self._lines), self._batch
        number = len(self._lines)
        if (
            text.count("\t") != (len(COLUMNS) - 1) * number
            or text.count("\n") != number
            or "\r" in text
        ):
            raise BrokenLineError(batch.reference)
        copy(
            self._work,
            Filing,
            COLUMNS,
            # In COPY's text a backslash says that something follows; here none does.
            text.replace("\\", "\\\\"),
            trader_id=batch.trader_id,
            acting_trader_id=batch.acting_trader_id,
            batch_id=batch.id,
            filed_at=self._work.now,
        )
        batch.subtrees = [one.hex() for one in self.tree.subtrees]
