"""Judging a second proof: counted before it is looked at, used up when right, recorded either way.

Every function takes effect at once, in short transactions of its own, whatever becomes of the
request. A wrong proof is told in the same words whether it was wrong, used or never existed.
"""

import uuid
from datetime import timedelta
from math import ceil

from flask import current_app
from flask_babel import gettext, ngettext
from sqlalchemy import select

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import transaction
from app.identity import factors, limits, passkeys, sessions
from app.identity.models import Passkey, Person
from app.identity.passkeys import PasskeyRefusedError, RelyingParty
from app.identity.sealing import FactorSeal
from app.identity.sessions import KEEPER
from app.web.requests import circumstances
from app.web.wiring import wiring


def seal() -> FactorSeal:
    """What the keys of authenticator apps are sealed with."""
    return FactorSeal(str(current_app.secret_key))


def site() -> RelyingParty:
    """The site that passkeys are bound to."""
    return passkeys.relying_party(wiring().settings.address)


def judge_code(person_id: uuid.UUID, code: str) -> str | None:
    """Judge a code of the person's authenticator app; `None` when right, else what to tell."""
    wired = wiring()
    wait = limits.begin_second_factor(person_id)
    if wait is not None:
        return too_many(wait)
    with transaction(wired.engine, KEEPER) as db:
        right = factors.take_code(db, seal(), person_id, code, wired.clock.now())
    if not right:
        _failed(person_id, "code")
        return str(gettext("This code is not right, or it was used already. Wait for the next."))
    limits.succeed_second_factor(person_id)
    return None


def judge_recovery_code(person_id: uuid.UUID, code: str) -> str | None:
    """Judge a recovery code; it is used up when right. Records `RECOVERY_CODE_USED`."""
    wired = wiring()
    wait = limits.begin_second_factor(person_id)
    if wait is not None:
        return too_many(wait)
    with transaction(wired.engine, KEEPER) as db:
        right = factors.take_recovery_code(db, person_id, code, wired.clock.now())
    if not right:
        _failed(person_id, "recovery-code")
        return str(gettext("This recovery code is not right, or it was used already."))
    limits.succeed_second_factor(person_id)
    record_security_event(
        wired.engine, SecurityTag.RECOVERY_CODE_USED, circumstances(), person_id=person_id
    )
    return None


def judge_passkey(text: str, purpose: str, person_id: uuid.UUID | None = None) -> uuid.UUID | None:
    """Judge an answer of `navigator.credentials.get`; gives whose passkey it is, or `None`.

    With `person_id`, only a passkey of that person will do. The challenge of this session is used
    up in any case. The counter and the flags that the device told are kept.
    """
    try:
        return _owner(text, sessions.take_challenge(purpose), person_id)
    except PasskeyRefusedError as refusal:
        record_security_event(
            wiring().engine,
            SecurityTag.SECOND_FACTOR_FAILED,
            circumstances(by="passkey", why=str(refusal)),
            person_id=person_id or refusal.owner,
        )
        return None


def _owner(text: str, challenge: bytes | None, person_id: uuid.UUID | None) -> uuid.UUID:
    """Whose passkey has answered, its row brought up to date; `PasskeyRefusedError` otherwise."""
    if challenge is None:
        raise PasskeyRefusedError("no-challenge")
    answer = passkeys.read_answer(text)
    wired = wiring()
    with transaction(wired.engine, KEEPER) as db:
        found = db.execute(
            select(Passkey, Person)
            .join(Person, Person.id == Passkey.person_id)
            .where(Passkey.credential_id == passkeys.credential_id(answer))
            .with_for_update(of=Passkey)
        ).one_or_none()
        if found is None:
            raise PasskeyRefusedError("unknown")
        key, person = found
        if person.ended_at is not None:
            raise PasskeyRefusedError("person-ended", person.id)
        if person_id is not None and person.id != person_id:
            raise PasskeyRefusedError("another-person", person.id)
        verified = passkeys.verify_use(site(), challenge, answer, key)
        key.sign_count = verified.new_sign_count
        key.backed_up = verified.credential_backed_up
        key.last_used_at = wired.clock.now()
        return person.id


def not_believed() -> str:
    """What a person is told whose passkey was not taken, whatever the cause."""
    return str(gettext("The passkey was not accepted. Try again, or sign in another way."))


def too_many(wait: timedelta) -> str:
    """How long to wait."""
    minutes = max(1, ceil(wait.total_seconds() / 60))
    return str(
        ngettext(
            "Too many attempts. Wait one minute, then try again.",
            "Too many attempts. Wait %(num)d minutes, then try again.",
            minutes,
        )
    )


def _failed(person_id: uuid.UUID, by: str) -> None:
    record_security_event(
        wiring().engine,
        SecurityTag.SECOND_FACTOR_FAILED,
        circumstances(by=by),
        person_id=person_id,
    )
