"""Who works on a case. One reviewer at a time, so that nobody's verdict crosses another's."""

from app.authz.permissions import Permission
from app.authz.policy import may
from app.casework.models import Case
from app.db.concurrency import lock_row
from app.kernel.errors import ConflictError, IllegalTransitionError, NotAllowedError
from app.work import Work, move


def take(work: Work, case: Case) -> None:
    """Take the case: from now on only this reviewer judges, asks and recommends in it.

    Side effects in order: the move, with its one event; the reviewer's name on the case. Taking
    one's own case again does nothing.
    Errors: `ConflictError` that names the colleague who was faster; `IllegalTransitionError`
    once it is recommended or closed; `NotAllowedError` for whoever is no reviewer.
    """
    if not may(work.actor, Permission.CASE_REVIEW, case):
        raise NotAllowedError("Only a reviewer takes cases.")
    lock_row(work.session, case)
    if case.assignee_id is not None and case.assignee_id == work.actor.person_id:
        return
    if case.assignee_id is not None:
        raise ConflictError(
            "%(name)s took case %(reference)s on %(at)s UTC, before you. Nothing was changed.",
            name=case.assignee_name or "",
            reference=case.reference,
            at="" if case.taken_at is None else f"{case.taken_at:%d %B %Y, %H:%M}".lstrip("0"),
        )
    move(work, case, "take")
    case.assignee_id = work.actor.person_id
    case.assignee_name = work.actor.name
    case.taken_at = work.now
    work.session.flush()


def release(work: Work, case: Case) -> None:
    """Give the case back to the queue; verdicts and requests stay.

    Side effects in order: the move, with its one event; the case has no reviewer any more.
    Releasing a case that nobody holds does nothing.
    Errors: `NotAllowedError` unless it is one's own or one is a supervisor;
    `IllegalTransitionError` once it is recommended or closed.
    """
    lock_row(work.session, case)
    own = case.assignee_id == work.actor.person_id
    if not own and not may(work.actor, Permission.DETERMINATION_APPROVE, case):
        raise NotAllowedError("Only the reviewer who holds a case, or a supervisor, releases it.")
    if case.assignee_id is None:
        return
    move(work, case, "release")
    case.assignee_id = None
    case.assignee_name = None
    case.taken_at = None
    work.session.flush()


def require_holder(work: Work, case: Case) -> None:
    """Lock the case; refuse everyone but the reviewer who holds it.

    `NotAllowedError` for whoever is no reviewer; `ConflictError` that names who holds it, since
    it may have changed hands while the page was open; `IllegalTransitionError` once it is closed.
    """
    if not may(work.actor, Permission.CASE_REVIEW, case):
        raise NotAllowedError("Only a reviewer does this.")
    lock_row(work.session, case)
    if case.closed_at is not None:
        raise IllegalTransitionError("This case is closed; nothing in it can be changed any more.")
    if case.assignee_id is None:
        raise ConflictError(
            "Nobody holds case %(reference)s. Take it first.", reference=case.reference
        )
    if case.assignee_id != work.actor.person_id:
        raise ConflictError(
            "Case %(reference)s is with %(name)s now. Nothing was changed.",
            reference=case.reference,
            name=case.assignee_name or "",
        )
