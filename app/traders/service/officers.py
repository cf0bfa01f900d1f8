"""What the agency alone does to a trader's appointments: relieve who has gone, invite a new officer.

The trader is told that it was the agency, and no name of its people, so these have events of their
own. The last officer cannot leave by themselves; here the agency has decided, by two people.
"""

import uuid
from collections.abc import Callable, Collection

from sqlalchemy import select

from app.audit.tags import EventTag
from app.authz.actor import TraderRole
from app.db.concurrency import lock_row
from app.identity import session_store
from app.identity.models import Person
from app.kernel.errors import NotAllowedError
from app.kernel.ids import new_token
from app.notifications.service import send
from app.traders import queries
from app.traders.models import Appointment, Trader
from app.traders.rules import INVITATION_LASTS
from app.traders.workflow import AppointmentState
from app.work import Work, move


def lock_people(work: Work, trader_id: uuid.UUID) -> None:
    """Let nobody change who acts for the trader until this transaction ends.

    A change of officers locks the same row, so whoever comes later counts after this.
    """
    work.session.execute(
        select(Trader.id).where(Trader.id == trader_id).with_for_update(key_share=True)
    )


def relieve(work: Work, appointment: Appointment, *, becomes: TraderRole | None = None) -> None:
    """Take the role from whoever holds it, at once, or give them another; `lock_people` comes first.

    Side effects in order: every session of the person ends; the move to ended, or the other role,
    with its event, which counts the sessions; invitations that the person has sent for the trader
    end, each with its event, since nobody vouches for them any more. A second call does nothing.
    """
    lock_row(work.session, appointment)
    person_id = appointment.person_id
    if appointment.state == AppointmentState.ENDED or person_id is None:
        return
    sessions = session_store.end_of_person(work.session, person_id, work.now)
    if becomes is None:
        _end(work, appointment, sessions=sessions)
    elif appointment.role is not becomes:
        before = appointment.role
        appointment.role = becomes
        work.record(
            EventTag.ROLE_CHANGED_BY_AGENCY,
            appointment,
            before=before,
            after=becomes,
            sessions=sessions,
        )
    for invitation in queries.invitations_sent_by(work.session, appointment.trader_id, person_id):
        _end(work, invitation)


def _end(work: Work, appointment: Appointment, **facts: object) -> None:
    move(work, appointment, "relieve", role=appointment.role, **facts)
    appointment.ended_at = work.now
    appointment.ended_by = work.actor.person_id


def invite_officer(
    work: Work, trader: Trader, *, name: str, email: str, link: Callable[[str], str]
) -> Appointment:
    """Make the person with that address an officer: at once where they have a role, else invited.

    An invitation lasts 14 days. Side effects in order: an earlier invitation to the address ends,
    with its event; the invitation, or the other role, with its event; a letter, with `link(token)`
    for an invitation. Errors: `NotAllowedError` unless the actor is of the agency.
    """
    if not work.actor.is_agency:
        raise NotAllowedError("Only the agency appoints an officer from outside.")
    email = email.strip().lower()
    present = queries.appointment_of(work.session, trader.id, email)
    if present is not None:
        lock_row(work.session, present)
        before = present.role
        present.role = TraderRole.OFFICER
        work.record(
            EventTag.ROLE_CHANGED_BY_AGENCY, present, before=before, after=TraderRole.OFFICER
        )
        send(
            work,
            to=email,
            template="officer-raised",
            person_id=present.person_id,
            name=name,
            trader=trader.name,
        )
        return present
    former = queries.invitation_to(work.session, trader.id, email)
    if former is not None:
        _end(work, former)
        work.session.flush()
    token = new_token()
    invitation = Appointment(
        id=work.new_id(),
        trader_id=trader.id,
        role=TraderRole.OFFICER,
        invited_email=email,
        token_hash=queries.token_hash(token),
        invited_at=work.now,
        invited_by=work.actor.person_id,
        expires_at=work.now + INVITATION_LASTS,
    )
    work.session.add(invitation)
    work.session.flush()
    work.record(EventTag.OFFICER_INVITED, invitation, role=TraderRole.OFFICER)
    send(
        work,
        to=email,
        template="officer-invitation",
        name=name,
        trader=trader.name,
        link=link(token),
        days=INVITATION_LASTS.days,
    )
    return invitation


def end_everywhere(work: Work, person: Person) -> Collection[uuid.UUID]:
    """Relieve a person who has departed of every role they hold, also of the last officer's.

    Gives the traders that have no officer now. Side effects: as of `relieve`, trader by trader.
    """
    held = queries.held_by(work.session, person.id)
    for trader_id in sorted({one.trader_id for one in held}):
        lock_people(work, trader_id)
    for one in held:
        relieve(work, one)
    work.session.flush()
    return [
        one.trader_id
        for one in held
        if one.role is TraderRole.OFFICER and not queries.officers_of(work.session, one.trader_id)
    ]
