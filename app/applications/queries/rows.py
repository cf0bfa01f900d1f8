"""Rows: applications in reach, their snapshots, returns, agreements and checks."""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.applications.models import (
    Agreement,
    Application,
    ApplicationReturn,
    EligibilityCheck,
    ReturnedPoint,
    Snapshot,
    TaskReply,
)
from app.applications.workflow import OPEN, ApplicationState
from app.assessments.models import Assessment
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE: Final = Application._state  # noqa: SLF001


def visible_application(
    work: Work,
    application_id: uuid.UUID,
    permission: Permission,
    *,
    trader_id: uuid.UUID | None = None,
) -> Application:
    """The application, when the actor holds the permission on it; else `NotFoundError`.

    `trader_id` is the trader in the address, when it has one: any other trader's application is
    absent there, even when the actor could see it elsewhere.
    """
    found = work.session.get(Application, application_id)
    if (
        found is None
        or not may(work.actor, permission, found)
        or (trader_id is not None and found.trader_id != trader_id)
    ):
        raise NotFoundError
    return found


def applications_of(trader_id: uuid.UUID) -> Select[Application]:
    """The trader's applications, the newest first; for `paginate` or `session.scalars`."""
    return (
        select(Application)
        .where(Application.trader_id == trader_id)
        .order_by(Application.started_at.desc(), Application.id.desc())
    )


def open_for(session: Session, trader_id: uuid.UUID) -> Sequence[Application]:
    """The trader's applications that are not decided or withdrawn, the newest first."""
    return session.scalars(applications_of(trader_id).where(STATE.in_(OPEN))).all()


def open_application(session: Session, trader_id: uuid.UUID, programme: str) -> Application | None:
    """The trader's one open application to a programme."""
    return session.scalars(
        applications_of(trader_id).where(STATE.in_(OPEN), Application.programme == programme)
    ).one_or_none()


def application_of_assessment(session: Session, assessment_id: uuid.UUID) -> Application | None:
    """The application that an assessment belongs to."""
    return session.scalars(
        select(Application).where(Application.assessment_id == assessment_id)
    ).one_or_none()


def application_after(session: Session, assessment_id: uuid.UUID) -> Application | None:
    """The application that an assessment belongs to, or that went on from it to newer criteria."""
    looked: uuid.UUID | None = assessment_id
    while looked is not None:
        found = application_of_assessment(session, looked)
        if found is not None:
            return found
        looked = session.scalars(
            select(Assessment.id).where(Assessment.carried_from == looked)
        ).one_or_none()
    return None


def visible_check(
    work: Work, check_id: uuid.UUID, permission: Permission, *, trader_id: uuid.UUID
) -> EligibilityCheck:
    """The trader's eligibility check; `NotFoundError` for any other."""
    found = work.session.get(EligibilityCheck, check_id)
    if found is None or found.trader_id != trader_id or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def latest_check(session: Session, trader_id: uuid.UUID, programme: str) -> EligibilityCheck | None:
    """The trader's last eligibility check for a programme."""
    return latest_checks(session, trader_id).get(programme)


def latest_checks(session: Session, trader_id: uuid.UUID) -> dict[str, EligibilityCheck]:
    """The trader's last eligibility check for each programme."""
    rows = session.scalars(
        select(EligibilityCheck)
        .where(EligibilityCheck.trader_id == trader_id)
        .ext(distinct_on(EligibilityCheck.programme))
        .order_by(
            EligibilityCheck.programme, EligibilityCheck.at.desc(), EligibilityCheck.id.desc()
        )
    )
    return {one.programme: one for one in rows}


def agreement_of(session: Session, application: Application) -> Agreement | None:
    """The agreement that was signed last."""
    return session.scalars(
        select(Agreement)
        .where(Agreement.application_id == application.id)
        .order_by(Agreement.for_snapshot.desc())
        .limit(1)
    ).one_or_none()


def snapshot_of(
    session: Session, application: Application, number: int | None = None
) -> Snapshot | None:
    """A snapshot by its number, or the newest one; `None` when there is none."""
    statement = select(Snapshot).where(Snapshot.application_id == application.id)
    if number is not None:
        statement = statement.where(Snapshot.number == number)
    return session.scalars(statement.order_by(Snapshot.number.desc()).limit(1)).one_or_none()


def submitted_event(session: Session, snapshot: Snapshot) -> AuditEvent | None:
    """The event by which the snapshot was submitted, as far as the transaction may see it."""
    tags = (EventTag.APPLICATION_SUBMITTED, EventTag.APPLICATION_RESUBMITTED)
    return session.scalars(
        select(AuditEvent).where(
            AuditEvent.subject_id == snapshot.application_id,
            AuditEvent.trader_id == snapshot.trader_id,
            AuditEvent.tag.in_([str(one) for one in tags]),
            AuditEvent.data["snapshot_id"].astext == str(snapshot.id),
        )
    ).one_or_none()


def snapshots_of(session: Session, application: Application) -> Sequence[Snapshot]:
    """Every snapshot, the newest first."""
    return session.scalars(
        select(Snapshot)
        .where(Snapshot.application_id == application.id)
        .order_by(Snapshot.number.desc())
    ).all()


def returns_of(session: Session, application: Application) -> Sequence[ApplicationReturn]:
    """Every return of the application, the newest first."""
    return session.scalars(
        select(ApplicationReturn)
        .where(ApplicationReturn.application_id == application.id)
        .order_by(ApplicationReturn.round.desc())
    ).all()


def current_return(session: Session, application: Application) -> ApplicationReturn | None:
    """The return that the trader has to answer now; `None` unless the application is returned."""
    if application.state != ApplicationState.RETURNED:
        return None
    return session.scalars(
        select(ApplicationReturn).where(
            ApplicationReturn.application_id == application.id,
            ApplicationReturn.round == application.snapshot_count,
        )
    ).one_or_none()


def points_of(session: Session, found: ApplicationReturn | None) -> Sequence[ReturnedPoint]:
    """What the agency said in a return, task by task, in its order."""
    if found is None:
        return ()
    return session.scalars(
        select(ReturnedPoint)
        .where(
            ReturnedPoint.application_id == found.application_id, ReturnedPoint.round == found.round
        )
        .order_by(ReturnedPoint.position)
    ).all()


def returned_comments(session: Session, application: Application) -> dict[str, str]:
    """The agency's comment on each criterion of the current return, by criterion id."""
    return {
        point.criterion_id: point.comment
        for point in points_of(session, current_return(session, application))
        if point.criterion_id is not None
    }


def replies_of(session: Session, found: ApplicationReturn | None) -> dict[str, TaskReply]:
    """The trader's newest reply to each task of a return, by task key."""
    if found is None:
        return {}
    rows = session.scalars(
        select(TaskReply)
        .where(TaskReply.application_id == found.application_id, TaskReply.round == found.round)
        .order_by(TaskReply.at, TaskReply.id)
    )
    return {one.task: one for one in rows}
