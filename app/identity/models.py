"""The tables of people and of programs: who may come in, and by what they are known.

No secret is stored: passwords as argon2id hashes, tokens and client secrets as SHA-256, which is
enough for values that carry 256 bits of chance.
"""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.authz.actor import AgencyRole
from app.db.base import Base, HasId, HasState
from app.identity.workflow import CLIENT
from app.kernel.workflow import Workflow


class Person(HasId, Base):
    """A human who signs in.

    `password_hash` is empty while the person has no way in of this kind. A person whose
    `ended_at` is set is out at once, whatever sessions are open.
    """

    __tablename__ = "person"

    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    mail_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class StaffRole(Base):
    """A person's role at the agency."""

    __tablename__ = "staff_role"
    __table_args__ = (
        CheckConstraint(
            "role IN ('reviewer', 'supervisor', 'programme_manager', 'auditor')", name="role"
        ),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    given_at: Mapped[datetime]

    @property
    def agency_role(self) -> AgencyRole:
        return AgencyRole(self.role)


class WebSession(HasId, Base):
    """One browser. `token_hash` is the SHA-256 of what its cookie holds.

    `expires_at` is the end that no use postpones; the idle limit is counted from `last_seen_at`.
    `fresh_at` is when the person last proved who they are, `method` by what they came in: see
    `rules.Method`, which tells the whole from the half. Without `person_id` it only carries the
    form token of somebody who has not signed in.
    """

    __tablename__ = "web_session"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) = (method IS NULL)", name="method_of_person"),
        CheckConstraint(
            "method IN ('password', 'invitation', 'password+totp', 'password+recovery-code',"
            " 'passkey', 'oidc', 'demo')",
            name="method",
        ),
        Index(None, "person_id"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    fresh_at: Mapped[datetime | None]
    address: Mapped[str]
    user_agent: Mapped[str]
    revoked_at: Mapped[datetime | None]
    method: Mapped[str | None]


class Passkey(HasId, Base):
    """A key that stays with the person's device or its vendor; we keep its public half alone.

    `sign_count` is the last that the device told, 0 for ever from those that do not count;
    `multi_device` and `backed_up` are what it says about copies of the key elsewhere.
    """

    __tablename__ = "passkey"
    __table_args__ = (Index(None, "person_id"),)

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    aaguid: Mapped[str]
    multi_device: Mapped[bool]
    backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class Authenticator(HasId, Base):
    """An app that shows a code each half minute (RFC 6238); one for each person.

    `sealed_key` is encrypted for this row. `last_step` is the half minute of the last code that
    was taken, so that each works once.
    """

    __tablename__ = "authenticator"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), unique=True)
    sealed_key: Mapped[bytes]
    last_step: Mapped[int]
    created_at: Mapped[datetime]


class RecoveryCode(HasId, Base):
    """One of ten codes on paper, each good once in the place of a lost factor."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("person_id", "code_hash"),)

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LinkPurpose(StrEnum):
    """What a one-time link opens."""

    VERIFY_MAIL = "verify-mail"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a purpose.
    JOIN_STAFF = "join-staff"
    RECOVER = "recover"


class OneTimeLink(HasId, Base):
    """A link sent by mail, good once until `expires_at`.

    It is for a person, or, for somebody who is invited to the agency, for an address and a role.
    """

    __tablename__ = "one_time_link"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (email IS NULL)", name="one_addressee"),
        CheckConstraint("(email IS NULL) = (role IS NULL)", name="role_by_mail"),
        Index(None, "person_id", "purpose"),
    )

    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    email: Mapped[str | None] = mapped_column(CITEXT)
    role: Mapped[str | None]
    purpose: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiClient(HasState, HasId, Base):
    """A program that asks for tokens: the agency's own, or one trader's (`trader_id`).

    It proves itself with one of its credentials. A suspended client gets no token, and those it
    holds are refused at once; so is a revoked one, for good. `per_minute` and `per_day` are its
    own quota where the agency has set one, `warned_at` the last warning that it lies idle.
    """

    __tablename__ = "api_client"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'suspended', 'revoked')", name="state"),
        CheckConstraint("per_minute > 0 AND per_day > 0", name="quota"),
        UniqueConstraint("id", "trader_id"),
        Index(None, "trader_id", postgresql_where=text("trader_id IS NOT NULL")),
    )
    workflow: ClassVar[Workflow] = CLIENT

    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    trader_id: Mapped[uuid.UUID | None]
    per_minute: Mapped[int | None]
    per_day: Mapped[int | None]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    woken_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def idle_since(self) -> datetime:
        """The last instant at which somebody wanted it: a use, a reawakening, or its birth."""
        known = (self.created_at, self.last_used_at, self.woken_at)
        return max(one for one in known if one is not None)


class ClientCredential(HasId, Base):
    """One secret, or one key whose public half is `jwk`, by which an API client proves itself.

    A client may hold several, so that a new one works before the old one ends. At `expires_at`,
    which may lie ahead, and at `revoked_at` it ends together with the tokens that it brought.
    `trader_id` is the client's.
    """

    __tablename__ = "client_credential"
    __table_args__ = (
        CheckConstraint("(secret_hash IS NULL) <> (jwk IS NULL)", name="one_proof"),
        ForeignKeyConstraint(
            ["api_client_id", "trader_id"],
            ["api_client.id", "api_client.trader_id"],
            name="fk_client_credential_api_client_id_trader_id",
        ),
        Index(None, "api_client_id"),
    )

    api_client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("api_client.id"))
    trader_id: Mapped[uuid.UUID | None]
    secret_hash: Mapped[str | None]
    jwk: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    def is_live(self, now: datetime) -> bool:
        """Whether it proves anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class IssuedToken(Base):
    """An access token that was issued here, until it is over: `token_hash` is its SHA-256.

    The row policies of programs begin with it, and ask it what the token is for. A token that is signed by our key and stands here
    nowhere was not issued by us.
    """

    __tablename__ = "issued_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(unique=True)
    credential_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client_credential.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))


class TokenDenial(Base):
    """A token that was revoked before its end; kept until then."""

    __tablename__ = "token_denial"

    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ClientAssertion(Base):
    """A signed proof that a client has used; kept until it would expire, so that it works once."""

    __tablename__ = "client_assertion"

    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("api_client.id"), primary_key=True)
    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RateCount(Base):
    """How often something was done since a window began; lost in a crash, and may be."""

    __tablename__ = "rate_count"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)
