"""Scan what was stored. A job that is run again finds the verdict there and does nothing."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from app.documents import held
from app.documents.files import equip_files, files
from app.documents.models import DocumentRevision
from app.documents.scanner import scan
from app.documents.service import note_scan, pass_unscanned
from app.documents.workflow import ScanState
from app.jobs.queue import bench, defer, job_work, queue, task

# By then the job that came with the file has used up its attempts.
LEFT_BEHIND_AFTER = timedelta(hours=2)


@task("documents.scan")
def scan_revision(revision_id: str) -> None:
    """Ask the scanner about one revision and note its verdict.

    Without `FAIRWAY_CLAMD` the revision is noted as unscanned. While the scanner is away the
    revision stays pending, which nobody can download, and the job is tried again.
    """
    settings = bench().settings
    equip_files(settings)
    with job_work() as work:
        revision = work.session.scalars(
            select(DocumentRevision)
            .where(DocumentRevision.id == uuid.UUID(revision_id))
            .with_for_update(of=DocumentRevision)
        ).one_or_none()
        if revision is None or revision.scan_state != ScanState.PENDING:
            return
        if settings.clamd is None:
            pass_unscanned(work, revision)
            return
        content = files().read(revision.trader_id, revision.sha256)
        note_scan(work, revision, found=scan(settings.clamd, content))


@queue.periodic(cron="53 * * * *")
@task("documents.let_go", queueing_lock="documents.let_go")
def let_go(timestamp: int) -> None:
    """Delete the files of forms that nobody corrected within a day."""
    del timestamp
    equip_files(bench().settings)
    with job_work() as work:
        held.let_go(work.now)


@queue.periodic(cron="23 * * * *")
@task("documents.scan_left_behind", queueing_lock="documents.scan_left_behind")
def scan_left_behind(timestamp: int) -> None:
    """Try again what a scanner that was away for long has left pending."""
    del timestamp
    with job_work() as work:
        waiting = work.session.scalars(
            select(DocumentRevision.id).where(
                DocumentRevision.scan_state == ScanState.PENDING,
                DocumentRevision.stored_at < work.now - LEFT_BEHIND_AFTER,
            )
        ).all()
        for revision_id in waiting:
            defer(work, "documents.scan", revision_id=str(revision_id))
