"""What is read of the quality of advance data, and of what is owed. Foreign and absent look alike."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import aliased

from app.advance_data.models import Batch, BatchQuality, Filing
from app.advance_data.queries import seen_by
from app.advance_data.rows import Action
from app.advance_data.scoring import (
    Figures,
    Score,
    Word,
    read_figures,
    score_of,
    signal_of,
    total,
)
from app.advance_data.timekeeping import Named, Placed, placed
from app.advance_data.timing import OWING, Timeliness, Times
from app.authz.permissions import Permission
from app.authz.policy import may
from app.delegations.models import Delegation
from app.traders.models import Trader
from app.work import Work

WEEK = timedelta(weeks=1)
WEEKS = 13
DAYS = 7 * WEEKS
NEWEST = 10


@dataclass(frozen=True, slots=True)
class FileScore:
    """One file with its score as it was sent and as it is, its corrections included."""

    batch: Batch
    figures: Figures
    as_sent: Score | None
    now: Score | None


@dataclass(frozen=True, slots=True)
class WeekScore:
    """The files that arrived in the seven days from `begins` on."""

    begins: date
    files: int
    figures: Figures
    score: Score | None


@dataclass(frozen=True, slots=True)
class Sender:
    """What came through one filer: `name` is empty for the trader itself."""

    name: str
    files: int
    figures: Figures
    score: Score | None


@dataclass(frozen=True, slots=True)
class Report:
    """The quality of a trader's data in the last 13 weeks."""

    files: int
    figures: Figures
    score: Score | None
    weeks: Sequence[WeekScore]
    senders: Sequence[Sender]
    newest: Sequence[FileScore]


def file_score(work: Work, batch: Batch) -> FileScore | None:
    """The score of a file that was counted; `None` before that. The caller has seen the batch."""
    kept = work.session.get(BatchQuality, batch.id)
    return None if kept is None else _file_score(batch, kept)


def _file_score(batch: Batch, kept: BatchQuality) -> FileScore:
    figures = read_figures(kept.figures)
    return FileScore(batch, figures, score_of(read_figures(kept.as_sent)), score_of(figures))


def report_of(work: Work, trader: Trader) -> Report:
    """The trader's report from its files, or from those alone that came through the actor's broker.

    In three statements, however many the files are.
    """
    kept = _kept(work, _of_trader(work, trader.id))
    return _report(work, kept, _names(work, trader.id))


def signal_for(work: Work, trader_id: uuid.UUID) -> Word:
    """What a reviewer is told about a trader's data in one word; the route asks for the right."""
    kept = work.session.scalars(
        select(BatchQuality.figures).where(
            BatchQuality.trader_id == trader_id,
            BatchQuality.received_at > work.now - timedelta(days=DAYS),
        )
    )
    return signal_of(total(map(read_figures, kept)))


def agency_report(work: Work, trader: Trader) -> Report:
    """The same for a reviewer, who sees what came through whomever; the route asks for the right."""
    kept = _kept(work, _recent(work).where(BatchQuality.trader_id == trader.id))
    return _report(work, kept, _names(work, trader.id))


def filed_for_others(work: Work, broker: Trader) -> Report:
    """What the broker's people file for the clients whom the actor serves, as one report."""
    shown = [
        grant.trader_id
        for grant in work.actor.grants.values()
        if grant.broker_id == broker.id and may(work.actor, Permission.FILING_VIEW, grant)
    ]
    statement = _recent(work).where(
        BatchQuality.trader_id.in_(shown), BatchQuality.acting_trader_id == broker.id
    )
    names = {grant.trader_id: grant.trader_name for grant in work.actor.grants.values()}
    return _report(work, _kept(work, statement), names, by_client=True)


Kept = list[tuple[BatchQuality, Batch]]


def _recent(work: Work) -> Select[BatchQuality, Batch]:
    return (
        select(BatchQuality, Batch)
        .join(Batch, onclause=Batch.id == BatchQuality.batch_id)
        .where(BatchQuality.received_at > work.now - timedelta(days=DAYS))
        .order_by(BatchQuality.received_at.desc(), BatchQuality.batch_id.desc())
    )


def _of_trader(work: Work, trader_id: uuid.UUID) -> Select[BatchQuality, Batch]:
    return _recent(work).where(seen_by(work, Batch, trader_id))


def _kept(work: Work, statement: Select[BatchQuality, Batch]) -> Kept:
    return [(kept, batch) for kept, batch in work.session.execute(statement)]


def _report(
    work: Work, kept: Kept, names: dict[uuid.UUID, str], *, by_client: bool = False
) -> Report:
    figures = [(one, read_figures(one.figures)) for one, _ in kept]
    whole = total(found for _, found in figures)
    weeks = []
    for back in reversed(range(WEEKS)):
        ends = work.now - back * WEEK
        within = [found for one, found in figures if ends - WEEK < one.received_at <= ends]
        of_week = total(within)
        weeks.append(
            WeekScore(
                (ends - WEEK).date() + timedelta(days=1), len(within), of_week, score_of(of_week)
            )
        )
    groups: dict[uuid.UUID | None, list[Figures]] = {}
    for one, found in figures:
        key = one.trader_id if by_client else one.acting_trader_id
        groups.setdefault(key, []).append(found)
    senders = [
        Sender(
            "" if key is None else names.get(key, ""),
            len(found),
            total(found),
            score_of(total(found)),
        )
        for key, found in groups.items()
    ]
    return Report(
        files=len(kept),
        figures=whole,
        score=score_of(whole),
        weeks=weeks,
        senders=sorted(senders, key=lambda one: one.name.casefold()),
        newest=[_file_score(batch, one) for one, batch in kept[:NEWEST]],
    )


def _names(work: Work, trader_id: uuid.UUID) -> dict[uuid.UUID, str]:
    """The names of the trader's brokers, as the delegations name them."""
    rows = work.session.execute(
        select(Delegation.broker_id, Delegation.broker_name).where(
            Delegation.trader_id == trader_id
        )
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Owed:
    """A flexible filing that still owes something: the filing that says so, and its times."""

    filing: Filing
    times: Times

    @property
    def due_at(self) -> datetime | None:
        """The last moment at which it is in time beyond doubt."""
        return None if self.times.rest_due is None else self.times.rest_due.earliest

    @property
    def overdue(self) -> bool:
        return self.times.rest is Timeliness.OVERDUE


def owed_by(work: Work, trader_id: uuid.UUID) -> list[Owed]:
    """What the trader owes on the filings that the actor may see.

    The overdue first, then by date, last what has none.
    """
    return owing(work, _flexible().where(seen_by(work, Filing, trader_id)))


def agency_owed(work: Work, trader_id: uuid.UUID) -> list[Owed]:
    """What the trader owes, for a reviewer; the route asks for the right."""
    return owing(work, _flexible().where(Filing.trader_id == trader_id))


def _flexible() -> Select[Filing]:
    """The newest filings of their references that leave something open."""
    later = aliased(Filing)
    return (
        select(Filing)
        .where(
            Filing.content["action_reason"].astext.in_(sorted(OWING)),
            Filing.action != Action.DELETE,
            ~exists().where(
                later.trader_id == Filing.trader_id,
                later.filing_ref == Filing.filing_ref,
                later.number > Filing.number,
            ),
        )
        .order_by(Filing.filed_at, Filing.id)
    )


def owed_by_all(work: Work) -> list[Owed]:
    """What everybody owes, for the job that writes the reminders."""
    return owing(work, _flexible())


def owing(work: Work, statement: Select[Filing]) -> list[Owed]:
    """The filings of the statement that owe something, with their times."""
    filings = work.session.scalars(statement).all()
    found = []
    for trader_id in dict.fromkeys(one.trader_id for one in filings):
        own = [one for one in filings if one.trader_id == trader_id]
        times = times_by_filing(work, trader_id, own)
        found += [Owed(one, times[one.id]) for one in own if times[one.id].owes]
    last = work.now + timedelta(days=36_500)
    return sorted(found, key=lambda one: (not one.overdue, one.due_at or last, one.filing.filed_at))


def places(work: Work, trader_id: uuid.UUID, filings: Iterable[Filing]) -> dict[uuid.UUID, Placed]:
    """Each filing among those of its reference."""
    named = (Named(one.id, one.filing_ref, one.number) for one in filings)
    return placed(work.session, trader_id, named)


def times_by_filing(
    work: Work, trader_id: uuid.UUID, filings: Iterable[Filing]
) -> dict[uuid.UUID, Times]:
    """The times of each filing's chain, as they are known now."""
    return {key: one.times(work.now) for key, one in places(work, trader_id, filings).items()}
