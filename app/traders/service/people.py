"""Who acts for a trader: inviting, accepting, changing a role, ending.

A trader always keeps one officer. Two officers who let each other go at the same moment are the
hard case: every change that could cost an officer locks the trader's row first, so the second one
counts after the first has happened.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from app.audit.tags import EventTag
from app.authz.actor import TraderRole
from app.db.concurrency import first_with, lock_row, lock_words, require_version
from app.identity.models import Person
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.kernel.ids import new_token
from app.notifications.service import send
from app.traders import queries
from app.traders.models import Appointment, Trader
from app.traders.rules import (
    INVITATION_LASTS,
    INVITATIONS_A_DAY,
    ROLE_MEANINGS,
    ROLE_NAMES,
    email_is_plausible,
    invitation_lapsed,
)
from app.traders.workflow import AppointmentState
from app.work import Work, move

DAY = timedelta(days=1)


def appoint(
    work: Work,
    trader: Trader,
    *,
    key: uuid.UUID,
    email: str,
    role: TraderRole,
    link: Callable[[str], str],
) -> Appointment:
    """Invite the person with that mail address to a role at the trader, for 14 days.

    Side effects in order: an earlier invitation to the same address ends, with its event; the
    invitation, with `key` as its id; its event; the letter with `link(token)`. The token is kept
    as a hash only. The same key again gives the first invitation back and sends nothing.
    Errors: `NotReadyError` for a malformed address, for a person who has a role there already, and
    for the twenty-first invitation of the trader within 24 hours: letters must not flood strangers.
    """
    earlier = first_with(work.session, Appointment, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    email = email.strip().lower()
    if not email_is_plausible(email):
        raise NotReadyError(
            [Problem("Give a mail address, for example name@example.com.", "email")]
        )
    lock_words(work.session, "invitation", str(trader.id))
    if queries.invitations_since(work.session, trader.id, work.now - DAY) >= INVITATIONS_A_DAY:
        raise NotReadyError(
            [
                Problem(
                    "The company has sent %(count)s invitations within 24 hours. Go on tomorrow.",
                    "email",
                    "TOO_MANY_INVITATIONS",
                    {"count": INVITATIONS_A_DAY},
                )
            ]
        )
    if queries.has_role(work.session, trader.id, email):
        raise NotReadyError(
            [Problem("This person has a role here already. Change it instead.", "email")]
        )
    former = queries.invitation_to(work.session, trader.id, email)
    if former is not None:
        _end(work, former)
        work.session.flush()
    token = new_token()
    invitation = Appointment(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        role=role,
        invited_email=email,
        token_hash=queries.token_hash(token),
        invited_at=work.now,
        invited_by=work.actor.person_id,
        expires_at=work.now + INVITATION_LASTS,
    )
    work.session.add(invitation)
    work.session.flush()
    work.record(EventTag.PERSON_INVITED, invitation, role=role)
    send(
        work,
        to=email,
        template="appointment-invitation",
        trader=trader.name,
        by=work.actor.name,
        role=ROLE_NAMES[role],
        meaning=ROLE_MEANINGS[role],
        link=link(token),
        days=INVITATION_LASTS.days,
    )
    return invitation


def accept_appointment(work: Work, invitation: Appointment) -> Appointment:
    """The invited person takes up the role; a second call by the same person does nothing.

    Side effects in order: the move, with its event. The person's sessions have the role from the
    next request on. Errors: `NotAllowedError` for another mail address than the invited one, and
    for people of the agency; `ConflictError` when the invitation has lapsed or has ended;
    `NotReadyError` when the person has a role at the trader already.
    """
    if work.actor.is_agency:
        raise NotAllowedError("People of the agency cannot act for a company.")
    person = work.session.get(Person, work.actor.person_id)
    if (
        person is None
        or person.mail_verified_at is None
        or person.email.lower() != invitation.invited_email
    ):
        raise NotAllowedError("This invitation was sent to another mail address than yours.")
    lock_row(work.session, invitation)
    if invitation.state == AppointmentState.ACTIVE and invitation.person_id == person.id:
        return invitation
    if invitation.state != AppointmentState.INVITED or invitation_lapsed(
        invitation.expires_at, work.now
    ):
        raise ConflictError("This invitation is no longer open. Ask for a new one.")
    if queries.has_role(work.session, invitation.trader_id, person.email):
        raise NotReadyError([Problem("You have a role at this company already.")])
    move(work, invitation, "accept", role=invitation.role)
    invitation.person_id = person.id
    invitation.started_at = work.now
    return invitation


def change_role(
    work: Work, appointment: Appointment, *, role: TraderRole, version: int
) -> Appointment:
    """Give a person, or an invitation, another role; it holds from their next request on.

    Side effects in order: the row; one event, none when the role stays. Errors: `NotReadyError`
    when the last officer would be lost; `StaleError`; `ConflictError` when it has ended.
    """
    _lock(work, appointment)
    if appointment.state == AppointmentState.ENDED:
        raise ConflictError("This appointment has ended meanwhile.")
    if appointment.role is role:
        return appointment
    require_version(appointment, version)
    if role is not TraderRole.OFFICER:
        _keep_an_officer(work, appointment)
    before = appointment.role
    appointment.role = role
    work.record(EventTag.APPOINTMENT_CHANGED, appointment, before=before, after=role)
    return appointment


def end_appointment(work: Work, appointment: Appointment) -> None:
    """End an appointment, or an invitation, at once; a second call does nothing.

    Side effects in order: the move, with its event. Errors: `NotReadyError` when the last officer
    would be lost.
    """
    _lock(work, appointment)
    if appointment.state == AppointmentState.ENDED:
        return
    _keep_an_officer(work, appointment)
    _end(work, appointment)


def _end(work: Work, appointment: Appointment) -> None:
    move(work, appointment, "end", role=appointment.role)
    appointment.ended_at = work.now
    appointment.ended_by = work.actor.person_id


def _lock(work: Work, appointment: Appointment) -> None:
    work.session.execute(
        select(Trader.id).where(Trader.id == appointment.trader_id).with_for_update(key_share=True)
    )
    lock_row(work.session, appointment)


def _keep_an_officer(work: Work, leaving: Appointment) -> None:
    """Refuse to let the last officer go; the trader's row is locked."""
    if leaving.state != AppointmentState.ACTIVE or leaving.role is not TraderRole.OFFICER:
        return
    others = work.session.execute(
        select(func.count())
        .select_from(Appointment)
        .join(Person, Person.id == Appointment.person_id)
        .where(
            Appointment.trader_id == leaving.trader_id,
            Appointment.id != leaving.id,
            Appointment.role == TraderRole.OFFICER,
            queries.APPOINTMENT_STATE == AppointmentState.ACTIVE,
            Person.ended_at.is_(None),
        )
    ).scalar_one()
    if others == 0:
        raise NotReadyError(
            [
                Problem(
                    "This is the company's only officer. Appoint another officer first: somebody"
                    " must be able to sign and to submit.",
                    code="LAST_OFFICER",
                )
            ]
        )
