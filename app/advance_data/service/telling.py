"""Tell when the ship of a filing leaves and arrives, which no file and no message says."""

import uuid
from datetime import datetime

from app.advance_data.models import Filing, VoyageReport
from app.audit.tags import EventTag
from app.db.concurrency import first_with
from app.kernel.errors import NotReadyError, Problem
from app.work import Work


def tell_voyage(
    work: Work,
    filing: Filing,
    *,
    departs_at: datetime | None,
    arrives_at: datetime | None,
    key: uuid.UUID,
) -> VoyageReport:
    """Keep a report about all filings under this reference; the newest report counts.

    `key` makes a form that is sent twice one report.

    Side effects in order: the row; the event, whose reaction lets the file be counted anew. The
    filings stay as they are: the report is beside them and its change is seen. `NotReadyError`
    beside a field when nothing is said, or the arrival is not after the departure. Source: 19 CFR
    149.2(b), which counts from lading and arrival.
    """
    problems = []
    if departs_at is None and arrives_at is None:
        problems.append(Problem("Give at least one of the two.", "departs_at", "missing"))
    if departs_at is not None and arrives_at is not None and arrives_at <= departs_at:
        problems.append(Problem("The ship arrives after it has left.", "arrives_at", "order"))
    if problems:
        raise NotReadyError(problems)
    earlier = first_with(work.session, VoyageReport, key)
    if earlier is not None and earlier.filing_id == filing.id:
        return earlier
    grant = work.actor.grants.get(filing.trader_id)
    report = VoyageReport(
        id=key if earlier is None else work.new_id(),
        trader_id=filing.trader_id,
        acting_trader_id=None if grant is None else grant.broker_id,
        filing_ref=filing.filing_ref,
        filing_id=filing.id,
        departs_at=departs_at,
        arrives_at=arrives_at,
        told_at=work.now,
        told_by_name=work.actor.name,
    )
    work.session.add(report)
    work.session.flush()
    work.record(
        EventTag.VOYAGE_TOLD,
        filing,
        filing_ref=filing.filing_ref,
        batch_id=filing.batch_id,
        departs_at=departs_at,
        arrives_at=arrives_at,
    )
    return report
