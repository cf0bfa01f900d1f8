"""What can be done to a plan: promise, change, begin, finish with proof, drop, reopen, share.

Source: the interface reference, screen 7, and what agencies ask of a partner after a finding: an
action with an owner, a day and a proof.
"""

import uuid
from collections.abc import Mapping
from datetime import date

from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.audit.tags import EventTag
from app.db.concurrency import lock_row, lock_words, require_version
from app.documents.models import DocumentRevision
from app.documents.workflow import ScanState
from app.identity.models import Person
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.plans import queries, rules
from app.plans.models import Action, Plan
from app.plans.workflow import OPEN
from app.work import Work, move


def promise(
    work: Work,
    assessment: Assessment,
    *,
    promises: Mapping[str, str],
    owner_id: uuid.UUID | None,
    due_on: date,
) -> Plan:
    """Promise an action for each criterion of `promises`, in its words; the first makes the plan.

    A criterion that has an open action already is left as it is, so that a form sent twice
    promises once. Side effects in order: the plan, if there is none; the actions; one event, or
    none when nothing was added. Errors: `NotReadyError` with the fields `criteria`, `promise`,
    `owner` and `due_on`.
    """
    catalogue = assessments.catalogue_of(assessment)
    possible = {
        criterion.id
        for section in catalogue.sections_in(assessment.profile_id)
        for criterion in section.criteria
    }
    owner = _owner(work, assessment.trader_id, owner_id)
    problems = rules.chosen_problems(promises, possible)
    problems += rules.due_problems(due_on, work.now.date())
    problems += [one for words in promises.values() for one in rules.promise_problems(words)][:1]
    if owner is None:
        problems.append(Problem("Choose who answers for it.", "owner", "owner"))
    if problems or owner is None:
        raise NotReadyError(problems)
    lock_words(work.session, "plan", str(assessment.id))
    plan = queries.plan_of(work.session, assessment.id)
    if plan is None:
        plan = Plan(
            id=work.new_id(),
            trader_id=assessment.trader_id,
            assessment_id=assessment.id,
            created_at=work.now,
            created_by=work.actor.person_id,
        )
        work.session.add(plan)
        work.session.flush()
    taken = {
        one.criterion_id for one in queries.actions_of(work.session, plan) if one.state in OPEN
    }
    added = {key: words for key, words in promises.items() if key not in taken}
    for criterion_id, words in added.items():
        work.session.add(
            Action(
                id=work.new_id(),
                trader_id=assessment.trader_id,
                plan_id=plan.id,
                criterion_id=criterion_id,
                promise=words.strip(),
                owner_id=owner.id,
                owner_name=owner.name,
                due_on=due_on,
                promised_at=work.now,
            )
        )
    work.session.flush()
    if added:
        work.record(EventTag.ACTIONS_PROMISED, plan, criteria=sorted(added), due_on=str(due_on))
    return plan


def change(
    work: Work,
    action: Action,
    *,
    words: str,
    owner_id: uuid.UUID | None,
    due_on: date,
    expected_version: int,
) -> None:
    """Change what is promised, by whom and by when, while it is open.

    Side effects in order: the row, one event. Errors: `ConflictError` once it has ended;
    `StaleError` when somebody changed it meanwhile; `NotReadyError` with the fields `promise`,
    `owner` and `due_on`. A day that was promised before may stand although it has passed.
    """
    lock_row(work.session, action)
    if action.state not in OPEN:
        raise ConflictError("This action has ended. Open it again to change it.")
    require_version(action, expected_version)
    owner = _owner(work, action.trader_id, owner_id)
    problems = rules.promise_problems(words)
    if due_on != action.due_on:
        problems += rules.due_problems(due_on, work.now.date())
    if owner is None:
        problems.append(Problem("Choose who answers for it.", "owner", "owner"))
    if problems or owner is None:
        raise NotReadyError(problems)
    before = action.due_on
    action.promise, action.due_on = words.strip(), due_on
    action.owner_id, action.owner_name = owner.id, owner.name
    work.record(
        EventTag.ACTION_CHANGED,
        action,
        criterion=action.criterion_id,
        due_before=str(before),
        due_on=str(due_on),
    )


def begin(work: Work, action: Action) -> None:
    """Say that it is being worked on; one event, none when it is already. `ConflictError` once it has ended."""
    _take(work, action, "begin", "begun")


def finish(work: Work, action: Action, *, proof: DocumentRevision | None) -> None:
    """Call it done, with the document that shows it.

    Side effects in order: the row, the move with its event; nothing when it is done already.
    Errors: `NotReadyError` beside `proof` without a document of the trader, or with an infected
    one; `ConflictError` when it was given up.
    """
    lock_row(work.session, action)
    if action.state == "done":
        return
    if proof is None or proof.trader_id != action.trader_id:
        raise NotReadyError([Problem("Choose the document that shows it.", "proof", "proof")])
    if proof.scan_state == ScanState.INFECTED:
        raise NotReadyError([Problem("This file is infected. Choose another.", "proof", "proof")])
    _require(action, "finish")
    action.proof_revision_id, action.ended_at = proof.id, work.now
    move(work, action, "finish", criterion=action.criterion_id, revision_id=proof.id)


def drop(work: Work, action: Action, *, reason: str) -> None:
    """Give it up and say why.

    Side effects in order: the row, the move with its event; nothing when it was given up already.
    Errors: `NotReadyError` beside `reason`; `ConflictError` when it is done.
    """
    lock_row(work.session, action)
    if action.state == "dropped":
        return
    problems = rules.reason_problems(reason)
    if problems:
        raise NotReadyError(problems)
    _require(action, "drop")
    action.reason, action.ended_at = reason.strip(), work.now
    move(work, action, "drop", criterion=action.criterion_id)


def reopen(work: Work, action: Action) -> None:
    """Promise it again with the same words and day; its proof or reason goes from it and stays in the record.

    One event; none when it is open. `ConflictError` when the criterion has another open action
    meanwhile.
    """
    lock_row(work.session, action)
    if action.state in OPEN:
        return
    plan = work.session.get_one(Plan, action.plan_id)
    lock_words(work.session, "plan", str(plan.assessment_id))
    others = queries.actions_of(work.session, plan)
    if any(one.criterion_id == action.criterion_id and one.state in OPEN for one in others):
        raise ConflictError("Another action about this criterion is open already.")
    action.proof_revision_id = action.reason = action.ended_at = None
    move(work, action, "reopen", criterion=action.criterion_id)


def share(work: Work, plan: Plan) -> None:
    """Let the agency's reviewers read the plan beside the submission; one event, none when it was so."""
    lock_row(work.session, plan)
    if plan.shared_at is None:
        plan.shared_at, plan.shared_by = work.now, work.actor.person_id
        work.record(EventTag.PLAN_SHARED, plan)


def keep(work: Work, plan: Plan) -> None:
    """Keep the plan from the agency again; what it has read it has read. One event, or none."""
    lock_row(work.session, plan)
    if plan.shared_at is not None:
        plan.shared_at = plan.shared_by = None
        work.record(EventTag.PLAN_KEPT, plan)


def _take(work: Work, action: Action, name: str, target: str) -> None:
    lock_row(work.session, action)
    if action.state == target:
        return
    _require(action, name)
    move(work, action, name, criterion=action.criterion_id)


def _require(action: Action, name: str) -> None:
    if name not in action.available():
        raise ConflictError("This action has ended meanwhile. Look at it again.")


def _owner(work: Work, trader_id: uuid.UUID, owner_id: uuid.UUID | None) -> Person | None:
    people = queries.owners(work.session, trader_id)
    return next((one for one in people if one.id == owner_id), None)
