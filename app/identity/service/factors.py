"""Setting up second factors and giving them up; each leaves one event and one letter."""

import uuid

from sqlalchemy import delete, select
from webauthn.helpers.structs import CredentialDeviceType
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.audit.tags import EventTag
from app.identity import factors, queries, rules, session_store
from app.identity.models import Authenticator, LinkPurpose, Passkey, Person, RecoveryCode
from app.identity.passwords import verify_password
from app.identity.sealing import FactorSeal
from app.identity.service.links import LinkSpentError, make_link, use_link
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError, Problem
from app.notifications.service import send
from app.work import Work


def tell(work: Work, person: Person, what: str) -> None:
    """Send the person a letter on something that concerns their access. No event."""
    send(
        work,
        to=person.email,
        template="security-notice",
        person_id=person.id,
        name=person.name,
        what=what,
        at=f"{work.now:%d %B %Y, %H:%M} UTC",
    )


def add_passkey(
    work: Work,
    person: Person,
    verified: VerifiedRegistration,
    *,
    name: str,
    transports: list[str],
    replace: bool = False,
) -> Passkey:
    """Keep a new passkey; with `replace`, every older factor of the person ends first.

    The caller has verified it. Side effects in order: older factors and sessions, when replaced;
    the row; a letter. Errors: `ConflictError` when the key is known already. Records
    `PASSKEY_ADDED`.
    """
    _lock(work, person)
    if replace:
        _end_all(work, person)
    known = select(Passkey.id).where(Passkey.credential_id == verified.credential_id)
    if work.session.scalars(known).one_or_none() is not None:
        raise ConflictError("This passkey is set up already.")
    passkey = Passkey(
        id=work.new_id(),
        person_id=person.id,
        name=name,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=transports,
        aaguid=verified.aaguid,
        multi_device=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
        created_at=work.now,
        last_used_at=None,
    )
    work.session.add(passkey)
    work.session.flush()
    work.record(EventTag.PASSKEY_ADDED, passkey, replaced=replace or None)
    tell(work, person, f"a passkey was added: {name}")
    return passkey


def remove_passkey(work: Work, person: Person, passkey_id: uuid.UUID) -> None:
    """Give a passkey up, unless it is the last factor. Sends a letter.

    For the agency's people the last passkey counts as the last factor. Errors: `NotFoundError`,
    also for a passkey of somebody else; `ConflictError`. Records `PASSKEY_REMOVED`.
    """
    _lock(work, person)
    owned = factors.factors_of(work.session, person.id)
    passkey = next((one for one in owned.passkeys if one.id == passkey_id), None)
    if passkey is None:
        raise NotFoundError
    at_agency = bool(queries.agency_roles(work.session, person.id))
    if (len(owned.passkeys) if at_agency else owned.count) == 1:
        raise _last()
    work.session.delete(passkey)
    work.record(EventTag.PASSKEY_REMOVED, passkey)
    tell(work, person, f"a passkey was removed: {passkey.name}")


def set_authenticator(
    work: Work, seal: FactorSeal, person: Person, *, key: str, code: str, replace: bool = False
) -> None:
    """Take on an authenticator app, proved by its first code; an older app's row ends.

    Side effects in order: older factors and sessions, with `replace`; the row, its code used up;
    a letter. Errors: `NotReadyError` beside `code`. Records `AUTHENTICATOR_ADDED`.
    """
    step = factors.step_of(key, code, work.now)
    if step is None:
        raise NotReadyError(
            [
                Problem(
                    "This is not the code that the app shows now. Check the app's clock.",
                    field="code",
                    code="wrong-code",
                )
            ]
        )
    _lock(work, person)
    if replace:
        _end_all(work, person)
    work.session.execute(delete(Authenticator).where(Authenticator.person_id == person.id))
    row_id = work.new_id()
    app = Authenticator(
        id=row_id,
        person_id=person.id,
        sealed_key=seal.seal(key, row_id),
        last_step=step,
        created_at=work.now,
    )
    work.session.add(app)
    work.session.flush()
    work.record(EventTag.AUTHENTICATOR_ADDED, app, replaced=replace or None)
    tell(work, person, "an authenticator app was set up")


def remove_authenticator(work: Work, person: Person) -> None:
    """Give the authenticator app up, unless it is the last factor. Sends a letter.

    Errors: `NotFoundError`, `ConflictError`. Records `AUTHENTICATOR_REMOVED`.
    """
    _lock(work, person)
    owned = factors.factors_of(work.session, person.id)
    if owned.authenticator is None:
        raise NotFoundError
    if owned.count == 1:
        raise _last()
    work.session.delete(owned.authenticator)
    work.record(EventTag.AUTHENTICATOR_REMOVED, owned.authenticator)
    tell(work, person, "your authenticator app was removed")


def renew_recovery_codes(work: Work, person: Person) -> list[str]:
    """Ten new recovery codes, given this once; the older ones end. Sends a letter.

    Records `RECOVERY_CODES_RENEWED`.
    """
    _lock(work, person)
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [factors.new_code() for _ in range(factors.CODES)]
    work.session.add_all(
        RecoveryCode(
            id=work.new_id(),
            person_id=person.id,
            code_hash=factors.hash_code(code),
            created_at=work.now,
            used_at=None,
        )
        for code in codes
    )
    work.session.flush()
    work.record(EventTag.RECOVERY_CODES_RENEWED, person, codes=len(codes))
    tell(work, person, "new recovery codes were made; older ones do not work any more")
    return codes


def invite_back(work: Work, person: Person, *, site: str) -> str:
    """Let somebody who lost every factor set up a new one; gives the link's address.

    An operator calls it after checking who asks, as at the first invitation (ADR on sign-in). In
    order: the link, good for a day; the letter to the address that was proved. Records
    `PERSON_INVITED_BACK`.
    """
    link, token = make_link(
        work, LinkPurpose.RECOVER, lasts=rules.RECOVER_WITHIN, person_id=person.id
    )
    work.session.flush()
    address = f"{site}/recover/{token}"
    send(
        work,
        to=person.email,
        template="recover",
        person_id=person.id,
        name=person.name,
        link=address,
    )
    work.record(EventTag.PERSON_INVITED_BACK, person, link=link.id)
    return address


def come_back(work: Work, token: str, *, password: str) -> Person:
    """Use the link of `invite_back` up, with the password; what is enrolled next replaces all.

    Errors: `LinkSpentError`; `NotReadyError` beside `password`. Records `PERSON_CAME_BACK`.
    """
    link = use_link(work, token, LinkPurpose.RECOVER)
    if link.person_id is None:
        raise LinkSpentError
    person = queries.person(work.session, link.person_id)
    if person.ended_at is not None:
        raise LinkSpentError
    if not verify_password(person.password_hash, password):
        raise NotReadyError(
            [Problem("This is not the right password.", field="password", code="wrong-password")]
        )
    work.record(EventTag.PERSON_CAME_BACK, person)
    return person


def _lock(work: Work, person: Person) -> None:
    """Two changes of one person's factors take turns, so that the last one cannot be lost.

    Not the strongest lock: a session that begins meanwhile refers to the person.
    """
    work.session.execute(
        select(Person.id).where(Person.id == person.id).with_for_update(key_share=True)
    )


def _end_all(work: Work, person: Person) -> None:
    for table in (Passkey, Authenticator, RecoveryCode):
        work.session.execute(delete(table).where(table.person_id == person.id))
    session_store.end_of_person(work.session, person.id, work.now, keep=work.actor.session_id)


def _last() -> ConflictError:
    return ConflictError(
        "This is your last way to sign in. Add another one first, then remove this one."
    )
