"""What is read about publications, and which words a version of a catalogue has.

A version is found among the shipped files first and among the stored ones then, so that a file
that was proposed from a command line is known to every process at once.
"""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.catalogues.loader import Catalogues, catalogue_of_bytes, catalogues
from app.catalogues.model import Catalogue, UnknownIdError
from app.kernel.errors import NotFoundError, UnavailableError
from app.publications.models import Publication
from app.publications.rules import Signed, altered
from app.publications.workflow import PublicationState
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE: Final = Publication._state  # noqa: SLF001
LIVE: Final = (PublicationState.PROPOSED, PublicationState.PUBLISHED)

_built: dict[str, Catalogue] = {}
"""Versions made of stored bytes, by their hash: equal hashes are equal words."""


def visible_publication(
    work: Work, publication_id: uuid.UUID, permission: Permission
) -> Publication:
    """The publication, when the actor holds the permission; else `NotFoundError`."""
    found = work.session.get(Publication, publication_id)
    if found is None or not may_ever(work.actor, permission):
        raise NotFoundError
    return found


def signed(session: Session) -> list[Signed]:
    """Every published version with its hash."""
    rows = session.execute(
        select(Publication.catalogue_id, Publication.version, Publication.sha256).where(
            STATE == PublicationState.PUBLISHED
        )
    )
    return [Signed(*row) for row in rows]


def altered_here(session: Session) -> list[Signed]:
    """The published versions whose file on this host is no longer what was signed."""
    return altered(signed(session), catalogues())


def current(session: Session, programme: str, entity_type: str, on: date) -> Catalogue:
    """The catalogue that an assessment begun on that day uses.

    Raises `UnknownIdError` when there is none, and `UnavailableError` when the file of a published
    version was altered on this installation: nobody is asked words that nobody has signed.
    """
    published = signed(session)
    shipped = catalogues()
    known = {(one.id, one.version): one for one in shipped}
    for one in published:
        if one.key not in known:
            known[one.key] = known_version(session, *one.key)
    found = Catalogues(known.values()).current(
        programme, entity_type, on, {one.key for one in published}
    )
    refuse_altered(found, published)
    return found


def refuse_altered(catalogue: Catalogue, published: Sequence[Signed]) -> None:
    """Raise `UnavailableError` when the version was published with another hash."""
    for one in published:
        if one.key == (catalogue.id, catalogue.version) and one.sha256 != catalogue.sha256:
            raise UnavailableError(
                "The criteria of this programme were altered on this installation.",
                code="catalogue-altered",
            )


def known_version(session: Session, catalogue_id: str, version: str) -> Catalogue:
    """This version, shipped or proposed or published; `UnknownIdError` when there is none."""
    try:
        return catalogues().get(catalogue_id, version)
    except UnknownIdError:
        sha256 = session.execute(
            select(Publication.sha256).where(
                Publication.catalogue_id == catalogue_id,
                Publication.version == version,
                STATE.in_(LIVE),
            )
        ).scalar_one_or_none()
        if sha256 is None:
            raise
    if sha256 not in _built:
        raw = session.execute(
            select(Publication.content).where(Publication.sha256 == sha256).limit(1)
        ).scalar_one()
        _built[sha256] = catalogue_of_bytes(raw, f"{catalogue_id}-{version}.yaml")
    return _built[sha256]


def way_between(session: Session, old: Catalogue, new: Catalogue) -> tuple[Catalogue, ...]:
    """The versions from `old` to `new`, both included; only the two where no way leads along.

    Each version says what it changes of the one before, so what changed is known along the way.
    """
    if (old.id, old.version) == (new.id, new.version):
        return (new,)
    way = [new]
    while way[-1].previous is not None and way[-1].id == old.id:
        if way[-1].previous == old.version:
            return (old, *reversed(way))
        try:
            way.append(known_version(session, old.id, way[-1].previous))
        except UnknownIdError:
            break
    return (old, new)


def live(session: Session, catalogue_id: str, version: str) -> Publication | None:
    """The publication of a version that waits for its second signature, or was published."""
    return session.scalars(
        select(Publication).where(
            Publication.catalogue_id == catalogue_id,
            Publication.version == version,
            STATE.in_(LIVE),
        )
    ).one_or_none()


def publications(session: Session) -> Sequence[Publication]:
    """Everything that was ever proposed, the newest first."""
    return session.scalars(
        select(Publication).order_by(Publication.proposed_at.desc(), Publication.id.desc())
    ).all()


def waiting_count(session: Session) -> int:
    """How many wait for their second signature."""
    return session.execute(
        select(func.count()).select_from(Publication).where(STATE == PublicationState.PROPOSED)
    ).scalar_one()
