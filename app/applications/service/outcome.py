"""How an application ends: granted, refused, or withdrawn."""

from app.applications.models import Application
from app.applications.service.letters import to_officers
from app.applications.service.permission import officer_only
from app.applications.workflow import ApplicationState
from app.db.concurrency import lock_row
from app.work import Work, move


def grant(work: Work, application: Application, *, reason: str) -> None:
    """The determination was approved: the trader is a partner. Called by the reactions.

    `reason` is the determination's, in words for the trader. Side effects in order: the reason
    and the time; the move, with its one event; a letter to every officer.
    Errors: `IllegalTransitionError` unless it is submitted.
    """
    _close(work, application, "grant", reason)
    to_officers(work, application, "application-granted", reason=reason)


def refuse(work: Work, application: Application, *, reason: str) -> None:
    """The determination refused the application. Called by the reactions.

    `reason` is the determination's, in words for the trader. Side effects in order: the reason
    and the time; the move, with its one event; a letter to every officer.
    Errors: `IllegalTransitionError` unless it is submitted or returned.
    """
    _close(work, application, "refuse", reason)
    to_officers(work, application, "application-refused", reason=reason)


def withdraw(work: Work, application: Application) -> None:
    """An officer takes the application back; the trader may start another one at any time.

    Side effects in order: the time; the move, with its one event. A second call does nothing.
    Errors: `NotAllowedError` for anyone but an officer; `IllegalTransitionError` once decided.
    """
    officer_only(work, application)
    lock_row(work.session, application)
    if application.state == ApplicationState.WITHDRAWN:
        return
    move(work, application, "withdraw", reference=application.reference)
    application.closed_at = work.now
    application.closed_by = work.actor.person_id
    application.reopened_tasks = []


def _close(work: Work, application: Application, name: str, reason: str) -> None:
    lock_row(work.session, application)
    application.workflow.move(application.state, name)
    application.closed_at = work.now
    application.closed_by = work.actor.person_id
    application.outcome_reason = reason.strip()
    application.reopened_tasks = []
    move(work, application, name, reference=application.reference)
