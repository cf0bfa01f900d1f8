"""What a person wants to know first: how each trader stands, and who has to do what."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app.advance_data import wording
from app.advance_data.models import Batch, Filing
from app.advance_data.queries import still_open
from app.applications.models import Application
from app.applications.queries import applications_of
from app.applications.rules.stages import AGENCY, STAGES, TRADER, Stage
from app.applications.workflow import ApplicationState
from app.authz.permissions import Permission
from app.authz.policy import may
from app.delegations.models import Delegation
from app.delegations.queries import to_answer
from app.kernel.errors import Problem
from app.register.models import RegisterEntry
from app.register.programme import PROGRAMMES, Status
from app.register.queries import described
from app.register.standing import ProgrammeStanding
from app.traders.models import Trader
from app.traders.queries import profile_gaps_of
from app.work import Work

RECENT = 5


@dataclass(frozen=True, slots=True)
class Staged:
    """An application with its state in words."""

    application: Application
    stage: Stage
    programme: str


@dataclass(frozen=True, slots=True)
class Overview:
    """One trader at a glance.

    `yours` and `theirs` are the open applications by whose turn it is; `gaps` are what the
    profile lacks, shown while the trader has no standing yet; `proposals` are delegations that wait
    for its answer, for those who may see them; `unfiled` is the newest batch as
    long as rows of it wait to be corrected; `filings` counts all accepted ones.
    """

    standings: Sequence[ProgrammeStanding]
    yours: Sequence[Staged]
    theirs: Sequence[Staged]
    gaps: Sequence[Problem]
    proposals: Sequence[Delegation]
    batches: Sequence[Batch]
    unfiled: Batch | None
    filings: int


def overview(work: Work, trader: Trader) -> Overview:
    """Everything on the trader's first page, in a constant number of statements."""
    session = work.session
    standings = described(session, trader.id, at=work.now)
    staged = [
        Staged(
            application=one,
            stage=STAGES[ApplicationState(one.state)],
            programme=PROGRAMMES[one.programme].name,
        )
        for one in session.scalars(applications_of(trader.id).limit(RECENT))
    ]
    new = not any(one.now for one in standings)
    batches = session.scalars(
        select(Batch)
        .where(Batch.trader_id == trader.id, Batch.corrects_row.is_(None))
        .order_by(Batch.received_at.desc(), Batch.id.desc())
        .limit(RECENT)
    ).all()
    return Overview(
        standings=[one for one in standings if one.now],
        yours=[one for one in staged if one.stage.turn == TRADER],
        theirs=[one for one in staged if one.stage.turn == AGENCY],
        gaps=profile_gaps_of(session, trader, work.now.date()) if new else [],
        proposals=session.scalars(to_answer(trader.id, work.now).limit(RECENT)).all()
        if may(work.actor, Permission.DELEGATION_VIEW, trader)
        else [],
        batches=batches,
        unfiled=batches[0] if batches and _is_theirs(work, batches[0]) else None,
        filings=session.execute(
            select(func.count()).select_from(Filing).where(Filing.trader_id == trader.id)
        ).scalar_one(),
    )


def _is_theirs(work: Work, batch: Batch) -> bool:
    """Whether the trader has to do something about the batch, in the words of its own page."""
    stage = wording.stage_of(
        batch.state,
        accepted=batch.accepted,
        rejected=batch.rejected,
        still_open=still_open(work.session, [batch])[batch.id],
    )
    return stage.turn == wording.TRADER


def standing_by_trader(
    work: Work, traders: Sequence[Trader]
) -> dict[uuid.UUID, list[tuple[str, str, int | None]]]:
    """For each trader its programmes in force now, as (programme, status, tier); one statement."""
    found: dict[uuid.UUID, list[tuple[str, str, int | None]]] = {one.id: [] for one in traders}
    entries = work.session.scalars(
        select(RegisterEntry).where(
            RegisterEntry.trader_id.in_(found),
            func.upper_inf(RegisterEntry.recorded),
            RegisterEntry.valid.contains(work.now),
        )
    )
    for entry in entries:
        programme = PROGRAMMES[entry.programme]
        status = programme.status(Status(entry.status)).name
        found[entry.trader_id].append((programme.name, status, entry.tier))
    return found
