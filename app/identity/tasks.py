"""Throwing away what has had its time, and suspending the API clients that nobody uses."""

from datetime import timedelta

from sqlalchemy import delete

from app.identity import queries, service
from app.identity.client_rules import RULES
from app.identity.models import (
    ApiClient,
    ClientAssertion,
    IssuedToken,
    RateCount,
    TokenDenial,
    WebSession,
)
from app.identity.session_store import KEPT_AFTER_END
from app.jobs.queue import job_work, queue, task
from app.work import Work


def prune(work: Work) -> None:
    """Delete what no longer decides anything; a person's ended sessions stay for thirty days.

    No event: nothing of anybody's changes.
    """
    db, now = work.session, work.now
    db.execute(
        delete(WebSession).where(WebSession.person_id.is_(None), WebSession.expires_at <= now)
    )
    db.execute(
        delete(WebSession).where(WebSession.expires_at <= now - timedelta(days=KEPT_AFTER_END))
    )
    for table in (RateCount, ClientAssertion, TokenDenial, IssuedToken):
        db.execute(delete(table).where(table.expires_at <= now))


@queue.periodic(cron="*/20 * * * *")
@task("identity.prune", queueing_lock="identity.prune")
def prune_now(timestamp: int) -> None:
    """Every twenty minutes."""
    del timestamp
    with job_work("prune") as work:
        prune(work)


def review_idle() -> None:
    """Warn of the suspension of every client that lies idle, and suspend those that stayed so.

    Each client has a transaction of its own, so that a killed job has done what it has done, and
    run again finds nothing left of that.
    """
    with job_work("idle-clients") as work:
        soonest = min(rules.warn_after for rules in RULES.values())
        idle = queries.idle_candidates(work.session, work.now - soonest)
    for key in idle:
        with job_work("idle-clients") as work:
            service.review_idle(work, work.session.get_one(ApiClient, key))


@queue.periodic(cron="40 5 * * *")
@task("identity.review-idle", queueing_lock="identity.review-idle")
def review_idle_now(timestamp: int) -> None:
    """Once a day."""
    del timestamp
    review_idle()
