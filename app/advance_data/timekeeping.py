"""What the database knows of the times of filings: when they came, when their ships leave."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ARRAY, Text, any_, case, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.advance_data.models import Filing, VoyageReport
from app.advance_data.timing import (
    LEAVES_PARTIES_OPEN,
    Times,
    Told,
    Version,
    chain_of,
    times_of,
)

CORE: Final = (
    *("hts", "country_of_origin", "mf_name", "mf_country", "seller_name", "buyer_name"),
    *("importer_number", "consignee_number", "bills", "parties", "goods"),
)
"""What a filing is about: who a replacement says that the goods come from and go to, and what."""


@dataclass(frozen=True, slots=True)
class Named:
    """Which filing is asked about."""

    id: uuid.UUID
    filing_ref: str
    number: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A filing among those of its reference; `times` only of the one that adds them."""

    version: Version
    before: Version | None
    chain: Sequence[Version]
    told: Told
    report: VoyageReport | None

    def times(self, now: datetime) -> Times:
        return times_of(self.chain, self.told, now)


def placed(
    session: Session, trader_id: uuid.UUID, asked: Iterable[Named]
) -> dict[uuid.UUID, Placed]:
    """Each filing with its chain, in two statements."""
    named = list(asked)
    references = literal(sorted({one.filing_ref for one in named}), ARRAY(Text))
    if not named:
        return {}
    rows = session.execute(
        select(Filing.filing_ref, *_columns())
        .where(Filing.trader_id == trader_id, Filing.filing_ref == any_(references))
        .order_by(Filing.filing_ref, Filing.number)
    )
    versions = {
        reference: [_version(row) for row in group]
        for reference, group in groupby(rows, key=lambda row: row[0])
    }
    reports = {
        one.filing_ref: one
        for one in session.scalars(
            select(VoyageReport)
            .where(VoyageReport.trader_id == trader_id, VoyageReport.filing_ref == any_(references))
            .ext(distinct_on(VoyageReport.filing_ref))
            .order_by(VoyageReport.filing_ref, VoyageReport.told_at.desc(), VoyageReport.id.desc())
        )
    }
    found = {}
    for one in named:
        chain = chain_of(versions[one.filing_ref], one.number)
        at = next(place for place, version in enumerate(chain) if version.number == one.number)
        report = reports.get(one.filing_ref)
        if report is not None and report.told_at < chain[0].filed_at:
            # It was told of what was deleted before the reference began anew.
            report = None
        found[one.id] = Placed(
            version=chain[at],
            before=chain[at - 1] if at else None,
            chain=chain,
            told=Told() if report is None else Told(report.departs_at, report.arrives_at),
            report=report,
        )
    return found


def _columns() -> tuple[Any, ...]:
    """The columns of `_version`, in its order."""
    content = Filing.content
    reason = func.coalesce(content["action_reason"].astext, "")
    held = [
        case((content.contains({"parties": [{"entity": party}]}), 1), else_=0)
        for party in ("LG", "CS")
    ]
    core = func.md5(func.concat(*(content[name].astext for name in CORE), literal("")))
    return (
        Filing.number,
        Filing.action,
        Filing.filed_at,
        reason,
        content["etd"].astext,
        func.coalesce(content["transport_mode"].astext, ""),
        func.coalesce(content["submission_type"].astext, ""),
        case((reason.in_(sorted(LEAVES_PARTIES_OPEN)), 2 - held[0] - held[1]), else_=0),
        core,
    )


def _version(row: Sequence[Any]) -> Version:
    _, number, action, filed_at, reason, etd, mode, submission_type, lacks, core = row
    return Version(
        number=number,
        action=action,
        filed_at=filed_at,
        reason=reason,
        etd=None if etd is None else date.fromisoformat(etd),
        mode=mode,
        submission_type=submission_type,
        lacks=lacks,
        core=core,
    )
