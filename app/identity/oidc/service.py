"""What changes about identities at providers: bound to a person, taken away again."""

import uuid

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.audit.tags import EventTag
from app.authz.actor import AgencyRole
from app.identity import queries
from app.identity.models import LinkPurpose, OneTimeLink, Person, WebSession
from app.identity.oidc import queries as subjects
from app.identity.oidc.models import OidcSubject
from app.identity.oidc.rules import Identity, Reason, Side, refusal_of_linked, refusal_of_new
from app.identity.service.links import spend_all
from app.identity.service.people import add_person
from app.identity.service.staff import give_role
from app.kernel.errors import ConflictError
from app.notifications.service import send
from app.work import Work


class IdentityRefusedError(ConflictError):
    """The identity may not do this any more; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__("This sign-in cannot be used here.")
        self.reason = reason


def begin_with_identity(work: Work, identity: Identity, *, name: str) -> Person:
    """The first sign-in of an identity: a new trader person, or one whom the agency invited.

    In order: the rules are asked again, since what they decided on may have changed; the
    person is taken on under `name`, or, when invited, found by the address; invitations are used
    up and their roles given; the identity is bound and a letter tells of it. An account under
    this address whose mail was never verified is taken over and its password forgotten.
    Errors: `IdentityRefusedError`. Records `PERSON_SIGNED_UP` or `PERSON_MAIL_VERIFIED`,
    `STAFF_APPOINTED` for each role, `IDENTITY_LINKED`.
    """
    invited: tuple[OneTimeLink, ...] = ()
    if identity.side is Side.AGENCY:
        invited = tuple(subjects.invitations(work.session, identity.address, work.now, lock=True))
    person = queries.person_by_email(work.session, identity.address) if identity.address else None
    account = subjects.account_of(work.session, person)
    refusal = refusal_of_new(identity, account, invited=bool(invited))
    if refusal is not None:
        raise IdentityRefusedError(refusal)
    if person is None:
        person = add_person(work, name=name, email=identity.address, password=None)
    elif person.mail_verified_at is None:
        person.name = name
        person.password_hash = None
        person.mail_verified_at = work.now
        spend_all(work, person.id, LinkPurpose.VERIFY_MAIL)
        spend_all(work, person.id, LinkPurpose.RESET_PASSWORD)
        work.record(EventTag.PERSON_MAIL_VERIFIED, person, by="provider")
    for link in invited:
        link.used_at = work.now
        give_role(work, person, AgencyRole(link.role or ""))
    link_identity(work, person, identity)
    return person


def link_identity(work: Work, person: Person, identity: Identity) -> OidcSubject:
    """Bind an identity to a person who has proved both; a letter tells the person.

    Binding the same again is once. Errors: `IdentityRefusedError` when it is somebody else's, or
    when the provider is not for people of this kind. Records `IDENTITY_LINKED`.
    """
    account = subjects.account_of(work.session, person)
    refusal = Reason.UNVERIFIED if account is None else refusal_of_linked(identity.side, account)
    if refusal is not None:
        raise IdentityRefusedError(refusal)
    made = work.session.execute(
        insert(OidcSubject)
        .values(
            id=work.new_id(),
            issuer=identity.issuer,
            subject=identity.subject,
            person_id=person.id,
            linked_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=[OidcSubject.issuer, OidcSubject.subject])
        .returning(OidcSubject.id)
    ).scalar_one_or_none()
    bound = subjects.subject_of(work.session, identity.issuer, identity.subject)
    if bound is None or bound.person_id != person.id:
        raise IdentityRefusedError(Reason.TAKEN)
    if made is not None:
        work.record(EventTag.IDENTITY_LINKED, bound, person=person.id, issuer=identity.issuer)
        send(
            work,
            to=person.email,
            template="identity-linked",
            person_id=person.id,
            name=person.name,
            issuer=identity.issuer,
        )
    return bound


def unlink_identity(
    work: Work, person: Person, bound: OidcSubject, *, keep: uuid.UUID | None
) -> None:
    """Take an identity away from a person.

    In order: the binding; every session that it opened, but `keep`; the letter. Errors:
    `ConflictError` when it is the only way in that the person has. Records `IDENTITY_UNLINKED`.
    """
    others = [
        one for one in subjects.subjects_of_person(work.session, person.id) if one.id != bound.id
    ]
    if person.password_hash is None and not others:
        raise ConflictError(
            "This is your only way in. Set a password or add another way before you remove it."
        )
    work.record(EventTag.IDENTITY_UNLINKED, bound, person=person.id, issuer=bound.issuer)
    work.session.delete(bound)
    ended = update(WebSession).where(
        WebSession.person_id == person.id,
        WebSession.revoked_at.is_(None),
        WebSession.data["oidc"]["issuer"].astext == bound.issuer,
    )
    if keep is not None:
        ended = ended.where(WebSession.id != keep)
    work.session.execute(ended.values(revoked_at=work.now, data={}))
    send(
        work,
        to=person.email,
        template="identity-unlinked",
        person_id=person.id,
        name=person.name,
        issuer=bound.issuer,
    )
