"""What protects a company, at a glance: who and what can come in, and what needs attention.

How its people sign in is their own; the database tells an officer counts and dates alone, through
`fairway_people_security` and `fairway_people_events`. Whoever works at several companies is seen
here as at this one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text

from app.delegations.models import Delegation
from app.delegations.queries import STATE as DELEGATION_STATE
from app.delegations.queries import to_answer
from app.delegations.workflow import DelegationState
from app.home.attention import Attention, Member, Program, attention
from app.identity.models import ApiClient, ClientCredential, Person
from app.identity.queries import CLIENT_STATE
from app.identity.workflow import ClientState
from app.traders.models import Appointment, Trader
from app.traders.queries import APPOINTMENT_STATE
from app.traders.rules import invitation_lapsed
from app.traders.workflow import AppointmentState
from app.work import Work

LATELY: Final = timedelta(days=90)
SHOWN: Final = 20
PEOPLE = text("SELECT * FROM fairway_people_security(:trader)")
EVENTS = text("SELECT * FROM fairway_people_events(:trader, :since, :most)")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that nobody has taken up."""

    appointment: Appointment
    lapsed: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """One security event of one of the company's people."""

    at: datetime
    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class Safety:
    """Everything on the page."""

    attention: Sequence[Attention]
    members: Sequence[Member]
    invitations: Sequence[Invitation]
    delegations: Sequence[Delegation]
    programs: Sequence[Program]
    events: Sequence[Happened]


def safety(work: Work, trader: Trader) -> Safety:
    """The page of one trader, in a constant number of statements; only for an officer there."""
    session = work.session
    members = _members(work, trader.id)
    invitations = [
        Invitation(one, lapsed=invitation_lapsed(one.expires_at, work.now))
        for one in session.scalars(
            select(Appointment)
            .where(
                Appointment.trader_id == trader.id,
                APPOINTMENT_STATE == AppointmentState.INVITED,
            )
            .order_by(Appointment.invited_at, Appointment.id)
        )
    ]
    delegations = session.scalars(
        select(Delegation)
        .where(
            Delegation.trader_id == trader.id,
            DELEGATION_STATE == DelegationState.ACTIVE,
            Delegation.valid_until > work.now,
        )
        .order_by(Delegation.valid_until, Delegation.id)
    ).all()
    programs = _programs(work, trader.id)
    names = {one.person_id: one.name for one in members}
    events = [
        Happened(row.at, names.get(row.person_id, ""), row.tag)
        for row in session.execute(
            EVENTS, {"trader": trader.id, "since": work.now - LATELY, "most": SHOWN}
        )
    ]
    return Safety(
        attention=attention(
            now=work.now,
            me=work.actor.person_id,
            members=members,
            invitations=[one.appointment for one in invitations],
            delegations=delegations,
            to_answer=session.scalars(to_answer(trader.id, work.now)).all(),
            programs=programs,
            locked={
                one.name
                for one in events
                if one.tag == "sign-in:locked" and one.at > work.now - timedelta(days=7)
            },
        ),
        members=members,
        invitations=invitations,
        delegations=delegations,
        programs=programs,
        events=events,
    )


def _members(work: Work, trader_id: uuid.UUID) -> list[Member]:
    told = {row.person_id: row for row in work.session.execute(PEOPLE, {"trader": trader_id})}
    rows = work.session.execute(
        select(Appointment, Person)
        .join(Person, Person.id == Appointment.person_id)
        .where(Appointment.trader_id == trader_id, APPOINTMENT_STATE == AppointmentState.ACTIVE)
        .order_by(Person.name, Person.id)
    )
    return [
        Member(
            appointment_id=appointment.id,
            person_id=person.id,
            name=person.name,
            email=person.email,
            role=appointment.role,
            since=appointment.started_at,
            passkeys=row.passkeys,
            authenticator=row.authenticators > 0,
            provider=row.providers > 0,
            signed_in_at=row.signed_in_at,
            sessions=row.sessions,
        )
        for appointment, person in rows
        if (row := told.get(person.id)) is not None
    ]


def _programs(work: Work, trader_id: uuid.UUID) -> list[Program]:
    clients = work.session.scalars(
        select(ApiClient)
        .where(ApiClient.trader_id == trader_id, CLIENT_STATE != ClientState.REVOKED)
        .order_by(ApiClient.name, ApiClient.id)
    ).all()
    oldest: dict[uuid.UUID, datetime] = {}
    for one in work.session.scalars(
        select(ClientCredential)
        .where(ClientCredential.api_client_id.in_([one.id for one in clients]))
        .order_by(ClientCredential.created_at.desc())
    ):
        if one.is_live(work.now):
            oldest[one.api_client_id] = one.created_at
    return [
        Program(
            client_id=one.id,
            name=one.name,
            suspended=one.state == ClientState.SUSPENDED,
            last_used_at=one.last_used_at,
            oldest_credential=oldest.get(one.id),
        )
        for one in clients
    ]
