"""What a person proves themselves with, and the taking of a proof, which works once.

Each taking is one statement or one locked row in a short transaction of its own, so that a proof
is used up whatever becomes of the request, and two requests at once cannot both use it.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.identity.models import Authenticator, Passkey, RecoveryCode
from app.identity.sealing import FactorSeal

STEP = 30  # Seconds of one code (RFC 6238).
WINDOW = (-1, 0, 1)  # Half minutes that a clock may be off, as RFC 6238 §5.2 advises.
CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # Nothing that is read as something else.
GROUPS_OF_CODE, GROUP = 4, 7


@dataclass(frozen=True, slots=True)
class Factors:
    """A person's second factors. Recovery codes stand in for one and are none themselves."""

    passkeys: tuple[Passkey, ...]
    authenticator: Authenticator | None
    codes_left: int

    @property
    def any(self) -> bool:
        return bool(self.passkeys) or self.authenticator is not None

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.authenticator is not None)


def factors_of(db: Session, person_id: uuid.UUID) -> Factors:
    """What the person has, the oldest passkey first."""
    passkeys = db.scalars(
        select(Passkey)
        .where(Passkey.person_id == person_id)
        .order_by(Passkey.created_at, Passkey.id)
    ).all()
    app = db.scalars(
        select(Authenticator).where(Authenticator.person_id == person_id)
    ).one_or_none()
    left = db.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    )
    return Factors(tuple(passkeys), app, left or 0)


def new_key() -> str:
    """A key for an authenticator app: 160 bits in base 32."""
    return pyotp.random_base32()


def step_of(key: str, code: str, now: datetime) -> int | None:
    """The half minute whose code this is, within the window; `None` when it is of none."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdecimal()):
        return None
    present = int(now.timestamp()) // STEP
    generator = pyotp.TOTP(key)
    for offset in WINDOW:
        if secrets.compare_digest(generator.at((present + offset) * STEP), digits):
            return present + offset
    return None


def take_code(
    db: Session, seal: FactorSeal, person_id: uuid.UUID, code: str, now: datetime
) -> bool:
    """Whether the code is right and was not used yet; then it, and every older one, is used."""
    app = db.scalars(
        select(Authenticator).where(Authenticator.person_id == person_id)
    ).one_or_none()
    if app is None:
        return False
    step = step_of(seal.unseal(app.sealed_key, app.id), code, now)
    if step is None:
        return False
    taken = db.execute(
        update(Authenticator)
        .where(Authenticator.id == app.id, Authenticator.last_step < step)
        .values(last_step=step)
        .returning(Authenticator.id)
    ).one_or_none()
    return taken is not None


def take_recovery_code(db: Session, person_id: uuid.UUID, code: str, now: datetime) -> bool:
    """Whether this is an unused recovery code of the person; then it is used."""
    taken = db.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == hash_code(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).one_or_none()
    return taken is not None


def new_code() -> str:
    """A code of 138 bits, in four groups that can be read aloud."""
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS_OF_CODE)
    )


def hash_code(code: str) -> str:
    """The form in which a recovery code is kept; 138 bits of chance need no slow hash."""
    plain = "".join(char for char in code.casefold() if char.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
