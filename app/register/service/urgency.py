"""One signature at once, the second within the programme's clock."""

import uuid

from sqlalchemy.dialects.postgresql import Range

from app.authz.actor import ActorKind
from app.kernel.errors import NotReadyError, Problem
from app.register import rules
from app.register.ledger import ChangeKind, next_change
from app.register.models import Determination
from app.register.queries import from_on, standing_of
from app.register.rules import Wish
from app.register.service.signatures import (
    draw_up,
    earlier_one,
    enter,
    facts,
    flush,
    lock,
    programme_named,
    refuse,
    require,
    require_second_person,
    sign,
    trader_of,
)
from app.register.workflow import Origin
from app.work import Work, move

COUNTERSIGNATURE = "countersignature"


def suspend_urgently(
    work: Work,
    trader_id: uuid.UUID,
    *,
    programme: str,
    reason_code: str,
    reason_text: str,
    case_id: uuid.UUID | None = None,
    os_account: str | None = None,
    key: uuid.UUID | None = None,
) -> Determination:
    """Suspend at once on one signature; the second is due within the programme's clock (24 h).

    Takes the register's next number; adds the determination; lays the suspension over the ledger
    from now on; records `determination:suspended-urgently` with its `seq`. `os_account` names
    who acts when the command line does. `NotAllowedError` and `NotReadyError` as in `propose`.
    Source: 6 USC 967 (at once for national security); design, section 4.
    """
    found = programme_named(programme)
    urgent = [one for one in found.moves if one.urgent]
    if not urgent:
        raise NotReadyError([Problem("This programme has no urgent suspension.", code="move")])
    chosen = urgent[0]
    if work.actor.kind is not ActorKind.SYSTEM or os_account is None:
        require(work, chosen.proposes, trader_id)
    else:
        trader_of(work, trader_id)
    earlier = earlier_one(work, key)
    if earlier is not None:
        return earlier
    change = next_change(work.session, trader_id, ChangeKind.STANDING, work.now)
    standing = standing_of(work.session, trader_id, programme, valid_at=work.now)
    wish = Wish(reason_code=reason_code, reason_text=reason_text.strip())
    refuse(rules.problems(chosen, standing, found, wish, now=work.now))
    outcome = rules.outcome(chosen, standing, found, wish)
    determination = draw_up(work, trader_id, found, chosen, wish, outcome, key)
    determination.case_id = case_id
    determination.origin = Origin.URGENT
    determination.os_account = os_account
    determination.effective_from = work.now
    determination.countersign_due_at = work.now + found.clock(COUNTERSIGNATURE).period
    determination.seq = change.seq
    later = from_on(work.session, trader_id, programme, work.now)
    span = Range(work.now, rules.end(found, later, work.now, outcome))
    enter(work, change, determination, outcome, span)
    # Added last, so that the row is first written in the state that the move gives it: the
    # database knows no other beginning.
    work.session.add(determination)
    move(work, determination, "put-in-force", **facts(determination))
    flush(work)
    return determination


def countersign(work: Work, determination: Determination) -> Determination:
    """Give an urgent suspension its second signature, in time or late.

    Records `determination:suspension-countersigned`; the register stays as it is, since the
    suspension has been in force all along. Errors as in `approve`.
    """
    _, chosen = lock(work, determination)
    require_second_person(work, determination, chosen)
    sign(work, determination, "countersign")
    return determination
