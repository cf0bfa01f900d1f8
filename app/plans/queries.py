"""What is read of plans; foreign looks like absent."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.assessments.models import Assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.identity.models import Person
from app.kernel.errors import NotFoundError
from app.plans.models import Action, Plan
from app.plans.workflow import OPEN
from app.traders.models import Appointment
from app.traders.workflow import AppointmentState
from app.work import Work

# The state columns are private so that only `app.work.move` writes them; reading them is free.
STATE = Action._state  # noqa: SLF001
APPOINTMENT_STATE = Appointment._state  # noqa: SLF001


def plan_of(session: Session, assessment_id: uuid.UUID) -> Plan | None:
    """The plan of an assessment, if it has one."""
    return session.scalars(select(Plan).where(Plan.assessment_id == assessment_id)).one_or_none()


def shared_plan_of(session: Session, assessment_id: uuid.UUID) -> Plan | None:
    """The plan as the agency may see it: none while its company keeps it to itself."""
    found = plan_of(session, assessment_id)
    return None if found is None or found.shared_at is None else found


def visible_plan(work: Work, assessment: Assessment, permission: Permission) -> Plan:
    """The assessment's plan, when the actor holds the permission on it; else `NotFoundError`."""
    found = plan_of(work.session, assessment.id)
    if found is None or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def visible_action(work: Work, plan: Plan, action_id: uuid.UUID) -> Action:
    """An action of the plan; `NotFoundError` for any other."""
    found = work.session.get(Action, action_id)
    if found is None or found.plan_id != plan.id:
        raise NotFoundError
    return found


def actions_of(session: Session, plan: Plan) -> Sequence[Action]:
    """The plan's actions, by their day."""
    return session.scalars(
        select(Action).where(Action.plan_id == plan.id).order_by(Action.due_on, Action.id)
    ).all()


def open_actions(session: Session, trader_id: uuid.UUID) -> Sequence[tuple[Action, uuid.UUID]]:
    """The trader's actions that are neither done nor given up, each with its assessment."""
    rows = session.execute(
        select(Action, Plan.assessment_id)
        .join(Plan, Plan.id == Action.plan_id)
        .where(Action.trader_id == trader_id, STATE.in_(OPEN))
        .order_by(Action.due_on, Action.id)
    )
    return [(action, assessment_id) for action, assessment_id in rows]


def owners(session: Session, trader_id: uuid.UUID) -> Sequence[Person]:
    """The people who act for the trader, by name: whoever answers for an action is one of them."""
    return session.scalars(
        select(Person)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(Appointment.trader_id == trader_id, APPOINTMENT_STATE == AppointmentState.ACTIVE)
        .order_by(Person.name, Person.id)
    ).all()
