"""One-time links: made here, used here, so that each is good exactly once."""

import uuid
from datetime import timedelta

from sqlalchemy import select, update

from app.identity import queries
from app.identity.models import LinkPurpose, OneTimeLink, Person
from app.identity.secret_values import digest
from app.kernel.errors import ConflictError
from app.kernel.ids import new_token
from app.work import Work

SPENT = (
    "This link does not work any more. It may have been used already, be too old, or have been"
    " replaced by a newer one."
)


class LinkSpentError(ConflictError):
    """The link was used, is too old, or never was; the three look the same."""

    def __init__(self) -> None:
        super().__init__(SPENT)


def make_link(
    work: Work,
    purpose: LinkPurpose,
    *,
    lasts: timedelta,
    person_id: uuid.UUID | None = None,
    email: str | None = None,
    role: str | None = None,
) -> tuple[OneTimeLink, str]:
    """Insert a link and give it with its token; a person's older ones for this purpose end."""
    if person_id is not None:
        # Two requests at once take turns, so that only the newest link is good.
        work.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
        spend_all(work, person_id, purpose)
    token = new_token()
    link = OneTimeLink(
        id=work.new_id(),
        person_id=person_id,
        email=email,
        role=role,
        purpose=purpose.value,
        token_hash=digest(token),
        created_at=work.now,
        expires_at=work.now + lasts,
    )
    work.session.add(link)
    return link, token


def use_link(work: Work, token: str, purpose: LinkPurpose) -> OneTimeLink:
    """Use a link up. Its row stays locked to the commit, so that two clicks are one use.

    `LinkSpentError` when it is not good. The caller undoes the use by raising.
    """
    link = queries.live_link(work.session, token, purpose.value, work.now, lock=True)
    if link is None:
        raise LinkSpentError
    link.used_at = work.now
    return link


def spend_all(work: Work, person_id: uuid.UUID, purpose: LinkPurpose) -> None:
    """Make every unused link of a person for one purpose useless."""
    work.session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.person_id == person_id,
            OneTimeLink.purpose == purpose.value,
            OneTimeLink.used_at.is_(None),
        )
        .values(used_at=work.now)
    )
