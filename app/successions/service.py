"""Proposing, approving, declining and taking back a new officer for a trader.

Source: design section 4: two people for every move that gives somebody power. A new officer signs
with legal effect, so a mistake here hands a company to a stranger: both people see the paper, every
officer and preparer is told before the second signature, and all doubt leaves things as they are.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import BinaryIO

from app.audit.tags import EventTag
from app.authz.actor import TraderRole
from app.authz.permissions import Permission
from app.authz.policy import may
from app.db.concurrency import first_with, lock_row
from app.db.references import next_reference
from app.documents import service as documents
from app.identity.models import Person
from app.identity.queries import agency_roles, person_by_email
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.successions import letters, queries
from app.successions.models import Succession
from app.successions.rules import Present, Proposal, problems
from app.successions.workflow import Fate, SuccessionState
from app.traders import queries as traders
from app.traders import service as trader_service
from app.traders.models import Appointment, Trader
from app.work import Work, move


def propose(
    work: Work,
    trader: Trader,
    proposal: Proposal,
    *,
    key: uuid.UUID,
    filename: str,
    stream: BinaryIO,
) -> Succession:
    """Propose a new officer; nothing changes at the trader until a second person approves.

    Side effects in order: the evidence, with its own event; the row with `key` as its id; one
    event; letters. The same key again gives the first row back. Errors: `NotReadyError` with every
    problem; `ConflictError` when another waits for its second signature already.
    """
    if not may(work.actor, Permission.SUCCESSION_PROPOSE, trader):
        raise NotAllowedError("Only a reviewer or a supervisor proposes a new officer.")
    earlier = first_with(work.session, Succession, key)
    if earlier is not None and earlier.proposed_by == work.actor.person_id:
        return earlier
    trader_service.lock_people(work, trader.id)
    if queries.open_at(work.session, trader.id) is not None:
        raise ConflictError("A new officer is proposed already and waits for a second signature.")
    officers = traders.officer_appointments(work.session, trader.id)
    found = problems(proposal, _present(work, proposal.officer_email, officers))
    if found:
        raise NotReadyError(found)
    assert work.actor.person_id is not None  # noqa: S101 - only people hold the permission.
    new_id = key if earlier is None else work.new_id()
    revision = documents.store(
        work,
        trader.id,
        owner_kind=queries.OWNER_KIND,
        owner_id=new_id,
        filename=filename,
        stream=stream,
        tag=EventTag.SUCCESSION_EVIDENCE_STORED,
    )
    succession = Succession(
        id=new_id,
        reference=next_reference(work.session, "NO", work.now.year),
        trader_id=trader.id,
        ground=proposal.ground,
        reason=proposal.reason.strip(),
        fate=proposal.fate,
        leaving=[appointment.id for appointment, _ in officers],
        officer_name=proposal.officer_name.strip(),
        officer_email=proposal.officer_email,
        evidence_id=revision.id,
        proposed_by=work.actor.person_id,
        proposed_by_name=work.actor.name,
        proposed_at=work.now,
    )
    work.session.add(succession)
    work.session.flush()
    work.record(
        EventTag.SUCCESSION_PROPOSED,
        succession,
        reference=succession.reference,
        ground=succession.ground,
        officers=len(officers),
    )
    people = [person for _, person in officers]
    to = letters.recipients(work, trader, people)
    letters.tell(work, succession, EventTag.SUCCESSION_PROPOSED, trader, people, to)
    return succession


def approve(work: Work, succession: Succession, *, link: Callable[[str], str]) -> list[Person]:
    """Sign as the second person: the officers before go, the new one is invited, all at once.

    Side effects in order: each officer's appointment ends or becomes a preparer's, their
    invitations and sessions end, each with its event; the new officer's invitation or role, with
    its event and letter; the move, with its event; letters to all who were told of the proposal.
    Gives the people who were signed out. Errors: `NotAllowedError` for the proposer and for who is
    no supervisor; `IllegalTransitionError` when it has been decided; `ConflictError` when the
    trader's officers are no longer those of the proposal; `NotReadyError` when the new officer can
    no longer be one.
    """
    trader = _lock(work, succession)
    _require_second_person(work, succession)
    succession.workflow.move(succession.state, "approve")
    officers = traders.officer_appointments(work.session, trader.id)
    if {appointment.id for appointment, _ in officers} != set(succession.leaving):
        raise ConflictError(
            "The company's officers have changed since this was proposed. Decline it; if it is"
            " still needed, propose it anew."
        )
    found = problems(_proposal(succession), _present(work, succession.officer_email, officers))
    if found:
        raise NotReadyError([Problem(one.message, code=one.code) for one in found])
    people = [person for _, person in officers]
    to = letters.recipients(work, trader, people)
    becomes = TraderRole.PREPARER if succession.fate is Fate.PREPARE else None
    for appointment, _ in officers:
        trader_service.relieve(work, appointment, becomes=becomes)
    made = trader_service.invite_officer(
        work, trader, name=succession.officer_name, email=succession.officer_email, link=link
    )
    succession.appointment_id = made.id
    _decide(work, succession, "approve")
    letters.tell(work, succession, EventTag.SUCCESSION_APPROVED, trader, people, to)
    return people


def decline(work: Work, succession: Succession, *, reason: str) -> None:
    """Refuse to sign what somebody else proposed; the trader stays as it is.

    Side effects in order: the move, with its event; letters. A second call by the same person does
    nothing. Errors: `NotReadyError` without a reason; otherwise as of `approve`.
    """
    trader = _lock(work, succession)
    _require_second_person(work, succession)
    if (
        succession.state == SuccessionState.DECLINED
        and succession.decided_by == work.actor.person_id
    ):
        return
    if not reason.strip():
        raise NotReadyError([Problem("Say why.", "reason")])
    succession.decision_note = reason.strip()
    _decide(work, succession, "decline")
    _tell_of_the_end(work, succession, EventTag.SUCCESSION_DECLINED, trader)


def withdraw(work: Work, succession: Succession) -> None:
    """Take back one's own proposal; a second call does nothing.

    Side effects in order: the move, with its event; letters. Errors: `NotAllowedError` for
    everybody but the proposer; `IllegalTransitionError` when it has been decided.
    """
    trader = _lock(work, succession)
    if succession.proposed_by != work.actor.person_id:
        raise NotAllowedError("Only the person who proposed this can take it back.")
    if succession.state == SuccessionState.WITHDRAWN:
        return
    succession.decided_at = work.now
    move(work, succession, "withdraw", reference=succession.reference)
    work.session.flush()
    _tell_of_the_end(work, succession, EventTag.SUCCESSION_WITHDRAWN, trader)


def _lock(work: Work, succession: Succession) -> Trader:
    """The trader's row first, as everywhere, then the succession as others have left it."""
    trader_service.lock_people(work, succession.trader_id)
    lock_row(work.session, succession)
    return work.session.get_one(Trader, succession.trader_id)


def _require_second_person(work: Work, succession: Succession) -> None:
    if not may(work.actor, Permission.SUCCESSION_APPROVE, succession):
        raise NotAllowedError("Only a supervisor gives the second signature.")
    if succession.proposed_by == work.actor.person_id:
        raise NotAllowedError("You proposed this yourself: a second person has to decide.")


def _decide(work: Work, succession: Succession, name: str) -> None:
    succession.decided_by = work.actor.person_id
    succession.decided_by_name = work.actor.name
    succession.decided_at = work.now
    move(
        work,
        succession,
        name,
        reference=succession.reference,
        ground=succession.ground,
        fate=succession.fate,
        appointment_id=succession.appointment_id,
    )
    work.session.flush()


def _tell_of_the_end(work: Work, succession: Succession, tag: EventTag, trader: Trader) -> None:
    people = queries.leaving_people(work.session, succession)
    to = letters.recipients(work, trader, people)
    letters.tell(work, succession, tag, trader, people, to)


def _proposal(succession: Succession) -> Proposal:
    return Proposal(
        ground=succession.ground,
        fate=succession.fate,
        reason=succession.reason,
        officer_name=succession.officer_name,
        officer_email=succession.officer_email,
    )


def _present(work: Work, email: str, officers: Sequence[tuple[Appointment, Person]]) -> Present:
    known = person_by_email(work.session, email)
    return Present(
        officers={appointment.id for appointment, _ in officers},
        officer_emails={person.email.lower() for _, person in officers},
        new_is_agency=known is not None and bool(agency_roles(work.session, known.id)),
        new_has_ended=known is not None and known.ended_at is not None,
    )
