"""What can be done to documents: keep, remove, freeze, note what the scanner said."""

import hashlib
import tempfile
import uuid
from collections.abc import Iterable
from datetime import date
from typing import BinaryIO

from sqlalchemy import select, update

from app.audit.tags import EventTag
from app.db.concurrency import lock_row, lock_words
from app.documents import queries, rules
from app.documents.files import files
from app.documents.inspection import CHUNK, inspect
from app.documents.models import Document, DocumentRevision
from app.jobs.queue import defer
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.work import Work, move

SPOOL = 1024 * 1024


def store(
    work: Work,
    trader_id: uuid.UUID,
    *,
    owner_kind: str,
    owner_id: uuid.UUID,
    filename: str,
    stream: BinaryIO,
    title: str = "",
    kind: str = "",
    confidential: bool = False,
    expires_on: date | None = None,
    reuse: bool = False,
    tag: EventTag = EventTag.DOCUMENT_STORED,
) -> DocumentRevision:
    """Keep a file of a trader and return its first revision, still to be scanned.

    Side effects in order: the file in its place, on the disk; the two rows; the scan's job; the
    event. A crash between leaves a file that no row names, which harms nobody. With `reuse`, a
    live document of the trader with the very same bytes is given back instead, so that sending
    a form twice keeps one file. The event is `tag`, where the trader is told otherwise of it.

    `NotReadyError` with one problem beside the field `file`: empty, over 25 MB (counted while
    reading, whatever length was announced), not an accepted kind, or not what its name says.
    """
    name = rules.clean_filename(filename)
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spooled:
        digest, size = _take(stream, spooled)  # type: ignore[arg-type]
        found = inspect(spooled, name)  # type: ignore[arg-type]
        if isinstance(found, Problem):
            raise NotReadyError([found])
        if reuse:
            lock_words(work.session, "document", str(trader_id), digest)
            same = queries.live_with_bytes(work.session, trader_id, digest)
            if same is not None:
                return same
        files().put(trader_id, digest, spooled)  # type: ignore[arg-type]
    document = Document(
        id=work.new_id(),
        trader_id=trader_id,
        owner_kind=owner_kind,
        owner_id=owner_id,
        title=title or rules.title_of(name),
        kind=kind,
        created_at=work.now,
        created_by=work.actor.person_id,
    )
    revision = DocumentRevision(
        id=work.new_id(),
        document=document,
        trader_id=trader_id,
        number=1,
        filename=name,
        media_type=found.media_type,
        size=size,
        sha256=digest,
        confidential=confidential,
        expires_on=expires_on,
        stored_at=work.now,
        stored_by=work.actor.person_id,
        stored_by_name=work.actor.name,
    )
    work.session.add_all((document, revision))
    work.session.flush()
    defer(work, "documents.scan", revision_id=str(revision.id))
    work.record(
        tag,
        document,
        revision_id=revision.id,
        sha256=digest,
        size=size,
        media_type=found.media_type,
        owner_kind=owner_kind,
        owner_id=owner_id,
    )
    return revision


def _take(stream: BinaryIO, into: BinaryIO) -> tuple[str, int]:
    """Copy a stream, counting; return its SHA-256 in hexadecimal and its length in bytes."""
    digest = hashlib.sha256()
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > rules.LIMIT:
            raise NotReadyError(
                [rules.refused("This file is larger than 25 MB. Send it in parts.", "size")]
            )
        digest.update(chunk)
        into.write(chunk)
    if not size:
        raise NotReadyError([rules.refused("This file is empty. Choose another one.", "empty")])
    return digest.hexdigest(), size


def remove(work: Work, document: Document) -> None:
    """Take a document out of the trader's list. The bytes stay, because the record names them.

    Side effects in order: the mark, the event; nothing when it was removed already.
    `ConflictError` when a submitted application cites any of its revisions.
    """
    work.session.flush()
    lock_row(work.session, document)
    if document.removed_at is not None:
        return
    cited = work.session.scalar(
        select(DocumentRevision.id)
        .where(DocumentRevision.document_id == document.id, DocumentRevision.frozen_at.is_not(None))
        .limit(1)
    )
    if cited is not None:
        raise ConflictError(
            "This document is part of a submitted application, so it cannot be removed."
        )
    document.removed_at = work.now
    document.removed_by = work.actor.person_id
    work.record(EventTag.DOCUMENT_REMOVED, document)


def describe(
    work: Work, revision: DocumentRevision, *, expires_on: date | None, confidential: bool
) -> None:
    """Say until when a file holds, and whether it is confidential business information.

    Side effects in order: the row, one event with both as they were and are; nothing when nothing
    changed. `NotReadyError` beside `expires_on` for a cited file whose last day is put off.
    """
    lock_row(work.session, revision)
    was = (revision.expires_on, revision.confidential)
    if was == (expires_on, confidential):
        return
    problems = rules.last_day_problems(
        expires_on, revision.expires_on, cited=revision.frozen_at is not None
    )
    if problems:
        raise NotReadyError(problems)
    revision.expires_on, revision.confidential = expires_on, confidential
    work.record(
        EventTag.DOCUMENT_DESCRIBED,
        revision.document,
        revision_id=revision.id,
        expires_before=_day(was[0]),
        expires_on=_day(expires_on),
        confidential_before=was[1],
        confidential=confidential,
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def freeze(work: Work, revision_ids: Iterable[uuid.UUID]) -> None:
    """Mark revisions as cited by a submitted application, so that they cannot be removed.

    Records nothing: it is part of the submission, whose own event names the snapshot. Waits
    for a removal that is under way; `ConflictError` when one of them was removed meanwhile.
    """
    wanted = set(revision_ids)
    removed = work.session.scalars(
        select(Document)
        .where(
            Document.id.in_(
                select(DocumentRevision.document_id).where(DocumentRevision.id.in_(wanted))
            )
        )
        .order_by(Document.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if any(document.removed_at is not None for document in removed):
        raise ConflictError(
            "A document that the application cites was removed at the same moment. Look at the"
            " evidence again."
        )
    work.session.execute(
        update(DocumentRevision)
        .where(DocumentRevision.id.in_(wanted), DocumentRevision.frozen_at.is_(None))
        .values(frozen_at=work.now)
    )


def note_scan(work: Work, revision: DocumentRevision, *, found: str | None) -> None:
    """Note what the virus scanner said: `found` names what it found, `None` is nothing.

    Side effects in order: the finding, the move to clean or infected with its event.
    """
    revision.scanned_at = work.now
    revision.scan_finding = found
    if found is None:
        move(work, revision, "clear", document_id=revision.document_id)
    else:
        move(work, revision, "condemn", document_id=revision.document_id, finding=found)


def pass_unscanned(work: Work, revision: DocumentRevision) -> None:
    """Note that this installation has no scanner; people are warned before each download."""
    move(work, revision, "pass_unscanned", document_id=revision.document_id)
