"""From a case to the register: what the reviewer recommends is what a second person signs."""

import uuid
from datetime import datetime

from app.casework import queries
from app.casework.models import Case
from app.casework.service.assignment import require_holder
from app.db.concurrency import first_with
from app.kernel.errors import NotReadyError, Problem
from app.register import service as register
from app.register.models import Determination
from app.work import Work, move


def recommend(
    work: Work,
    case: Case,
    *,
    key: uuid.UUID,
    move_id: str,
    reason_code: str,
    reason_text: str,
    effective_from: datetime | None = None,
) -> Determination:
    """Recommend how the case ends, as a determination that waits for another person's signature.

    Side effects in order: the determination, with `key` as its id and its own event; the case's
    move, with its one event. The same key again gives the first determination back.
    Errors: as `require_holder`; `IllegalTransitionError` unless the case is in review;
    `NotReadyError` with everything that stands in the way (`rules.recommending.problems`, and
    the register's own). Source: reference on the interface, §4(b) 2: never with open gates.
    """
    earlier = first_with(work.session, Determination, key)
    if earlier is not None and earlier.case_id == case.id:
        return earlier
    require_holder(work, case)
    case.workflow.move(case.state, "recommend")
    found = queries.choices(work, case)
    chosen = next((one for one in found if one.move.id == move_id), None)
    if chosen is None:
        raise NotReadyError([Problem("This cannot be recommended here.", "move", "MOVE")])
    if chosen.problems:
        raise NotReadyError(chosen.problems)
    determination = register.propose(
        work,
        case.trader_id,
        programme=case.programme,
        move=move_id,
        tier=case.tier if chosen.move.needs_tier else None,
        reason_code=reason_code,
        reason_text=reason_text,
        effective_from=effective_from,
        case_id=case.id,
        key=key if earlier is None else None,
    )
    move(work, case, "recommend", determination_id=determination.id, recommended=move_id)
    work.session.flush()
    return determination
