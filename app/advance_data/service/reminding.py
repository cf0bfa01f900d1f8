"""Write to whoever owes the rest of a flexible filing, before the time is over and after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from app.advance_data.measured import Owed
from app.advance_data.models import FollowUpReminder
from app.advance_data.timing import OWING, Times
from app.db.concurrency import lock_words
from app.notifications.service import send
from app.traders.models import Trader
from app.traders.queries import officers_of
from app.work import Work

SOON = timedelta(hours=72)
DATELESS = timedelta(days=3)
LISTED = 20


class Stage(StrEnum):
    """Why a letter is written; each comes once for a filing."""

    DATELESS = "dateless"
    SOON = "soon"
    OVERDUE = "overdue"


SUBJECTS = {
    Stage.DATELESS: "Tell when your ship arrives",
    Stage.SOON: "A filing has to be completed soon",
    Stage.OVERDUE: "A filing is overdue",
}
HAPPENED = {
    Stage.DATELESS: "These filings left something open that is due 24 hours before the ship arrives."
    " Nobody has told when that is, so the date cannot be watched.",
    Stage.SOON: "These filings left something open, and the time to complete them is nearly over.",
    Stage.OVERDUE: "These filings left something open, and the time to complete them is over.",
}
ADVICE = {
    Stage.DATELESS: "Tell the arrival in Fairway, or complete the filing at once.",
    Stage.SOON: "Send a replacing message (action R, reason CT), or correct the arrival in Fairway.",
    Stage.OVERDUE: "Send a replacing message (action R, reason CT) now. If the arrival was told"
    " wrongly, correct it in Fairway.",
}


def stage_of(filed_at: datetime, times: Times, now: datetime) -> Stage | None:
    """Which letter is due about a filing that owes something; `None` while it is too early."""
    due = times.rest_due
    if due is None:
        return Stage.DATELESS if now - filed_at >= DATELESS else None
    if now > due.earliest:
        return Stage.OVERDUE
    return Stage.SOON if due.earliest - now <= SOON else None


def remind(work: Work, owed: Sequence[Owed]) -> int:
    """Write one letter for each trader, stage and officer about all that is owed; count them.

    The officers of the trader are written to, and those of the broker through whom it was filed.
    Each filing is told of once in each stage, also when two jobs run at once. Side effects in
    order: the reminders' rows; the letters. Source: 19 CFR 149.2(b), of which a letter is a help
    and no condition.
    """
    lock_words(work.session, "follow-up reminders")
    told = {
        tuple(row)
        for row in work.session.execute(
            select(FollowUpReminder.filing_id, FollowUpReminder.stage).where(
                FollowUpReminder.filing_id.in_([one.filing.id for one in owed])
            )
        )
    }
    groups: dict[tuple[Stage, Trader, Trader | None], list[Owed]] = {}
    for one in owed:
        stage = stage_of(one.filing.filed_at, one.times, work.now)
        if stage is None or (one.filing.id, stage.value) in told:
            continue
        work.session.add(
            FollowUpReminder(
                filing_id=one.filing.id,
                stage=stage.value,
                trader_id=one.filing.trader_id,
                sent_at=work.now,
            )
        )
        trader = work.session.get_one(Trader, one.filing.trader_id)
        through = one.filing.acting_trader_id
        broker = None if through is None else work.session.get_one(Trader, through)
        groups.setdefault((stage, trader, broker), []).append(one)
    return sum(_write(work, *key, found) for key, found in groups.items())


def _write(
    work: Work, stage: Stage, trader: Trader, broker: Trader | None, owed: Sequence[Owed]
) -> int:
    lines = [
        f"{one.filing.filing_ref}: {OWING[one.times.owed]}, {_by(one.due_at)}"
        for one in owed[:LISTED]
    ]
    if len(owed) > LISTED:
        lines.append(f"and {len(owed) - LISTED} more")
    people = [
        person
        for side in (trader, broker)
        if side is not None
        for person in officers_of(work.session, side.id)
    ]
    for person in people:
        send(
            work,
            to=person.email,
            template="follow-up",
            person_id=person.id,
            name=person.name,
            subject=SUBJECTS[stage],
            happened=HAPPENED[stage],
            advice=ADVICE[stage],
            trader=trader.name,
            trader_id=trader.id,
            filings="\n".join(lines),
        )
    return len(people)


def _by(due_at: datetime | None) -> str:
    return "arrival not known" if due_at is None else f"due by {due_at:%-d %B %Y, %H:%M} UTC"
