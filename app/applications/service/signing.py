"""Signing the partner agreement."""

from app.applications import queries
from app.applications.agreements import agreement_for
from app.applications.models import Agreement, Application
from app.applications.rules.signature import name_problem
from app.applications.rules.tasks import AGREEMENT, editable
from app.applications.service.permission import officer_only
from app.applications.workflow import ApplicationState
from app.audit.tags import EventTag
from app.db.concurrency import lock_row
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.work import Work


def sign_agreement(
    work: Work, application: Application, *, name: str, agreed: bool, version: str
) -> Agreement:
    """An officer signs the partner agreement of the programme, by name and in full.

    `version` is that of the text which the officer saw. Side effects in order: the agreement with
    the whole text; one event. Signed already: that agreement is given back, nothing is recorded.
    Errors: `NotAllowedError` for anyone but an officer; `NotReadyError` with the fields `name` and
    `agreed`; `ConflictError` when the text in force is another one by now, or when the agreement
    cannot be changed in the application's present state.
    Source: the programme's eligibility (an officer signs the partner agreement in the portal).
    """
    officer_only(work, application)
    lock_row(work.session, application)
    present = queries.agreement_of(work.session, application)
    wanted = application.snapshot_count + 1
    if present is not None and present.for_snapshot == wanted:
        return present
    state = ApplicationState(application.state)
    if not editable(state, application.reopened_tasks, AGREEMENT):
        raise ConflictError("The agreement cannot be signed in the application's present state.")
    text = agreement_for(application.programme)
    if version != text.version:
        raise ConflictError("There is a newer version of the agreement. Read that one, then sign.")
    problems = name_problem(name, work.actor.name)
    if not agreed:
        problems.append(
            Problem("Say that you have read the agreement and sign it.", "agreed", "NOT_AGREED")
        )
    if problems or work.actor.person_id is None:
        raise NotReadyError(problems)
    agreement = Agreement(
        id=work.new_id(),
        application_id=application.id,
        trader_id=application.trader_id,
        for_snapshot=wanted,
        text_version=text.version,
        text=text.text,
        signed_name=" ".join(name.split()),
        signed_by=work.actor.person_id,
        signed_at=work.now,
    )
    work.session.add(agreement)
    work.session.flush()
    work.record(
        EventTag.AGREEMENT_SIGNED,
        application,
        agreement_id=agreement.id,
        text_version=text.version,
        for_snapshot=wanted,
    )
    return agreement
