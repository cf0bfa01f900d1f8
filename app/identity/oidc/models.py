"""By which identities at which providers a person is known."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId


class OidcSubject(HasId, Base):
    """One identity at one provider, and the person it opens.

    `issuer` and `subject` together are the name; a subject alone means nothing, because two
    providers may give the same one to two people. The address is not kept: it may change.
    """

    __tablename__ = "oidc_subject"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    linked_at: Mapped[datetime]
