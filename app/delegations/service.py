"""Proposing, accepting, declining and revoking what a broker may do for a trader.

Source: 19 CFR 141.31 to 141.46: a broker acts under a power of attorney that names what it may
do; it is revoked by notice and works from then on. A broker cannot hand it on.
"""

import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from app.audit.tags import EventTag
from app.authz.actor import DelegationScope
from app.db.concurrency import first_with, lock_row, lock_words
from app.delegations import queries
from app.delegations.models import Delegation
from app.delegations.queries import side_of
from app.delegations.workflow import DelegationState, Side
from app.documents.models import DocumentRevision
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.work import Work, move

LONGEST = timedelta(days=2 * 366)


def propose(
    work: Work,
    trader: Trader,
    broker: Trader,
    *,
    key: uuid.UUID,
    side: Side,
    scopes: Collection[DelegationScope],
    first_day: date,
    last_day: date,
    authority: DocumentRevision | None = None,
) -> Delegation:
    """Offer (the trader's officer) or ask for (the broker's) a delegation; the other side answers.

    It runs from the beginning of `first_day` to the end of `last_day`, in UTC. Side effects in
    order: the row with `key` as its id; one event. The same key again gives the first row back.
    Errors: `NotReadyError` when the other is no broker, dates or scopes do not fit, or an offer
    lacks the authority document.
    """
    earlier = first_with(work.session, Delegation, key)
    if earlier is not None and (earlier.trader_id, earlier.broker_id) == (trader.id, broker.id):
        return earlier
    problems = []
    if broker.entity_type is not EntityType.BROKER or broker.id == trader.id:
        problems.append(Problem("Only a broker can act for another company.", "broker"))
    if not scopes:
        problems.append(Problem("Choose at least one thing that the broker may do.", "scopes"))
    begins, ends = _midnight(first_day), _midnight(last_day + timedelta(days=1))
    if ends <= begins or ends <= work.now:
        problems.append(Problem("The last day lies before the first, or in the past.", "last_day"))
    elif ends - begins > LONGEST:
        problems.append(Problem("A delegation lasts two years at most.", "last_day"))
    if side is Side.TRADER and authority is None:
        problems.append(Problem("Attach the signed power of attorney.", "authority"))
    if problems:
        raise NotReadyError(problems)
    assert work.actor.person_id is not None  # noqa: S101 - only officers hold the permission.
    found = Delegation(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        trader_name=trader.name,
        broker_id=broker.id,
        broker_name=broker.name,
        scopes=sorted(scope.value for scope in scopes),
        valid_from=begins,
        valid_until=ends,
        authority_revision_id=None if authority is None else authority.id,
        proposed_side=side,
        proposed_at=work.now,
        proposed_by=work.actor.person_id,
    )
    work.session.add(found)
    work.session.flush()
    tag = EventTag.DELEGATION_OFFERED if side is Side.TRADER else EventTag.DELEGATION_ASKED
    work.record(tag, found, scopes=found.scopes, valid_from=begins, valid_until=ends)
    return found


def accept(
    work: Work, delegation: Delegation, *, by: Trader, authority: DocumentRevision | None = None
) -> None:
    """The other side consents; from the next request on the broker's people can act.

    Side effects in order: the move, with its event. Errors: `NotAllowedError` for the side that
    proposed it, and for the person who did; `NotReadyError` without the authority document;
    `ConflictError` when it is no longer open, or another of the pair covers the same days.
    """
    lock_words(work.session, "delegation", str(delegation.trader_id), str(delegation.broker_id))
    lock_row(work.session, delegation)
    if (
        delegation.proposed_side is side_of(delegation, by)
        or delegation.proposed_by == work.actor.person_id
    ):
        raise NotAllowedError("The other side must consent, and by another person.")
    if delegation.state != DelegationState.PROPOSED or delegation.valid_until <= work.now:
        raise ConflictError("This offer is no longer open.")
    if queries.overlaps(work.session, delegation):
        raise ConflictError(
            "Another delegation to this broker covers some of these days. End it first."
        )
    if authority is not None and delegation.authority_revision_id is None:
        delegation.authority_revision_id = authority.id
    if delegation.authority_revision_id is None:
        raise NotReadyError([Problem("Attach the signed power of attorney.", "authority")])
    delegation.accepted_at = work.now
    delegation.accepted_by = work.actor.person_id
    move(work, delegation, "accept", scopes=delegation.scopes)


def decline(work: Work, delegation: Delegation, *, by: Trader) -> None:
    """The other side says no; a second call does nothing. One event."""
    _end(work, delegation, "decline", DelegationState.DECLINED, by)


def revoke(work: Work, delegation: Delegation, *, by: Trader) -> None:
    """End it now, by either side; a second call does nothing. One event.

    Whoever is about to commit under it holds its row: this waits for them, and whoever comes
    later is refused. So nothing is written under it once this has been acknowledged.
    """
    _end(work, delegation, "revoke", DelegationState.REVOKED, by)


def _end(
    work: Work, delegation: Delegation, name: str, target: DelegationState, by: Trader
) -> None:
    lock_row(work.session, delegation)
    if delegation.state == target:
        return
    if name not in delegation.available():
        raise ConflictError("This delegation has ended meanwhile.")
    side = side_of(delegation, by)
    move(work, delegation, name, side=side)
    delegation.ended_at = work.now
    delegation.ended_by = work.actor.person_id
    delegation.ended_side = side


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
