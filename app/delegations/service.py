"""Proposing, accepting, declining and revoking what a broker may do for a trader.

Source: 19 CFR 141.31 to 141.46: a broker acts under a power of attorney that names what it may
do; it is revoked by notice and works from then on. A broker cannot hand it on.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from app.audit.tags import EventTag
from app.authz.actor import DelegationScope
from app.db.concurrency import first_with, lock_row, lock_words
from app.delegations import queries
from app.delegations.directory import Company
from app.delegations.models import Delegation
from app.delegations.queries import side_of
from app.delegations.rules import Terms, term_problems
from app.delegations.workflow import DelegationState, Side
from app.documents import service as documents
from app.documents.models import DocumentRevision
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.work import Work, move

ONLY_BROKERS = Problem("Only a broker can act for another company.", "broker")
NO_AUTHORITY = Problem("Attach the signed authority document.", "authority")


@dataclass(frozen=True, slots=True)
class AuthorityFile:
    """A file that arrives with the form: the signed authority document."""

    filename: str
    stream: BinaryIO


def propose(
    work: Work,
    trader: Company,
    broker: Company,
    *,
    key: uuid.UUID,
    side: Side,
    scopes: Collection[DelegationScope],
    first_day: date,
    last_day: date,
    sites: Collection[uuid.UUID] = (),
    authority: DocumentRevision | AuthorityFile | None = None,
) -> Delegation:
    """Offer (the trader's officer) or ask for (the broker's) a delegation; the other side answers.

    It runs from the beginning of `first_day` to the end of `last_day`, in UTC, for the client's
    `sites`, or without any for all of them. Side effects in
    order: the document of a file, with its own event; the row with `key` as its id; one event. The
    same key again gives the first row back. Errors: `NotReadyError` when the other is no broker,
    dates, scopes or sites do not fit, an offer lacks the authority document, or its file is refused.
    """
    earlier = first_with(work.session, Delegation, key)
    if earlier is not None and (earlier.trader_id, earlier.broker_id) == (trader.id, broker.id):
        return earlier
    terms = Terms(frozenset(scopes), first_day, last_day, frozenset(sites))
    problems = term_problems(terms, work.now)
    named = queries.sites_named(work.session, trader.id, sites)
    if len(named) != len(terms.sites):
        problems.append(Problem("Choose sites of the company.", "sites"))
    if broker.entity_type is not EntityType.BROKER or broker.id == trader.id:
        problems.insert(0, ONLY_BROKERS)
    if side is Side.TRADER and authority is None:
        problems.append(NO_AUTHORITY)
    if problems:
        raise NotReadyError(problems)
    assert work.actor.person_id is not None  # noqa: S101 - only officers hold the permission.
    new_id = key if earlier is None else work.new_id()
    revision = _kept(work, trader.id, new_id, authority)
    found = Delegation(
        id=new_id,
        trader_id=trader.id,
        trader_name=trader.name,
        broker_id=broker.id,
        broker_name=broker.name,
        scopes=sorted(scope.value for scope in scopes),
        sites=[one.id for one in named],
        site_names=[one.name for one in named],
        valid_from=terms.begins,
        valid_until=terms.ends,
        authority_revision_id=None if revision is None else revision.id,
        proposed_side=side,
        proposed_at=work.now,
        proposed_by=work.actor.person_id,
    )
    work.session.add(found)
    work.session.flush()
    tag = EventTag.DELEGATION_OFFERED if side is Side.TRADER else EventTag.DELEGATION_ASKED
    work.record(
        tag,
        found,
        scopes=found.scopes,
        sites=found.sites,
        valid_from=found.valid_from,
        valid_until=found.valid_until,
    )
    return found


def ask(
    work: Work,
    broker: Trader,
    *,
    key: uuid.UUID,
    terms: Terms,
    find: Callable[[], Company | None],
) -> None:
    """Ask a client, which `find` looks up, to let the broker act for it.

    Whether there is such a client is told by nothing: neither by the answer nor by an error, and
    a client that was asked already is not asked twice. Side effects as of `propose`, or none.
    Errors: `NotReadyError` when the asker is no broker, or dates or scopes do not fit.
    """
    problems = term_problems(terms, work.now)
    if broker.entity_type is not EntityType.BROKER:
        problems.insert(0, ONLY_BROKERS)
    if problems:
        raise NotReadyError(problems)
    client = find()
    if client is None or client.id == broker.id:
        return
    lock_words(work.session, "delegation", str(client.id), str(broker.id))
    if queries.asks_already(work.session, client.id, broker.id, work.now):
        return
    propose(
        work,
        client,
        broker,
        key=key,
        side=Side.BROKER,
        scopes=terms.scopes,
        first_day=terms.first_day,
        last_day=terms.last_day,
    )


def accept(
    work: Work,
    delegation: Delegation,
    *,
    by: Trader,
    authority: DocumentRevision | AuthorityFile | None = None,
) -> None:
    """The other side consents; from the next request on the broker's people can act.

    A second call by the same person does nothing. Side effects in order: the document of a file,
    with its own event; the move, with its event. Errors: `NotAllowedError` for the side that
    proposed it, and for the person who did; `NotReadyError` without the authority document, or
    when its file is refused; `ConflictError` when it is no longer open, or another of the pair
    covers the same days.
    """
    lock_words(work.session, "delegation", str(delegation.trader_id), str(delegation.broker_id))
    lock_row(work.session, delegation)
    if (
        delegation.proposed_side is side_of(delegation, by)
        or delegation.proposed_by == work.actor.person_id
    ):
        raise NotAllowedError("The other side must consent, and by another person.")
    if (
        delegation.state == DelegationState.ACTIVE
        and delegation.accepted_by == work.actor.person_id
    ):
        return
    if delegation.state != DelegationState.PROPOSED or delegation.valid_until <= work.now:
        raise ConflictError("This offer is no longer open.")
    if queries.overlaps(work.session, delegation):
        raise ConflictError(
            "Another delegation to this broker covers some of these days. End it first."
        )
    if delegation.authority_revision_id is None:
        # The authority is the principal's document, so the principal alone can attach it.
        own = authority if side_of(delegation, by) is Side.TRADER else None
        revision = _kept(work, delegation.trader_id, delegation.id, own)
        if revision is None:
            raise NotReadyError([NO_AUTHORITY])
        delegation.authority_revision_id = revision.id
    delegation.accepted_at = work.now
    delegation.accepted_by = work.actor.person_id
    move(work, delegation, "accept", scopes=delegation.scopes, sites=delegation.sites)


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


def _kept(
    work: Work,
    trader_id: uuid.UUID,
    delegation_id: uuid.UUID,
    authority: DocumentRevision | AuthorityFile | None,
) -> DocumentRevision | None:
    """The revision itself, or the one that a file becomes."""
    if not isinstance(authority, AuthorityFile):
        return authority
    return documents.store(
        work,
        trader_id,
        owner_kind=queries.OWNER_KIND,
        owner_id=delegation_id,
        filename=authority.filename,
        stream=authority.stream,
    )
