"""Proposing, publishing, declining and taking back a version of a catalogue.

Source: design section 4 and the interface reference on criteria that change: two people, an
immutable version with its hash, and everybody asked by words that were signed.
"""

import hashlib
import uuid
from typing import Any

from app.audit.tags import EventTag
from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.catalogues.check import examine
from app.catalogues.loader import SHIPPED, catalogue_of_bytes, catalogues
from app.catalogues.model import Catalogue, UnknownIdError
from app.db.concurrency import first_with, lock_row, lock_words
from app.db.references import next_reference
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError, Problem
from app.publications import letters, queries
from app.publications.models import Publication
from app.publications.workflow import PublicationState
from app.work import Work, move


def propose(work: Work, *, key: uuid.UUID, raw: bytes, name: str, note: str) -> Publication:
    """Propose that the catalogue version in `raw` be used; a second person has to approve it.

    `name` is the file's name, for the faults; `note` says why, for the second person. Side effects
    in order: the row with `key` as its id and the bytes; one event; letters to who can sign. The
    same key again gives the first row back. Errors: `NotReadyError` with every fault of the file,
    also of what it says about its changes, with the field `file`, or without a note; `ConflictError`
    when the version is proposed or published already; `NotAllowedError`.
    """
    if not may_ever(work.actor, Permission.CATALOGUE_PROPOSE) or work.actor.person_id is None:
        raise NotAllowedError("Only a programme manager or a supervisor proposes criteria.")
    earlier = first_with(work.session, Publication, key)
    if earlier is not None and earlier.proposed_by == work.actor.person_id:
        return earlier
    catalogue = _sound(work, raw, name)
    if not note.strip():
        raise NotReadyError([Problem("Say why these criteria are needed.", "note")])
    lock_words(work.session, "catalogue", catalogue.id, catalogue.version)
    if queries.live(work.session, catalogue.id, catalogue.version) is not None:
        raise ConflictError("This version is proposed or published already.")
    publication = Publication(
        id=key if earlier is None else work.new_id(),
        reference=next_reference(work.session, "CV", work.now.year),
        catalogue_id=catalogue.id,
        version=catalogue.version,
        programme=catalogue.programme,
        effective=catalogue.effective,
        sha256=catalogue.sha256,
        content=raw,
        note=note.strip(),
        proposed_by=work.actor.person_id,
        proposed_by_name=work.actor.name,
        proposed_at=work.now,
    )
    work.session.add(publication)
    work.session.flush()
    work.record(EventTag.CATALOGUE_PROPOSED, publication, **_named(publication))
    letters.tell_signers(work, publication)
    return publication


def publish(work: Work, publication: Publication) -> None:
    """Give the second signature: from its day on, new assessments use this version.

    Side effects in order: the move with its event, whose reactions tell the traders with open
    drafts; a letter to who proposed it. Errors: `NotAllowedError` for the proposer and for who may
    not sign; `IllegalTransitionError` when it was decided; `ConflictError` when this installation's
    file of the version is not the one that was proposed.
    """
    _lock(work, publication)
    _require_second_person(work, publication)
    publication.workflow.move(publication.state, "publish")
    try:
        here = catalogues().get(publication.catalogue_id, publication.version)
    except UnknownIdError:
        here = None
    if here is not None and here.sha256 != publication.sha256:
        raise ConflictError(
            "The file of this version was altered since it was proposed. Decline this, and propose"
            " it anew."
        )
    _decide(work, publication, "publish")
    letters.tell_proposer(work, publication)


def decline(work: Work, publication: Publication, *, reason: str) -> None:
    """Refuse to sign what somebody else proposed; everything stays as it is.

    Side effects in order: the move with its event; a letter to who proposed it. A second call by
    the same person does nothing. Errors: `NotReadyError` without a reason; as of `publish`.
    """
    _lock(work, publication)
    _require_second_person(work, publication)
    if (
        publication.state == PublicationState.DECLINED
        and publication.decided_by == work.actor.person_id
    ):
        return
    if not reason.strip():
        raise NotReadyError([Problem("Say why.", "reason")])
    publication.decision_note = reason.strip()
    _decide(work, publication, "decline")
    letters.tell_proposer(work, publication)


def withdraw(work: Work, publication: Publication) -> None:
    """Take back one's own proposal; a second call does nothing.

    Side effects: the move, with its event. Errors: `NotAllowedError` for everybody but the
    proposer; `IllegalTransitionError` when it was decided.
    """
    _lock(work, publication)
    if publication.proposed_by != work.actor.person_id:
        raise NotAllowedError("Only the person who proposed this can take it back.")
    if publication.state == PublicationState.WITHDRAWN:
        return
    publication.decided_at = work.now
    move(work, publication, "withdraw", **_named(publication))
    work.session.flush()


def _sound(work: Work, raw: bytes, name: str) -> Catalogue:
    """The catalogue in the bytes, or `NotReadyError` with every fault."""
    content, faults = examine(raw, name)
    if content is not None:
        catalogue = catalogue_of_bytes(raw, name)
        before = _before(work, catalogue)
        _, faults = examine(raw, name, None if before is None else before.content)
        if not faults:
            _refuse_other_words(catalogue)
            return catalogue
    raise NotReadyError(
        [Problem("%(fault)s", "file", "CATALOGUE_FAULT", {"fault": str(one)}) for one in faults]
    )


def _before(work: Work, catalogue: Catalogue) -> Catalogue | None:
    """The version that this one changes; `NotReadyError` when nobody is asked by it."""
    if catalogue.previous is None:
        return None
    try:
        before = queries.known_version(work.session, catalogue.id, catalogue.previous)
    except UnknownIdError:
        before = None
    published = {one.key for one in queries.signed(work.session)}
    if before is None or (
        before.previous is not None and (before.id, before.version) not in published
    ):
        raise NotReadyError(
            [
                Problem(
                    "The version before, %(version)s, is not in use here. Publish that first.",
                    "file",
                    "CATALOGUE_BEFORE",
                    {"version": catalogue.previous},
                )
            ]
        )
    return before


def _refuse_other_words(catalogue: Catalogue) -> None:
    try:
        shipped = catalogues().get(catalogue.id, catalogue.version)
    except UnknownIdError:
        return
    if shipped.sha256 != catalogue.sha256:
        raise NotReadyError(
            [
                Problem(
                    "This installation has a file of this version with other words. A change, be it"
                    " a comma, is a new version.",
                    "file",
                    "CATALOGUE_OTHER_WORDS",
                )
            ]
        )


def _lock(work: Work, publication: Publication) -> None:
    # One after the other for each version, as in `propose`.
    lock_words(work.session, "catalogue", publication.catalogue_id, publication.version)
    lock_row(work.session, publication)


def _require_second_person(work: Work, publication: Publication) -> None:
    if not may_ever(work.actor, Permission.CATALOGUE_APPROVE):
        raise NotAllowedError(
            "Only a programme manager or a supervisor gives the second signature."
        )
    if publication.proposed_by == work.actor.person_id:
        raise NotAllowedError("You proposed this yourself: a second person has to decide.")


def _decide(work: Work, publication: Publication, name: str) -> None:
    publication.decided_by = work.actor.person_id
    publication.decided_by_name = work.actor.name
    publication.decided_at = work.now
    move(work, publication, name, **_named(publication))
    work.session.flush()


def _named(publication: Publication) -> dict[str, Any]:
    return {
        "reference": publication.reference,
        "catalogue": publication.catalogue_id,
        "version": publication.version,
        "sha256": publication.sha256,
    }


def shipped_bytes(catalogue_id: str, version: str) -> bytes:
    """The bytes of a shipped version; `UnknownIdError` when there is no such file."""
    catalogue = catalogues().get(catalogue_id, version)
    raw = (SHIPPED / f"{catalogue_id}-{version}.yaml").read_bytes()
    if hashlib.sha256(raw).hexdigest() != catalogue.sha256:
        raise ConflictError("The file was altered while this program ran. Start it anew.")
    return raw
