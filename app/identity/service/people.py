"""Signing up, proving a mail address, and the password."""

import uuid
from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert

from app.audit.tags import EventTag
from app.authz.actor import AgencyRole
from app.identity import queries, rules, session_store
from app.identity.models import LinkPurpose, Person
from app.identity.passwords import hash_password, needs_rehash, verify_password
from app.identity.service.links import LinkSpentError, make_link, spend_all, use_link
from app.identity.service.staff import give_role
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.notifications.service import send
from app.work import Work


def sign_up(work: Work, *, name: str, email: str, password: str, site: str) -> None:
    """Take a new person on, as far as the outside can tell.

    In order: the password is checked and hashed; a new address gets a person and a link to
    verify it; an address not yet verified takes the newest name and password and gets a new link;
    a verified address is left alone and told so by mail. Each way costs one hash and sends
    one letter to the address itself, so that nobody else learns who is known here (OWASP ASVS
    6.3.8). Errors: `NotReadyError` for the password. Records `PERSON_SIGNED_UP` for a new person.
    """
    _check_password(password, email=email, name=name)
    hashed = hash_password(password)
    person = _insert(work, name=name, email=email, hashed=hashed)
    if person is not None:
        send_verification(work, person, site=site)
        return
    known = queries.known_person(work.session, email)
    if known.mail_verified_at is None and known.ended_at is None:
        # Whoever signed up first under an address of somebody else must not choose its password;
        # using the link asks for the newest one, which only the two together can give.
        known.name = name
        known.password_hash = hashed
        send_verification(work, known, site=site)
    else:
        send(
            work,
            to=known.email,
            template="already-known",
            person_id=known.id,
            name=known.name,
            link=f"{site}/sign-in",
            reset_link=f"{site}/reset",
        )


def send_verification(work: Work, person: Person, *, site: str) -> None:
    """Send the link that proves the address; older ones end. No event: nothing is decided yet."""
    _, token = make_link(
        work, LinkPurpose.VERIFY_MAIL, lasts=rules.VERIFY_WITHIN, person_id=person.id
    )
    send(
        work,
        to=person.email,
        template="verify-mail",
        person_id=person.id,
        name=person.name,
        link=f"{site}/verify/{token}",
    )


def verify_mail(work: Work, token: str, *, password: str) -> Person:
    """The address is proved by who holds the link and knows the password of the sign-up.

    The password is asked for because anybody can sign up under any address: without it, the
    owner of the address would open an account whose password a stranger chose.
    Errors: `LinkSpentError`; `NotReadyError` beside `password`. Records `PERSON_MAIL_VERIFIED`.
    """
    link = use_link(work, token, LinkPurpose.VERIFY_MAIL)
    person = _person_of(work, link.person_id)
    if not verify_password(person.password_hash, password):
        raise NotReadyError([_wrong_password("password")])
    person.mail_verified_at = work.now
    work.record(EventTag.PERSON_MAIL_VERIFIED, person)
    return person


def request_reset(work: Work, *, email: str, site: str) -> Person | None:
    """Send a letter to the address: with a link to a known person, else saying that it is unknown.

    The answer to the asker is the same. No event: the caller records the security event.
    """
    person = queries.person_by_email(work.session, email)
    if person is None or person.ended_at is not None:
        send(work, to=email, template="reset-unknown", link=f"{site}/sign-up")
        return None
    _, token = make_link(
        work, LinkPurpose.RESET_PASSWORD, lasts=rules.RESET_WITHIN, person_id=person.id
    )
    send(
        work,
        to=person.email,
        template="reset-password",
        person_id=person.id,
        name=person.name,
        link=f"{site}/reset/{token}",
    )
    return person


def reset_password(work: Work, token: str, *, password: str) -> Person:
    """Set a new password by a link from a letter.

    In order: the link is used up; the password is set; the address counts as verified, since the
    letter reached its owner; every session ends; a letter tells of it. Errors: `LinkSpentError`,
    `NotReadyError` beside `password`. Records `PERSON_PASSWORD_CHANGED`.
    """
    link = use_link(work, token, LinkPurpose.RESET_PASSWORD)
    person = _person_of(work, link.person_id)
    if person.mail_verified_at is None:
        person.mail_verified_at = work.now
        spend_all(work, person.id, LinkPurpose.VERIFY_MAIL)
    _set_password(work, person, password)
    work.record(EventTag.PERSON_PASSWORD_CHANGED, person, by="reset")
    return person


def change_password(
    work: Work, person: Person, *, present: str, password: str, keep: uuid.UUID | None
) -> None:
    """Set a new password by the present one; every session but `keep` ends; a letter tells of it.

    Errors: `NotReadyError` beside `present` or `password`. Records `PERSON_PASSWORD_CHANGED`.
    """
    if not verify_password(person.password_hash, present):
        raise NotReadyError([_wrong_password("present")])
    _set_password(work, person, password, keep=keep)
    work.record(EventTag.PERSON_PASSWORD_CHANGED, person, by="person")


def renew_hash(person: Person, password: str) -> None:
    """Hash a password that was just proved right anew, if today's parameters are others.

    No event: nothing changes for anybody.
    """
    if person.password_hash is not None and needs_rehash(person.password_hash):
        person.password_hash = hash_password(password)


def add_person(
    work: Work,
    *,
    name: str,
    email: str,
    password: str | None,
    roles: Iterable[AgencyRole] = (),
) -> Person:
    """Take on a person whose address somebody vouches for, without any letter.

    For an invitation that was accepted, where the letter was the proof, and for the demonstration.
    Errors: `ConflictError` when the address is known; `NotReadyError` for the password.
    Records `PERSON_SIGNED_UP`, and `STAFF_APPOINTED` for each role.
    """
    hashed = None
    if password is not None:
        _check_password(password, email=email, name=name)
        hashed = hash_password(password)
    person = _insert(work, name=name, email=email, hashed=hashed)
    if person is None:
        raise ConflictError("Somebody with the address %(email)s has access already.", email=email)
    person.mail_verified_at = work.now
    for role in roles:
        give_role(work, person, role)
    return person


def end_person(work: Work, person: Person) -> None:
    """End a person's access for good, at once: no session of theirs counts any more.

    Nothing is deleted, because cases and the record refer to the person. Records `PERSON_ENDED`.
    """
    person.ended_at = work.now
    session_store.end_of_person(work.session, person.id, work.now)
    work.record(EventTag.PERSON_ENDED, person)


def sign_out(work: Work, person: Person | None) -> int:
    """End the open sessions of a person, or of everybody, at once; return how many those were.

    For each person who had any: a letter, and the event.
    """
    people = session_store.people_signed_in(work.session) if person is None else [person.id]
    count = 0
    for person_id in people:
        ended = session_store.end_of_person(work.session, person_id, work.now)
        if ended:
            found = queries.person(work.session, person_id)
            send(work, to=found.email, template="signed-out", person_id=person_id, name=found.name)
            work.record(EventTag.PERSON_SIGNED_OUT, found, sessions=ended)
        count += ended
    return count


def _insert(work: Work, *, name: str, email: str, hashed: str | None) -> Person | None:
    """Insert a person and record it; `None` when the address is taken, be it by a double click."""
    person_id = work.session.execute(
        insert(Person)
        .values(id=work.new_id(), name=name, email=email, password_hash=hashed, created_at=work.now)
        .on_conflict_do_nothing(index_elements=[Person.email])
        .returning(Person.id)
    ).scalar_one_or_none()
    if person_id is None:
        return None
    person = queries.person(work.session, person_id)
    work.record(EventTag.PERSON_SIGNED_UP, person)
    return person


def _set_password(
    work: Work, person: Person, password: str, *, keep: uuid.UUID | None = None
) -> None:
    _check_password(password, email=person.email, name=person.name)
    person.password_hash = hash_password(password)
    spend_all(work, person.id, LinkPurpose.RESET_PASSWORD)
    session_store.end_of_person(work.session, person.id, work.now, keep=keep)
    send(
        work,
        to=person.email,
        template="password-changed",
        person_id=person.id,
        name=person.name,
    )


def _check_password(password: str, *, email: str, name: str) -> None:
    problems = rules.password_problems(password, email=email, name=name)
    if problems:
        raise NotReadyError(problems)


def _wrong_password(field: str) -> Problem:
    return Problem("This is not the right password.", field=field, code="wrong-password")


def _person_of(work: Work, person_id: uuid.UUID | None) -> Person:
    """The person a link is for; a person who has left cannot use one any more."""
    if person_id is None:
        raise LinkSpentError
    person = queries.person(work.session, person_id)
    if person.ended_at is not None:
        raise LinkSpentError
    return person
