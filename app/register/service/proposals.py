"""Two signatures: one person proposes, another approves or declines."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.audit.tags import EventTag
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.register import rules
from app.register.ledger import ChangeKind, next_change
from app.register.models import Determination
from app.register.programme import Move, Programme, Status
from app.register.queries import STATE, from_on, standing_of
from app.register.rules import Outcome, Wish
from app.register.service.signatures import (
    draw_up,
    earlier_one,
    enter,
    facts,
    flush,
    lock,
    move_named,
    programme_named,
    refuse,
    require,
    require_second_person,
    sign,
)
from app.register.workflow import DeterminationState
from app.work import Work
from app.work import move as take


def propose(
    work: Work,
    trader_id: uuid.UUID,
    *,
    programme: str,
    move: str,
    reason_code: str,
    reason_text: str,
    tier: int | None = None,
    restrictions: tuple[str, ...] = (),
    status: Status | None = None,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    case_id: uuid.UUID | None = None,
    key: uuid.UUID | None = None,
) -> Determination:
    """Propose a determination; nothing changes in the register until a second person signs.

    Adds the determination, with `key` as its id; records `determination:proposed`. `status` and `effective_until` are
    for corrections. The same key again gives the first one back. `NotReadyError` lists every problem; `NotAllowedError` when the programme
    gives the move to somebody else; `ConflictError` when the same move already waits for its
    second signature. Source: the programme's moves.
    """
    found = programme_named(programme)
    chosen = move_named(found, move)
    if chosen.urgent:
        raise NotReadyError([Problem("This move is not proposed.", field="move", code="move")])
    require(work, chosen.proposes, trader_id)
    earlier = earlier_one(work, key)
    if earlier is not None:
        return earlier
    wish = Wish(
        tier=tier,
        restrictions=tuple(sorted(set(restrictions))),
        status=status,
        reason_code=reason_code,
        reason_text=reason_text.strip(),
        effective_from=effective_from,
        effective_until=effective_until,
    )
    at = rules.start(chosen, effective_from, work.now)
    standing = standing_of(work.session, trader_id, programme, valid_at=at)
    refuse(rules.problems(chosen, standing, found, wish, now=work.now))
    if _waits(work, trader_id, programme, move):
        raise ConflictError("The same has been proposed already and waits for a second signature.")
    outcome = rules.outcome(chosen, standing, found, wish)
    determination = draw_up(work, trader_id, found, chosen, wish, outcome, key)
    determination.case_id = case_id
    work.session.add(determination)
    flush(work)
    work.record(EventTag.DETERMINATION_PROPOSED, determination, **facts(determination))
    return determination


def approve(work: Work, determination: Determination) -> Determination:
    """Sign as the second person: the standing changes, from now or from the date proposed.

    Locks the determination and takes the register's next number; lays the new entry over the
    ledger; records `determination:approved` with its `seq`. `NotAllowedError` for the proposer
    and for whom the programme does not name; `IllegalTransitionError` when it has been decided
    meanwhile; `ConflictError` when the standing has changed so that something else would be
    entered than was proposed. Source: design, section 4; the programme's moves.
    """
    found, chosen = lock(work, determination)
    require_second_person(work, determination, chosen)
    # Fails here, before the ledger is touched, when somebody else has decided meanwhile.
    determination.workflow.move(determination.state, "approve")
    change = next_change(work.session, determination.trader_id, ChangeKind.STANDING, work.now)
    at = rules.start(chosen, determination.effective_from, work.now)
    outcome = _outcome_still(work, determination, found, chosen, at)
    later = from_on(work.session, determination.trader_id, found.id, at)
    until = determination.effective_until or rules.end(found, later, at, outcome)
    enter(work, change, determination, outcome, Range(at, until))
    sign(work, determination, "approve", seq=change.seq)
    return determination


def decline(work: Work, determination: Determination, *, reason: str) -> Determination:
    """Refuse to sign what somebody else proposed; the register stays as it is.

    Records `determination:declined`. `NotReadyError` without a reason; otherwise as `approve`.
    """
    _, chosen = lock(work, determination)
    require_second_person(work, determination, chosen)
    if not reason.strip():
        raise NotReadyError([Problem("Say why.", field="reason", code="reason")])
    determination.decision_note = reason.strip()
    sign(work, determination, "decline")
    return determination


def withdraw_proposal(work: Work, determination: Determination) -> Determination:
    """Take back one's own proposal before anybody has decided on it.

    Records `determination:withdrawn`. `NotAllowedError` for everyone but the proposer;
    `IllegalTransitionError` when it has been decided meanwhile.
    """
    lock(work, determination)
    if determination.proposed_by != work.actor.person_id:
        raise NotAllowedError("Only the person who proposed this can take it back.")
    determination.decided_at = work.now
    take(work, determination, "withdraw", **facts(determination))
    flush(work)
    return determination


def _waits(work: Work, trader_id: uuid.UUID, programme: str, name: str) -> bool:
    return (
        work.session.scalar(
            select(Determination.id).where(
                Determination.trader_id == trader_id,
                Determination.programme == programme,
                Determination.move == name,
                STATE == DeterminationState.PROPOSED,
            )
        )
        is not None
    )


def _outcome_still(
    work: Work, determination: Determination, programme: Programme, chosen: Move, at: datetime
) -> Outcome:
    """The outcome from the standing as it is under the lock; `ConflictError` when it is another."""
    wish = Wish(
        tier=determination.tier,
        restrictions=tuple(determination.restrictions),
        status=Status(determination.status),
    )
    standing = standing_of(work.session, determination.trader_id, programme.id, valid_at=at)
    if chosen not in rules.available_moves(standing, programme):
        raise _changed()
    allowed = rules.open_restrictions(chosen, standing, programme)
    if chosen.needs_restrictions and not set(wish.restrictions) <= set(allowed):
        raise _changed()
    if chosen.needs_tier and wish.tier not in rules.open_tiers(chosen, standing, programme):
        raise _changed()
    outcome = rules.outcome(chosen, standing, programme, wish)
    same = (outcome.status, outcome.tier) == (Status(determination.status), determination.tier)
    if not same and programme.grants(outcome.status, outcome.tier):
        raise _changed()
    return outcome


def _changed() -> ConflictError:
    return ConflictError(
        "The standing has changed since this was proposed. Decline it and propose it anew."
    )
