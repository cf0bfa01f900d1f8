"""Files beside a criterion."""

import uuid
from dataclasses import replace
from typing import BinaryIO

from app.assessments import queries
from app.assessments.models import AnswerEvidence, Assessment
from app.assessments.rules import evidence_field
from app.assessments.service.sections import open_section
from app.audit.tags import EventTag
from app.db.concurrency import lock_row
from app.documents.models import DocumentRevision
from app.documents.queries import revisions
from app.documents.service import store
from app.documents.workflow import ScanState
from app.kernel.errors import NotFoundError, NotReadyError
from app.work import Work


def attach_evidence(
    work: Work, assessment: Assessment, criterion_id: str, revision_id: uuid.UUID
) -> AnswerEvidence:
    """Let a document revision that the trader has already support a criterion.

    Side effects in order: the row, the event; nothing when it is attached already.
    `NotFoundError` for a criterion outside the profile and for a revision that is not the
    trader's, was removed, or is infected; `SectionLockedError`.
    """
    section_id = _section_id_of(assessment, criterion_id)
    open_section(work, assessment, section_id)
    revision = revisions(work.session, [revision_id]).get(revision_id)
    if (
        revision is None
        or revision.trader_id != assessment.trader_id
        or revision.document.removed_at is not None
        or revision.scan_state == ScanState.INFECTED
    ):
        raise NotFoundError
    return _attach(work, assessment, criterion_id, revision)


def upload_evidence(
    work: Work, assessment: Assessment, criterion_id: str, *, filename: str, stream: BinaryIO
) -> AnswerEvidence:
    """Keep a new file and let it support a criterion; the same file twice is kept once.

    Side effects in order: those of `documents.service.store`, the row, the event.
    `NotReadyError` with one problem beside the criterion's file control; else as for
    `attach_evidence`.
    """
    section_id = _section_id_of(assessment, criterion_id)
    open_section(work, assessment, section_id)
    try:
        revision = store(
            work,
            assessment.trader_id,
            owner_kind=assessment.__tablename__,
            owner_id=assessment.id,
            filename=filename,
            stream=stream,
            kind="evidence",
            reuse=True,
        )
    except NotReadyError as refusal:
        raise NotReadyError(
            [replace(one, field=evidence_field(criterion_id)) for one in refusal.problems]
        ) from refusal
    return _attach(work, assessment, criterion_id, revision)


def _section_id_of(assessment: Assessment, criterion_id: str) -> str:
    for section in queries.catalogue_of(assessment).sections_in(assessment.profile_id):
        if any(one.id == criterion_id for one in section.criteria):
            return section.id
    raise NotFoundError


def _attach(
    work: Work, assessment: Assessment, criterion_id: str, revision: DocumentRevision
) -> AnswerEvidence:
    same = queries.evidence_with(work.session, assessment.id, criterion_id, revision.id)
    if same is not None:
        return same
    evidence = AnswerEvidence(
        id=work.new_id(),
        assessment_id=assessment.id,
        criterion_id=criterion_id,
        document_revision_id=revision.id,
        revision=revision,
        attached_at=work.now,
        attached_by=work.actor.person_id,
        attached_by_name=work.actor.name,
    )
    work.session.add(evidence)
    work.session.flush()
    work.record(
        EventTag.EVIDENCE_ATTACHED,
        assessment,
        criterion=criterion_id,
        revision_id=revision.id,
        sha256=revision.sha256,
    )
    return evidence


def detach_evidence(work: Work, assessment: Assessment, evidence_id: uuid.UUID) -> None:
    """Take a file away from a criterion; the file itself stays among the trader's documents.

    Side effects in order: the mark, the event; nothing when it was detached already.
    `NotFoundError` for another assessment's row; `SectionLockedError`.
    """
    evidence = work.session.get(AnswerEvidence, evidence_id)
    if evidence is None or evidence.assessment_id != assessment.id:
        raise NotFoundError
    open_section(work, assessment, _section_id_of(assessment, evidence.criterion_id))
    work.session.flush()
    lock_row(work.session, evidence)
    if evidence.detached_at is not None:
        return
    evidence.detached_at = work.now
    evidence.detached_by = work.actor.person_id
    work.record(
        EventTag.EVIDENCE_DETACHED,
        assessment,
        criterion=evidence.criterion_id,
        revision_id=evidence.document_revision_id,
    )
