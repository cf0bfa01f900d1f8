"""What the register's verbs share: who may sign, what is drawn up, how it is entered."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.authz.permissions import Permission
from app.authz.policy import may
from app.db.concurrency import first_with
from app.db.references import next_reference
from app.kernel.errors import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    NotReadyError,
    Problem,
)
from app.register.ledger import Change, Grounds, lay
from app.register.models import Determination
from app.register.programme import PROGRAMMES, Move, Programme
from app.register.rules import Outcome, Wish
from app.register.workflow import Origin
from app.traders.models import Trader
from app.work import Work, move


def programme_named(name: str) -> Programme:
    """The programme; `NotReadyError` when there is none of this name."""
    found = PROGRAMMES.get(name)
    if found is None:
        raise NotReadyError([Problem("There is no such programme.", "programme", "programme")])
    return found


def move_named(programme: Programme, name: str) -> Move:
    """The programme's move; `NotReadyError` when it has none of this name."""
    found = programme.move(name)
    if found is None:
        raise NotReadyError([Problem("The programme has no such move.", "move", "move")])
    return found


def trader_of(work: Work, trader_id: uuid.UUID) -> Trader:
    """The trader; `NotFoundError` when there is none."""
    found = work.session.get(Trader, trader_id)
    if found is None:
        raise NotFoundError
    return found


def require(work: Work, permission: Permission, trader_id: uuid.UUID) -> None:
    """`NotAllowedError` unless the actor holds the permission that the programme names."""
    if not may(work.actor, permission, trader_of(work, trader_id)):
        raise NotAllowedError("The programme gives this move to somebody else.")


def refuse(problems: list[Problem]) -> None:
    """`NotReadyError` with all problems, if there are any."""
    if problems:
        raise NotReadyError(problems)


def earlier_one(work: Work, key: uuid.UUID | None) -> Determination | None:
    """What the same person has drawn up already with the same form, sent twice."""
    if key is None:
        return None
    found = first_with(work.session, Determination, key)
    if found is not None and found.proposed_by != work.actor.person_id:
        raise ConflictError("Somebody else has used this form already. Open it anew.")
    return found


def draw_up(
    work: Work,
    trader_id: uuid.UUID,
    programme: Programme,
    chosen: Move,
    wish: Wish,
    to: Outcome,
    key: uuid.UUID | None,
) -> Determination:
    """A determination as it is proposed, not yet added to the session."""
    return Determination(
        id=key or work.new_id(),
        reference=next_reference(work.session, "DT", work.now.year),
        trader_id=trader_id,
        programme=programme.id,
        programme_version=programme.version,
        move=chosen.id,
        origin=Origin.PROPOSAL,
        status=to.status.value,
        tier=to.tier,
        restrictions=list(wish.restrictions),
        reason_code=wish.reason_code,
        reason_text=wish.reason_text,
        effective_from=wish.effective_from,
        effective_until=wish.effective_until,
        proposed_by=work.actor.person_id,
        proposed_by_name=work.actor.name,
        proposed_at=work.now,
    )


def lock(work: Work, determination: Determination) -> tuple[Programme, Move]:
    """Wait for whoever is deciding on the same, then see what they left."""
    work.session.refresh(determination, with_for_update=True)
    found = programme_named(determination.programme)
    return found, move_named(found, determination.move)


def require_second_person(work: Work, determination: Determination, chosen: Move) -> None:
    """`NotAllowedError` for whom the programme does not name, and for the proposer."""
    if not may(work.actor, chosen.approves, determination):
        raise NotAllowedError("The programme gives the second signature to somebody else.")
    if determination.proposed_by == work.actor.person_id:
        raise NotAllowedError("You proposed this yourself: a second person has to decide.")


def enter(
    work: Work,
    change: Change,
    determination: Determination,
    outcome: Outcome,
    span: Range[datetime],
) -> None:
    """Lay the outcome over the ledger on the determination's grounds."""
    lay(
        work.session,
        change,
        programme=determination.programme,
        span=span,
        outcome=outcome,
        grounds=Grounds(
            reason_code=determination.reason_code,
            reason_text=determination.reason_text,
            determination_id=determination.id,
        ),
        new_id=work.new_id,
    )


def sign(work: Work, determination: Determination, name: str, seq: int | None = None) -> None:
    """Add the second person's decision and take the move, which records its event."""
    determination.decided_by = work.actor.person_id
    determination.decided_by_name = work.actor.name
    determination.decided_at = work.now
    if seq is not None:
        determination.seq = seq
    move(work, determination, name, **facts(determination))
    flush(work)


def facts(determination: Determination) -> dict[str, Any]:
    """What the events on a determination tell; the reason's words stay in the determination."""
    return {
        "programme": determination.programme,
        "move": determination.move,
        "status": determination.status,
        "tier": determination.tier,
        "reason_code": determination.reason_code,
        "case_id": determination.case_id,
        "seq": determination.seq,
        "file_sha256": determination.file_sha256,
        "os_account": determination.os_account,
    }


def flush(work: Work) -> None:
    """Write what is pending now, so that a clash is a `ConflictError` here and not at the commit."""
    try:
        work.session.flush()
    except StaleDataError as error:
        raise ConflictError("Somebody else has decided on this at the same moment.") from error
    except IntegrityError as error:
        raise ConflictError("Somebody else did the same at the same moment.") from error
