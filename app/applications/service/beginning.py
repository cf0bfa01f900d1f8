"""Checking eligibility, and starting an application."""

import uuid
from collections.abc import Mapping

from app.applications import queries
from app.applications.eligibility import for_trader
from app.applications.models import Application, EligibilityCheck
from app.applications.rules.eligible import answer_problems, failed_points, start_problems
from app.assessments import service as assessments
from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_words
from app.db.references import next_reference
from app.kernel.errors import NotFoundError, NotReadyError
from app.publications.queries import current
from app.register.programme import PROGRAMMES
from app.register.queries import standing_of
from app.traders.models import Trader
from app.work import Work


def check_eligibility(
    work: Work, trader: Trader, *, key: uuid.UUID, programme: str, answers: Mapping[str, str]
) -> EligibilityCheck:
    """Judge the answers to a programme's eligibility questions; a "no" is an outcome, no error.

    Side effects in order: the check, with `key` as its id; one event. The same key again gives
    the first check back. Errors: `NotReadyError` with a problem for each question without an
    answer; `NotFoundError` while the programme is not open for this kind of trader.
    Source: the programme's eligibility rules, `app/applications/eligibility/*.yaml`.
    """
    eligibility = for_trader(programme, trader.entity_type)
    if eligibility is None:
        raise NotFoundError
    earlier = first_with(work.session, EligibilityCheck, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    missing = answer_problems(eligibility.questions, answers)
    if missing:
        raise NotReadyError(missing)
    failed = failed_points(eligibility.questions, answers)
    check = EligibilityCheck(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        programme=programme,
        entity_type=str(trader.entity_type),
        rules_version=eligibility.heading.version,
        answers=[
            {"id": one.id, "text": one.text, "answer": answers[one.id]}
            for one in eligibility.questions
        ],
        eligible=not failed,
        reasons=[one.as_json() for one in failed],
        at=work.now,
        person_id=work.actor.person_id,
    )
    work.session.add(check)
    work.session.flush()
    work.record(
        EventTag.ELIGIBILITY_CHECKED,
        check,
        programme=programme,
        eligible=check.eligible,
        failed=[one.id for one in failed],
    )
    return check


def start(work: Work, trader: Trader, *, programme: str) -> Application:
    """Start an application to the lowest tier that the rules open, or give the open one back.

    Side effects in order: the reference; the assessment of the catalogue in force, with its
    event; the application; its event. A second call, at the same moment or later, gives the
    trader's open application back and records nothing.
    Errors: `NotReadyError` without a passed check of the last 30 days, or when the trader's
    standing leaves nothing to apply for; `NotFoundError` while the programme is not open for
    this kind of trader.
    """
    lock_words(work.session, "application", str(trader.id), programme)
    present = queries.open_application(work.session, trader.id, programme)
    if present is not None:
        return present
    eligibility = for_trader(programme, trader.entity_type)
    if eligibility is None:
        raise NotFoundError
    check = queries.latest_check(work.session, trader.id, programme)
    standing = standing_of(work.session, trader.id, programme, valid_at=work.now)
    problems = start_problems(check, standing, PROGRAMMES[programme], work.now)
    if problems or check is None:
        raise NotReadyError(problems)
    tier = eligibility.heading.tier
    kind = str(trader.entity_type)
    catalogue = current(work.session, programme, kind, work.now.date())
    profile = catalogue.profile_for(kind, tier)
    assessment = assessments.start(work, trader.id, catalogue=catalogue, profile_id=profile.id)
    application = Application(
        id=work.new_id(),
        reference=next_reference(work.session, "AP", work.now.year),
        trader_id=trader.id,
        programme=programme,
        tier=tier,
        assessment_id=assessment.id,
        check_id=check.id,
        reopened_tasks=[],
        snapshot_count=0,
        started_at=work.now,
        started_by=work.actor.person_id,
    )
    work.session.add(application)
    work.session.flush()
    work.record(
        EventTag.APPLICATION_STARTED,
        application,
        reference=application.reference,
        programme=programme,
        tier=tier,
    )
    return application
