"""Throwing away what has had its time: sessions, counts, used proofs, ended denials."""

from datetime import timedelta

from sqlalchemy import delete

from app.identity.models import ClientAssertion, RateCount, TokenDenial, WebSession
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
    for table in (RateCount, ClientAssertion, TokenDenial):
        db.execute(delete(table).where(table.expires_at <= now))


@queue.periodic(cron="*/20 * * * *")
@task("identity.prune", queueing_lock="identity.prune")
def prune_now(timestamp: int) -> None:
    """Every twenty minutes."""
    del timestamp
    with job_work("prune") as work:
        prune(work)
