"""What the log keeps of a filing: one hash over all filings of its batch, and the way up to it.

A batch of a million rows is one event. The event carries the root of a Merkle tree over the
filings, in the order of the file, so that each of them can be shown to be among them.
"""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.advance_data.models import Filing
from app.audit import merkle
from app.audit.models import AuditEvent
from app.audit.receipts import canonical, newest_about
from app.audit.tags import EventTag

FORMAT: Final = "fairway-filing/1"
ROOT: Final = "filings_root"
"""The member of the event's data that holds the root, in hexadecimal."""
BLOCK: Final = 10_000


def entry_of(
    receipt: str, filing_ref: str, number: int, action: str, sha256: str, filed_at: datetime
) -> str:
    """The line of one filing in its batch's tree."""
    # As `canonical` would write it; there are millions, and only the reference is not plain.
    return (
        f'{{"action":"{action}","filed_at":"{filed_at.isoformat()}"'
        f',"filing_ref":{json.dumps(filing_ref, ensure_ascii=False)},"format":"{FORMAT}"'
        f',"number":{number},"receipt":"{receipt}","sha256":"{sha256}"}}'
    )


def event_of(session: Session, filing: Filing) -> AuditEvent | None:
    """The event that vouches for the filing; `None` for one of before there were receipts."""
    found = newest_about(
        session, filing.trader_id, [filing.batch_id], [EventTag.BATCH_CHECKED]
    ).get(filing.batch_id)
    return found if found is not None and ROOT in found.data else None


def way_up(session: Session, filing: Filing) -> dict[str, Any]:
    """The filing with its content, and the hashes that lead from it to the root of its batch.

    Reads every filing of the batch, six columns of each, a block at a time, and keeps of them what
    grows with the logarithm of their number.
    """
    of_batch = Filing.batch_id == filing.batch_id
    number = select(func.count()).where(of_batch)
    size = session.scalars(number).one()
    index = session.scalars(number.where(Filing.file_row < filing.file_row)).one()
    ranges = merkle.inclusion_ranges(index, size)
    trees = {low: merkle.Frontier() for low, _ in ranges}
    statement = (
        select(
            Filing.receipt,
            Filing.filing_ref,
            Filing.number,
            Filing.action,
            Filing.sha256,
            Filing.filed_at,
        )
        .where(of_batch)
        .order_by(Filing.file_row)
        .execution_options(yield_per=BLOCK)
    )
    own = ""
    # Side by side the ranges make up all leaves but the filing's own.
    tree = merkle.Frontier()
    for place, row in enumerate(session.execute(statement)):
        entry = entry_of(*row)
        if place == index:
            own = entry
            continue
        tree = trees.get(place, tree)
        tree.add(merkle.leaf_hash(entry.encode()))
    path = [trees[low].root().hex() for low, _ in ranges]
    return {"entry": own, "content": canonical(filing.content), "index": index, "path": path}
