"""What is read about documents. Foreign and absent look the same."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from app.authz.actor import Actor
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents.models import Document, DocumentRevision
from app.documents.rules import APART
from app.documents.workflow import ScanState
from app.kernel.errors import NotFoundError
from app.work import Work


@dataclass(frozen=True, slots=True)
class OfTrader:
    """A trader's id where the policy asks whose a thing is."""

    trader_id: uuid.UUID


def visible_revision(
    work: Work, revision_id: uuid.UUID, permission: Permission
) -> DocumentRevision:
    """The revision, when the actor holds the permission on it; `NotFoundError` otherwise.

    Removed documents are still visible to those who cite them, those of `rules.APART` never. What
    is confidential is not handed to a broker's people.
    """
    revision = work.session.get(DocumentRevision, revision_id)
    if (
        revision is None
        or revision.document.owner_kind in APART
        or not may(work.actor, permission, revision)
        or (permission is Permission.DOCUMENT_READ and kept_from(work.actor, revision))
    ):
        raise NotFoundError
    return revision


def kept_from(actor: Actor, revision: DocumentRevision) -> bool:
    """Whether it is confidential, and the actor only acts for its trader under a delegation."""
    return revision.confidential and revision.trader_id in actor.grants


def confidential_of(session: Session, revision_id: uuid.UUID) -> set[uuid.UUID]:
    """The confidential revisions of the trader whose this one is."""
    trader_id = (
        select(DocumentRevision.trader_id)
        .where(DocumentRevision.id == revision_id)
        .scalar_subquery()
    )
    return set(
        session.scalars(
            select(DocumentRevision.id).where(
                DocumentRevision.trader_id == trader_id, DocumentRevision.confidential
            )
        )
    )


def visible_document(
    work: Work, trader_id: uuid.UUID, document_id: uuid.UUID, permission: Permission
) -> Document:
    """The trader's document that was not removed; `NotFoundError` otherwise."""
    document = work.session.get(Document, document_id)
    if (
        document is None
        or document.trader_id != trader_id
        or document.removed_at is not None
        or document.owner_kind in APART
        or not may(work.actor, permission, document)
    ):
        raise NotFoundError
    return document


def check_reach(work: Work, trader_id: uuid.UUID, permission: Permission) -> None:
    """`NotFoundError` unless the actor holds the permission at the trader."""
    if not may(work.actor, permission, OfTrader(trader_id)):
        raise NotFoundError


def live_revisions(trader_id: uuid.UUID) -> Select[DocumentRevision]:
    """A statement for the revisions of the trader's documents that were not removed, newest first."""
    return (
        select(DocumentRevision)
        .join(DocumentRevision.document)
        .options(contains_eager(DocumentRevision.document))
        .where(
            DocumentRevision.trader_id == trader_id,
            Document.removed_at.is_(None),
            Document.owner_kind.not_in(APART),
        )
        .order_by(DocumentRevision.stored_at.desc(), DocumentRevision.id.desc())
    )


def reusable(session: Session, trader_id: uuid.UUID, *, limit: int = 100) -> list[DocumentRevision]:
    """The trader's own documents that can support another criterion, newest first."""
    statement = live_revisions(trader_id).where(DocumentRevision.scan_state != ScanState.INFECTED)
    return list(session.scalars(statement.limit(limit)))


def revisions(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, DocumentRevision]:
    """Revisions by id; those that do not exist are left out."""
    found = session.scalars(select(DocumentRevision).where(DocumentRevision.id.in_(set(ids))))
    return {one.id: one for one in found}


def live_with_bytes(session: Session, trader_id: uuid.UUID, sha256: str) -> DocumentRevision | None:
    """The trader's own live revision with these bytes, if any."""
    same = live_revisions(trader_id).where(DocumentRevision.sha256 == sha256).limit(1)
    return session.scalars(same).one_or_none()
