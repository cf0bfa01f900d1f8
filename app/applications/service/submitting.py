"""Submitting: the officer declares, and everything is frozen in one transaction."""

import uuid

from app.applications import queries
from app.applications.agreements import DECLARATION_VERSION, declaration
from app.applications.models import Application, Snapshot
from app.applications.queries.content import assessment_of
from app.applications.rules.frozen import Content, digest, fingerprint
from app.applications.rules.signature import name_problem
from app.applications.service.letters import day_in_words, to_officers
from app.applications.service.permission import officer_only
from app.assessments import service as assessments
from app.assessments.queries import evidence_revision_ids
from app.db.concurrency import StaleError, lock_row
from app.documents.service import freeze
from app.kernel.errors import IllegalTransitionError, NotReadyError, Problem
from app.register.programme import PROGRAMMES
from app.work import Work, move

DECISION_CLOCK = "decision"


def submit(
    work: Work,
    application: Application,
    *,
    key: uuid.UUID,
    name: str,
    declared: bool,
    seen: str,
) -> Snapshot:
    """Declare and submit, or submit again what was returned; both freeze what is submitted.

    `seen` is the fingerprint of the content that the officer's page showed. Side effects in order: the
    assessment is locked and its evidence frozen; the snapshot, with `key` as its id; nothing is
    reopened any more; the move, with its one event, whose reactions open the case or wake it; a
    receipt by mail to every officer. The same key again gives the first snapshot back and does
    nothing.
    Errors: `NotAllowedError` for anyone but an officer; `IllegalTransitionError` unless it is a
    draft or returned; `NotReadyError` with every unmet point (`field` is the task's key), or with
    the fields `name` and `declared`; `StaleError` when something changed since the page was shown.
    Source: 6 USC 963; the programme's portal rules (only an officer submits).
    """
    officer_only(work, application)
    lock_row(work.session, application)
    earlier = work.session.get(Snapshot, key)
    if earlier is not None and earlier.application_id == application.id:
        return earlier
    taken = next((one for one in ("submit", "resubmit") if one in application.available()), None)
    if taken is None:
        # Says what the state is by now, in the words that every such refusal uses.
        application.workflow.move(application.state, "submit")
        raise IllegalTransitionError("It cannot be submitted now.")
    # Saves that are under way end first, and none begins: what is judged is what is frozen.
    assessment = assessment_of(work.session, application)
    lock_row(work.session, assessment)
    unmet = queries.unmet(work, application)
    if unmet:
        raise NotReadyError(unmet)
    problems = name_problem(name, work.actor.name)
    if not declared:
        problems.append(Problem("Make the declaration to submit.", "declared", "NOT_DECLARED"))
    if problems or work.actor.person_id is None:
        raise NotReadyError(problems)
    content = queries.present_content(work, application)
    if fingerprint(content) != seen:
        raise StaleError
    if "lock" in assessment.available():  # It stayed locked when a return named none of it.
        assessments.lock(work, assessment)
    freeze(work, evidence_revision_ids(work.session, assessment.id))
    content["declaration"] = _declaration(work, name)
    content["submitted_at"] = work.now.isoformat()
    snapshot = Snapshot(
        id=key if earlier is None else work.new_id(),
        application_id=application.id,
        trader_id=application.trader_id,
        number=application.snapshot_count + 1,
        content=content,
        sha256=digest(content),
        at=work.now,
        person_id=work.actor.person_id,
    )
    work.session.add(snapshot)
    application.snapshot_count = snapshot.number
    application.reopened_tasks = []
    application.submitted_at = work.now
    application.submitted_by = work.actor.person_id
    event_data = {"snapshot_id": snapshot.id, "number": snapshot.number, "sha256": snapshot.sha256}
    work.session.flush()
    move(work, application, taken, reference=application.reference, **event_data)
    work.session.flush()
    clock = PROGRAMMES[application.programme].clock(DECISION_CLOCK)
    to_officers(
        work,
        application,
        "application-submitted",
        number=snapshot.number,
        sha256=snapshot.sha256,
        by=work.actor.name,
        days=clock.days,
        decide_by=day_in_words(work.now + clock.period),
    )
    return snapshot


def _declaration(work: Work, name: str) -> Content:
    return {
        "version": DECLARATION_VERSION,
        "text": declaration(),
        "name": " ".join(name.split()),
        "person_id": str(work.actor.person_id),
    }
